"""The verbs of a person: cancel, retry, limits, settings, pause, resume, asks, answer, status."""

import json

import pytest
from at_orch import AtOrch

from store.brake import set_brake
from store.models import Ask
from store.states import Kind, Status
from tests.by_hand import now_ms
from tui_orch.cli.asks import verdict_of
from tui_orch.supervisor.ownership import own


def test_cancel_tells_what_ended_and_what_is_being_stopped(orch: AtOrch) -> None:
    """Where nobody can be asked, it does not ask."""
    fence = orch.start(orch.tree())
    orch.spawn(fence, "one", "two")
    done = orch("cancel", "1")
    assert (done.code, done.out) == (0, "#1: 2 ended, 1 being stopped\n")
    found = json.loads(orch("cancel", "1", "--json").out)
    assert (found["id"], found["ended"], found["stopping"]) == (1, 0, 0)


def test_retry_queues_what_failed_and_says_that_nobody_runs_it(orch: AtOrch) -> None:
    """``--fresh`` begins a new session."""
    job_id = orch.tree()
    orch.run(job_id, Status.FAILED, error="no luck", session_id="s-1")
    done = orch("retry", "1")
    assert (done.code, done.out) == (0, "#1 queued (retry) · build it\n")
    assert "orch up" in done.err
    assert orch.job(1).session_id == "s-1"
    orch.run(job_id, Status.FAILED)
    assert [job["id"] for job in json.loads(orch("retry", "1", "--fresh", "--json").out)] == [1]
    assert orch.job(1).session_id is None


def test_limits_are_shown_beside_what_is_used(orch: AtOrch) -> None:
    """Of the tree that any of its jobs names."""
    fence = orch.start(orch.tree(max_jobs=50, budget_usd=2.5, timeouts_s=(600.0, 60.0)))
    (child,) = orch.spawn(fence, "true")
    lines = orch("limits", str(child)).out.splitlines()
    assert lines[0] == "tree #1"
    assert "  max_jobs     50  (jobs: 2)" in lines
    assert "  max_depth    3  (deepest job: 1)" in lines
    assert "  max_workers  5  (running: 1)" in lines
    assert "  timeouts_s   600s, 60s" in lines
    assert "  budget_usd   $2.50  (spent: $0.00)" in lines


def test_limits_are_changed_on_a_running_tree(orch: AtOrch) -> None:
    """What was refused goes then; the deadlines move."""
    fence = orch.start(orch.tree(max_depth=0))
    orch.refused("spawn", "part", env=orch.worker(fence))
    before = orch.job(1).deadline_ms
    done = orch("limits", "1", "--max-depth", "2", "--timeout", "2h,5m", "--budget", "3", "--json")
    found = json.loads(done.out)["limits"]
    assert (found["max_depth"]["limit"], found["timeouts_s"]["limit"]) == (2, [7200, 300])
    assert found["budget_usd"] == {"limit": 3, "used": 0}
    assert before is not None
    assert (orch.job(1).deadline_ms or 0) - before == 3_600_000
    assert orch("spawn", "part", env=orch.worker(fence)).code == 0


def test_settings_are_shown_and_set(orch: AtOrch) -> None:
    """All, one, and a new value of the right type."""
    orch.tree()
    assert "slots                10" in orch("settings").out
    assert orch("settings", "slots").out == "10\n"
    assert orch("settings", "slots", "3").out == "3\n"
    assert orch("settings", "timeouts_s", "100,50.5").out == "100,50.5\n"
    assert orch("settings", "permission_mode", "plan").out == "plan\n"
    found = json.loads(orch("settings", "--json").out)
    assert (found["slots"], found["timeouts_s"], found["permission_mode"]) == (3, [100, 50.5], "plan")


def test_pause_and_resume_of_a_tree_and_of_the_store(orch: AtOrch) -> None:
    """Twice is no error; a job names its tree."""
    fence = orch.start(orch.tree())
    (child,) = orch.spawn(fence, "true")
    assert orch("pause", str(child)).out == "tree #1 is paused\n"
    assert orch("pause", "1").out == "tree #1 was paused already\n"
    assert orch("resume", "1").out == "tree #1 goes on\n"
    assert orch("resume", "1").out == "tree #1 was not paused\n"
    assert orch("pause").out == "the whole store is paused\n"
    assert "paused      since" in orch("status").out
    assert orch("resume").out == "the whole store goes on\n"
    assert json.loads(orch("status", "--json").out)["paused_ms"] is None


