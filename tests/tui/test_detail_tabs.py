"""What each tab tells, from a real store and a given moment."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from detail_stores import Made, at

from store import control
from store.rules import add_rule, set_permissions
from store.states import Kind, Reason, Status
from tui_orch.tui.detail import output_tab
from tui_orch.tui.detail.output_view import Reading
from tui_orch.tui.detail.source import StoreDetailSource
from tui_orch.tui.detail.tabs import BY_NAME, TABS
from tui_orch.tui.text.line import Line, Tone

Show = Callable[[str, int, float], list[str]]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


@pytest.fixture
def show(made: Made) -> Show:
    """Return the texts of a tab of a job at a second."""
    source = StoreDetailSource(made.store)

    def lines(name: str, job_id: int, second: float) -> list[str]:
        tab = BY_NAME[name]
        return [found.text for found in tab.lines(tab.read(source, job_id), at(second))]

    return lines


def drawn(made: Made, name: str, job_id: int, second: float = 60) -> list[Line]:
    tab = BY_NAME[name]
    return tab.lines(tab.read(StoreDetailSource(made.store), job_id), at(second))


def test_the_request_is_there_whole(made: Made, show: Show) -> None:
    """With how it is run."""
    root = made.root("do this\n\nand [/that]\tnow", Kind.CLAUDE)
    found = show("request", root, 0)
    assert found[0] == "kind        claude"
    assert found[-3:] == ["do this", "", "and [/that]     now"]


def test_the_request_of_a_child_tells_where_it_hangs(made: Made, show: Show) -> None:
    """Parent, batch, depth and tree."""
    root = made.root()
    (child,) = made.spawn(made.start(root), "below")
    assert f"parent      #{root}, batch {root}-1, depth 1 in tree #{root}" in show("request", child, 3)


def test_a_long_request_is_not_cut(made: Made, show: Show) -> None:
    """Up to what the store takes."""
    root = made.root("line\n" * 50_000)
    assert sum(text == "line" for text in show("request", root, 0)) == 50_000


def test_a_result_stands_with_error_data_and_denials(made: Made, show: Show) -> None:
    """Each under its heading, data with a line a value."""
    root = made.root()
    made.run(
        root, 1, 4, status=Status.FAILED, reason=Reason.REPORTED_FAILURE, result="half of it", error="no luck",
        data={"files": ["a.py"]}, denials=({"tool_name": "Bash"},), retry=False,
    )  # fmt: skip
    found = show("result", root, 9)
    assert found[0] == "✘ failed (reported failure)"
    assert found[found.index("error") + 1] == "no luck"
    assert found[found.index("result") + 1] == "half of it"
    assert '    "a.py"' in found
    assert found[found.index("denied") + 1] == '[{"tool_name":"Bash"}]'


def test_the_ledger_tells_of_each_child(made: Made, show: Show) -> None:
    """State, id, title, and its result or error, bounded."""
    root = made.root()
    fence = made.start(root)
    first, second, third = made.spawn(fence, "first child", "second child", "third child")
    made.suspend(fence)
    made.run(first, 4, 5, result="found\n" * 40)
    made.run(second, 4, 5, status=Status.FAILED, error="broke [/x]", retry=False)
    found = show("result", root, 9)
    assert "ledger  2 of 3 children ended" in found
    at_first = found.index(f"✔ completed #{first} first child  not yet told to its parent")
    assert found[at_first + 1 : at_first + 14] == ["    found"] * 12 + ["    … 28 more lines"]
    at_second = found.index(f"✘ failed #{second} second child  not yet told to its parent")
    assert found[at_second + 1] == "    broke [/x]"
    assert f"○ queued #{third} third child" in found
    assert any("it waits for 1 of 3 children" in text for text in found)


def test_a_job_without_a_result_says_why(made: Made, show: Show) -> None:
    """Not started, at work, or ended with none."""
    root = made.root()
    assert "No result yet: it has not started." in show("result", root, 0)
    fence = made.start(root)
    assert "No result yet: it is being worked on." in show("result", root, 1)
    made.finish(fence)
    assert "It has no result." in show("result", root, 5)


def test_attempts_tell_how_they_ended(made: Made, show: Show) -> None:
    """The newest first, the running one with the time that it takes."""
    root = made.root("x", max_attempts=3)
    made.run(root, 1, 4, status=Status.FAILED, reason=Reason.EXIT_CODE, error="exit code 3", exit_code=3)
    made.start(root, 20, pid=77)
    found = show("attempts", root, 65)
    assert found[0] == "attempt 2  running"
    assert "  took      45s" in found
    assert "  pid       77" in found
    assert found.index("attempt 1  failed (exit code)") > found.index("attempt 2  running")
    assert "  took      3s" in found
    assert "  exit code 3" in found


def test_a_signal_is_told_as_one(made: Made, show: Show) -> None:
    """A code below 0 is no code."""
    root = made.root()
    made.run(root, 1, 4, status=Status.FAILED, exit_code=-9, retry=False)
    assert "  exit code ended by signal 9" in show("attempts", root, 5)


def test_where_nothing_is_it_says_what_to_wait_for(made: Made, show: Show) -> None:
    """Every tab has its words for it."""
    group = made.group("one")
    root = made.root("x", max_attempts=3)
    assert show("attempts", root, 0) == ["No attempt yet: it starts when a slot is free and a supervisor runs."]
    assert show("attempts", group, 0) == [f"#{group} is a group: it has no process, only its children."]
    assert show("output", root, 0) == [f"#{root} has not started yet; its output appears here when it does."]
    assert show("output", group, 0)[0].startswith(f"#{group} is a group: it runs nothing itself")
    made.run(root, 1, 4, status=Status.FAILED, error="again")
    with made.store.write() as tx:
        control.cancel(tx, root, at(5))
    assert show("result", root, 9)[0] == "⊘ cancelled"


def test_limits_stand_beside_what_is_used(made: Made, show: Show) -> None:
    """With a bar, and the time that is left."""
    root = made.root("x", max_depth=2, max_jobs=4, max_children=3, budget_usd=2.0, timeouts_s=(100.0, 30.0))
    fence = made.start(root, 10)
    (child, _) = made.spawn(fence, "a", "b", second=20)
    made.start(child, 30)
    found = show("limits", root, 60)
    assert "max_depth     ▰▰▰▰▰▱▱▱▱▱  deepest job 1 of 2" in found
    assert "max_jobs      ▰▰▰▰▰▰▰▱▱▱  3 of 4 jobs" in found
    assert "max_children  ▰▰▰▰▰▰▱▱▱▱  most of one job 2 of 3" in found
    assert "max_workers   ▰▰▱▱▱▱▱▱▱▱  2 of 8 at work" in found
    assert "budget        ▱▱▱▱▱▱▱▱▱▱  $0.00 of $2.00" in found
    assert "timeouts                  100s, 30s  (of depth 0, 1, ...)" in found
    (deadline,) = [text for text in found if text.startswith("deadline")]
    assert deadline.startswith("deadline      ▰▰▰▰▰▱▱▱▱▱")
    assert deadline.endswith("in 50s")
    below = show("limits", child, 31)
    assert any(text.startswith("timeout       ") and "30s with all below it" in text for text in below)


def test_rules_in_force_stand_below_the_limits(made: Made, show: Show) -> None:
    """With where they hold, and the command that takes one back; cleaned."""
    root = made.root("x")
    (child,) = made.spawn(made.start(root, 10), "a", second=20)
    assert not any("--remove" in text for text in show("limits", root, 30))
    with made.store.write() as tx:
        set_permissions(tx, root, "plan", ("Read", "Bash(ls)"))
        add_rule(tx, root, "allow", "Bash(make [/foo]:*)", at(21))
        add_rule(tx, child, "deny", "Bash(git push:*)", at(22))
    found = show("limits", child, 30)
    place = found.index(f"permissions of #{child}  orch rules {root} changes them")
    assert found[place + 1 :] == [
        "mode        plan",
        "allowed     Read, Bash(ls)",
        f"allow (1)   Bash(make [/foo]:*) for #{root} and below",
        f"deny (2)    Bash(git push:*) for #{child} and below",
        "orch rules --remove N takes one back.",
    ]
    assert "git push" not in "".join(show("limits", root, 30))


def test_a_limit_that_is_reached_is_not_told_by_colour_alone(made: Made) -> None:
    """Its bar is full, and its tone another."""
    root = made.root("x", max_jobs=1)
    (jobs,) = [found for found in drawn(made, "limits", root) if found.text.startswith("max_jobs")]
    assert "▰" * 10 in jobs.text
    assert jobs.parts[1][1] is Tone.BAD


def test_changes_are_told_with_how_long_each_state_lasted(made: Made, show: Show) -> None:
    """The newest on top."""
    root = made.root()
    made.run(root, 5, 65)
    found = [text.split(maxsplit=2)[2] for text in show("changes", root, 100)]
    assert found == ["✔ completed  attempt 1", "1m00s  ● running  attempt 1", "5s  ○ queued"]


@pytest.mark.parametrize("tab", [tab.name for tab in TABS])
def test_no_text_of_a_worker_reaches_the_terminal_as_it_is(made: Made, tab: str) -> None:
    """From no column, in no tab."""
    evil = "\x1b]0;x\x07\x9b2J\u202e[red]\u2028"
    root = made.root(evil, Kind.CLAUDE)
    fence = made.start(root)
    (child,) = made.spawn(fence, f"{evil} again")
    made.run(child, 3, 4, status=Status.FAILED, result=evil, error=evil, retry=False)
    made.finish(fence, 5, result=evil, error=evil, data={evil: evil}, denials=(evil,), session_id=evil)
    lines = drawn(made, tab, root)
    text = "".join(found.text for found in lines)
    assert not set(text) & set("\x1b\x07\x9b\u202e\u2028\n\t\r")
    assert tab in ("output", "limits", "changes") or "[red]" in text or "]0;x" in text


def test_data_that_is_nested_too_deep_is_shown_as_it_is(made: Made) -> None:
    """A worker wrote it with plain SQL."""
    root = made.root()
    fence = made.start(root)
    deep = "[" * 990 + "]" * 990
    with made.store.write() as tx:
        tx.run("UPDATE jobs SET data = ? WHERE id = ?", (deep, fence.job_id))

    def at_depth(frames: int) -> list[Line]:
        return drawn(made, "result", root) if frames == 0 else at_depth(frames - 1)

    assert any(found.text.startswith("[[[[") for found in at_depth(100))


def test_a_huge_result_is_cut_and_says_so(made: Made, show: Show) -> None:
    """However large a row is."""
    root = made.root()
    made.run(root, 1, 4, result="x" * 1_000_000)
    found = show("result", root, 9)
    assert sum(map(len, found)) < 300_000
    assert any(text.startswith("… 738 kB more") for text in found)


@pytest.mark.parametrize(
    ("chosen", "attempt", "live"), [(None, 2, True), (1, 1, False), (2, 2, True), (9, 2, True), (-1, 1, False)]
)
def test_the_log_is_that_of_the_chosen_attempt(made: Made, chosen: int | None, attempt: int, live: bool) -> None:
    """Of the newest, where none is chosen; only that one may be growing."""
    root = made.root("x", max_attempts=3)
    made.run(root, 1, 4, status=Status.FAILED, error="again")
    made.start(root, 60)
    job = StoreDetailSource(made.store).closeup(root)
    assert output_tab.choose(job, chosen) == output_tab.Shown(root, attempt, Kind.COMMAND, live)


@pytest.mark.parametrize(
    ("shown", "newest", "reading", "following", "text"),
    [
        ({"live": True}, 1, Reading(), True, "nothing put out yet  following"),
        ({"live": False}, 1, Reading(0, over=True), True, "it put out nothing"),
        ({"live": True}, 3, Reading(1_500, 0), False, "attempt 2 of 3 (< >)  1.5 kB  f or End: follow"),
        ({"live": False}, 1, Reading(5_000_000, 4_000_000), False, "the last 1 MB of 5 MB"),
        ({"live": False}, 1, Reading(trouble="x"), False, "it can not be read"),
    ],
)
def test_the_line_below_the_log_tells_how_far_it_is_read(
    shown: dict[str, Any], newest: int, reading: Reading, following: bool, text: str
) -> None:
    """And what the keys do."""
    log = output_tab.Shown(1, 2, Kind.COMMAND, **shown)
    assert output_tab.status(log, newest, reading, following=following) == text
