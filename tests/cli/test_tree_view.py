"""A tree as lines: states in glyphs and words, guides, what there is room for, true widths."""

from dataclasses import replace
from typing import Any

import pytest
from at_orch import AtOrch
from rich.cells import cell_len

from store.models import Job
from store.states import Status
from store.tree import subtree
from tui_orch.cli.tree_view import GLYPHS, event, job_line, label, tree_lines
from tui_orch.client.measures import duration, money, size

NOW = 1_800_000_000_000


@pytest.fixture
def job(orch: AtOrch) -> Job:
    return replace(orch.job(orch.tree("Build a service")), created_ms=NOW)


def some_tree(job: Job) -> list[Job]:
    return [
        replace(job, status=Status.WAITING, waiting_for="children", started_ms=NOW - 65_000, children=3, open_children=2,
                subtree_cost_usd=1.234),
        replace(job, id=2, parent_id=1, title="Storage", status=Status.COMPLETED, started_ms=NOW - 60_000, ended_ms=NOW),
        replace(job, id=3, parent_id=1, title="API", status=Status.RUNNING, started_ms=NOW - 4_999, children=1,
                open_children=1, activity="Edit notes/api.py"),
        replace(job, id=4, parent_id=1, title="Docs"),
        replace(job, id=5, parent_id=3, title="Search", status=Status.FAILED, reason="timeout", error="too slow",
                started_ms=NOW - 3_700_000, ended_ms=NOW),
    ]  # fmt: skip


def test_a_tree_is_drawn_with_its_children_below_their_parents(job: Job) -> None:
    """Glyph and word, id, title, elapsed time, cost, children that have ended, last activity or error."""
    lines = [line.text for line in tree_lines(some_tree(job), NOW, 100)]
    assert lines == [
        "◌ waiting for 2 children #1 Build a service  1m05s  $1.23  1/3",
        "├─ ✔ completed #2 Storage  1m00s",
        "├─ ● running #3 API  4s  0/1  Edit notes/api.py",
        "│  └─ ✘ failed (timeout) #5 Search  1h01m  too slow",
        "└─ ○ queued #4 Docs",
    ]


@pytest.mark.parametrize("width", [20, 30, 40, 57, 80, 200])
def test_no_line_is_wider_than_the_screen(job: Job, width: int) -> None:
    """Japanese and emoji take two cells each; the id stays to the last."""
    wide = [replace(found, title="日本語の長い題名🎉" * 9, activity="ファイルを編集" * 9) for found in some_tree(job)]
    lines = tree_lines(wide, NOW, width)
    assert all(cell_len(line.text) <= width for line in lines), [line.text for line in lines]
    assert len(lines) == 5
    if width >= 40:
        assert all(f"#{job_id}" in line.text for job_id, line in zip((1, 2, 3, 5, 4), lines, strict=True))


def test_a_wide_line_uses_its_room(job: Job) -> None:
    """What is cut ends in an ellipsis and fills the line but for half a wide character."""
    line = job_line(replace(job, title="長" * 200), NOW, 60).text
    assert line.endswith("…")
    assert 58 <= cell_len(line) <= 60


def test_a_tree_higher_than_the_screen_says_what_is_left_out(job: Job) -> None:
    """First what is below ended jobs, then what comes last; all are counted."""
    jobs = [replace(job, status=Status.WAITING, children=30)]
    jobs += [replace(job, id=2, parent_id=1, status=Status.COMPLETED, children=20)]
    jobs += [replace(job, id=number, parent_id=2, status=Status.COMPLETED) for number in range(3, 23)]
    jobs += [replace(job, id=number, parent_id=1, status=Status.RUNNING) for number in range(23, 31)]
    lines = [line.text for line in tree_lines(jobs, NOW, 100, most=12)]
    assert len(lines) == 11
    assert lines[-1] == "… 20 more jobs"
    assert sum("running" in line for line in lines) == 8
    tight = tree_lines(jobs, NOW, 100, most=5)
    assert len(tight) == 5
    assert tight[-1].text == "… 26 more jobs"
    assert len(tree_lines(jobs, NOW, 100)) == 30


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "○ queued"),
        ({"reason": "retry"}, "○ queued (retry)"),
        ({"status": Status.RUNNING}, "● running"),
        ({"status": Status.RUNNING, "stop_reason": "cancelled"}, "● stopping (cancelled)"),
        ({"status": Status.WAITING, "waiting_for": "children", "open_children": 1}, "◌ waiting for 1 child"),
        ({"status": Status.WAITING, "waiting_for": "ask"}, "◌ waiting for an answer"),
        ({"status": Status.COMPLETED}, "✔ completed"),
        ({"status": Status.PARTIAL, "reason": "children_failed"}, "◐ partial (children_failed)"),
        ({"status": Status.FAILED, "reason": "lost"}, "✘ failed (lost)"),
        ({"status": Status.CANCELLED, "reason": "cancelled"}, "⊘ cancelled"),
        ({"status": Status.CANCELLED, "reason": "parent_ended"}, "⊘ cancelled (parent_ended)"),
    ],
)
def test_every_state_has_a_glyph_and_words(job: Job, changes: dict[str, Any], said: str) -> None:
    """So that nobody needs colours."""
    assert label(replace(job, **changes)) == said
    assert set(GLYPHS) == set(Status)


def test_an_open_ask_is_seen_in_the_tree(job: Job) -> None:
    """While its job has not ended."""
    asking = replace(job, status=Status.RUNNING, started_ms=NOW, open_asks=1)
    assert "asks you" in job_line(asking, NOW, 100).text


def test_an_event_is_one_line(job: Job) -> None:
    """With the error where there is one."""
    failed = replace(job, status=Status.FAILED, reason="exit_code", error="exit code 3\nlast output:\nboom")
    assert event(failed) == "#1 failed (exit_code) · Build a service: exit code 3 last output: boom"


def test_colours_are_around_the_state_only(job: Job) -> None:
    """And are all that differs."""
    line = job_line(replace(job, status=Status.FAILED), NOW, 80)
    assert line.painted(colour=False) == line.text
    assert line.painted(colour=True) == "\x1b[31m✘ failed\x1b[0m #1 Build a service"


def test_part_of_a_tree_is_drawn_from_its_own_top(orch: AtOrch) -> None:
    """``orch tree 2`` begins with #2."""
    fence = orch.start(orch.tree())
    (child,) = orch.spawn(fence, "true")
    orch.spawn(orch.start(child), "false")
    with orch.store.read() as reader:
        lines = tree_lines(subtree(reader, child), NOW, 80)
    assert [line.guides for line in lines] == ["", "└─ "]


@pytest.mark.parametrize(
    ("ms", "said"),
    [(-5, "0s"), (999, "0s"), (59_999, "59s"), (65_000, "1m05s"), (3_599_000, "59m59s"), (7_380_000, "2h03m"),
     (273_600_000, "3d04h")],
)  # fmt: skip
def test_durations(ms: int, said: str) -> None:
    """Two units at most."""
    assert duration(ms) == said


def test_money_and_sizes_show_what_tells_something() -> None:
    """Cents, or more digits where there are no cents."""
    assert [money(usd) for usd in (0, 12.3, 0.1, 0.0421, 0.00004)] == ["$0.00", "$12.30", "$0.10", "$0.042", "$0.00004"]
    assert [size(count) for count in (12, 1_400, 2_000_000, 21e9, 3e12)] == [
        "12 B",
        "1.4 kB",
        "2 MB",
        "21 GB",
        "3000 GB",
    ]