def test_status_shows_what_holds_things_up(orch: AtOrch) -> None:
    """Jobs by state, slots, asks, a brake with its end."""
    fence = orch.start(orch.tree())
    orch.tree("another")
    orch.ask(fence)
    with orch.store.write() as tx:
        set_brake(tx, "usage limit", now_ms() + 3_600_000)
    done = orch("status").out
    assert "supervisor  none; start one with: orch up" in done
    assert "jobs        1 queued, 1 running" in done
    assert "slots       1 of 10 in use" in done
    assert "asks        1 open" in done
    assert "(usage limit)" in done
    with own(orch.home, now_ms() - 65_000):
        assert "for 1m05s" in orch("status").out
    assert orch("resume").code == 0
    assert "usage limit" not in orch("status").out


def test_asks_are_listed_with_what_answers_them(orch: AtOrch) -> None:
    """A permission with its tool and input, a question with its options; of one tree if asked so."""
    one, two = orch.start(orch.tree("one")), orch.start(orch.tree("two"))
    orch.ask(one, kind="permission", question="May it call Bash?\n{...}", tool="Bash", input={"command": "rm 日本"})
    orch.ask(two, question="Which\ncolour?", options=("red", "blue"))
    lines = orch("asks").out.splitlines()
    assert lines[0].startswith("1  #1 permission, ")
    assert lines[0].endswith(" ago: May it call Bash?")
    assert lines[1:4] == [
        '    Bash {"command": "rm 日本"}',
        "    orch answer 1 allow|deny|TEXT",
        "    with --for subtree|tree it keeps the rule: Bash(rm 日本)",
    ]
    assert lines[5:] == ["    colour?", "    red | blue", "    orch answer 2 TEXT"]
    found = json.loads(orch("asks", str(two.job_id), "--json").out)
    assert [(ask["id"], ask["job_id"], ask["options"]) for ask in found] == [(2, 2, ["red", "blue"])]


def test_a_permission_is_allowed_denied_or_answered_in_words(orch: AtOrch) -> None:
    """Once each; the words reach the worker."""
    fence = orch.start(orch.tree())
    for _ in range(3):
        orch.ask(fence, kind="permission", tool="Bash", input={})
    assert orch("answer", "1", "allow").out == "ask 1 of #1: allow\n"
    assert orch("answer", "2", "deny", "use", "pytest").out == "ask 2 of #1: deny: use pytest\n"
    found = json.loads(orch("answer", "3", "not now, ask Eve", "--json").out)
    assert (found["answer"], found["text"]) == ("answered", "not now, ask Eve")
    assert "already answered" in orch.refused("answer", "1", "deny")
    assert orch("asks").out == "nothing waits for you\n"


@pytest.mark.parametrize(
    ("kind", "words", "verdict"),
    [
        ("permission", ("allow",), ("allow", None)),
        ("permission", ("Deny", "no", "network"), ("deny", "no network")),
        ("permission", ("tomorrow",), ("answered", "tomorrow")),
        ("question", ("allow",), ("answered", "allow")),
        ("question", ("deny",), ("deny", None)),
        ("question", ("deny", "it"), ("answered", "deny it")),
    ],
)
def test_what_a_persons_words_mean(kind: str, words: tuple[str, ...], verdict: tuple[str, str | None]) -> None:
    """A question takes any words."""
    asked = Ask(1, 1, 1, 1, kind, "Bash", {}, "may it?", (), None, (), 0, None, None, None, None)
    assert verdict_of(asked, words) == verdict


def test_a_question_is_answered_in_words(orch: AtOrch) -> None:
    """And its job goes on when that was all it waited for."""
    fence = orch.start(orch.tree())
    orch.ask(fence)
    assert orch("answer", "1", "the", "blue", "one").code == 0
    assert json.loads(orch("show", "1", "--json").out)["asks"][0]["text"] == "the blue one"
    orch.ask(fence)
    assert "wants an answer in words" in orch.refused("answer", "2", " ")


def test_list_shows_trees_newest_first_and_no_more_than_asked(orch: AtOrch) -> None:
    """By state too; child jobs are no trees."""
    for number in range(1, 6):
        orch.tree(f"tree {number}", Kind.COMMAND)
    orch.spawn(orch.start(5), "true")
    orch.run(2, Status.FAILED)
    orch.run(4, Status.FAILED)
    listed = [line.split()[0] for line in orch("list").out.splitlines()]
    assert listed == ["#5", "#4", "#3", "#2", "#1"]
    assert [job["id"] for job in json.loads(orch("list", "--limit", "2", "--json").out)] == [5, 4]
    assert [job["id"] for job in json.loads(orch("list", "--status", "failed", "--json").out)] == [4, 2]
    assert orch("list", "--status", "partial").out == "no tree is partial\n"
