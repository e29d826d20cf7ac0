"""A row of the tree: what stands in it at each width, and that nothing in it can break the screen."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from tree_stores import NOW_MS, make_job

from store.models import Job
from store.states import Reason, Status
from tui_orch.client.measures import duration
from tui_orch.tui import row
from tui_orch.tui.figures import amount, dollars
from tui_orch.tui.row import ASCII, UNICODE, Role

_BUSY = make_job(
    id=12,
    title="Write the parser",
    status=Status.RUNNING,
    attempt=2,
    children=5,
    open_children=3,
    started_ms=NOW_MS - 65_000,
    subtree_cost_usd=1.5,
    subtree_tokens=12_300,
    activity="Edit src/auth.py",
)


def text(job: Job, width: int, **more: Any) -> str:
    return row.cells(job, NOW_MS, width, **more).text


def test_a_wide_row_has_everything() -> None:
    assert " ".join(text(_BUSY, 140, folded=False).split()) == (
        "▾ ● #12 Write the parser running ▰▱▱▱ 2/5 1m05s $1.50 12k ×2 Edit src/auth.py"
    )


def test_80_cells_have_all_but_tokens_attempt_and_the_picture_of_the_bar() -> None:
    assert " ".join(text(_BUSY, 80, folded=True).split()) == (
        "▸ ● #12 Write the parser running 2/5 1m05s $1.50 Edit src/auth.py"
    )


def test_columns_go_in_the_stated_order_as_the_screen_gets_narrower() -> None:
    """The order of the module's docstring."""
    assert row.__doc__ is not None
    order = ["tokens", "attempt", "bar", "activity", "cost", "children", "elapsed", "state"]
    said = row.__doc__.split("first one first:\n\n")[1].split("\n\n")[0].strip()
    assert said == (
        "tokens, attempt, the picture of the bar, activity, cost, the count of children, elapsed, state in words"
    )
    gone: list[str] = []
    for width in range(200, 0, -1):
        columns = row.columns(width)._asdict()
        left_out = [name for name in order if not columns[name]]
        assert left_out == order[: len(left_out)], width
        assert left_out[: len(gone)] == gone
        gone = left_out
    assert gone == order


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 120, 200, 400])
def test_title_and_activity_share_what_is_left(width: int) -> None:
    columns = row.columns(width)
    used = columns.left + sum(
        cells + 1
        for cells in (
            columns.state,
            columns.bar,
            columns.children,
            columns.elapsed,
            columns.cost,
            columns.tokens,
            columns.attempt,
            columns.activity,
        )
        if cells
    )
    assert used == width
    assert width < 80 or (columns.left >= 30 and columns.activity >= 16)


def test_the_state_is_told_by_glyph_and_word_never_by_colour_alone() -> None:
    for glyphs in (UNICODE, ASCII):
        assert len({*glyphs.states.values(), glyphs.asking}) == len(Status) + 1
        assert all(cell_len(sign) == 1 for sign in glyphs.states.values())
    assert all(sign.isascii() for sign in ASCII.states.values())
    assert text(_BUSY, 80, glyphs=ASCII, folded=False).isascii()
    for status in Status:
        drawn = row.cells(make_job(status=status), NOW_MS, 80)
        assert drawn.cells[1].text == UNICODE.states[status]
        assert drawn.cells[1].role == Role(status.value)
        assert status.value in drawn.text


def test_children_are_indented_and_the_mark_can_be_hit() -> None:
    drawn = row.cells(make_job(depth=2, children=1), NOW_MS, 120, folded=True)
    assert drawn.text.startswith("    ▸ ○ #1 job")
    assert (drawn.mark, drawn.mark_end) == (4, 6)
    assert row.cells(make_job(depth=2), NOW_MS, 80).text.startswith("    ○ #1 job")
    assert row.blank(2, 80).text.startswith("    …")


@pytest.mark.parametrize(
    ("values", "word", "activity"),
    [
        ({"status": Status.RUNNING}, "running", "starting"),
        ({"status": Status.RUNNING, "activity": "Bash make"}, "running", "Bash make"),
        ({"status": Status.RUNNING, "stop_reason": "timeout"}, "stopping", "stopping: out of time"),
        ({"status": Status.RUNNING, "wants_slot": True}, "running", "waiting for a slot"),
        (
            {"status": Status.RUNNING, "lending": True, "children": 5, "open_children": 3},
            "running",
            "waiting for 3 of 5 children",
        ),
        (
            {
                "status": Status.WAITING,
                "reason": "children",
                "waiting_for": "children",
                "children": 5,
                "open_children": 3,
            },
            "waiting",
            "waiting for 3 of 5 children",
        ),
        ({"status": Status.WAITING, "waiting_for": "ask"}, "waiting", "waiting for an answer"),
        ({"status": Status.QUEUED}, "queued", ""),
        (
            {"status": Status.QUEUED, "reason": Reason.RETRY, "not_before_ms": NOW_MS + 11_001},
            "retry",
            "tries again in 12s",
        ),
        ({"status": Status.QUEUED, "reason": Reason.RETRY, "not_before_ms": NOW_MS}, "retry", ""),
        ({"status": Status.QUEUED, "reason": Reason.RESUME}, "resume", "goes on when a slot is free"),
        ({"status": Status.FAILED, "reason": Reason.TIMEOUT}, "timeout", "out of time"),
        (
            {"status": Status.FAILED, "reason": Reason.EXIT_CODE, "error": "exit code 2\nlong"},
            "exit code",
            "exit code 2 long",
        ),
        ({"status": Status.FAILED, "reason": "new_reason"}, "new reason", "new reason"),
        ({"status": Status.PARTIAL, "reason": Reason.CHILDREN_FAILED}, "partial", "not all children succeeded"),
        ({"status": Status.COMPLETED, "result": "All is\nwell."}, "completed", "All is well."),
        ({"status": Status.CANCELLED, "reason": Reason.CANCELLED}, "cancelled", "cancelled"),
        ({"status": Status.RUNNING, "open_asks": 1, "activity": "x"}, "asks", "asks a person"),
        ({"status": Status.CANCELLED, "open_asks": 1}, "cancelled", ""),
    ],
)
def test_what_a_job_is_and_does_in_words(values: dict[str, Any], word: str, activity: str) -> None:
    job = make_job(**values)
    assert row.state_word(job) == word
    assert row.activity(job, NOW_MS) == activity


def test_an_ask_is_shown_with_its_question() -> None:
    job = make_job(status=Status.RUNNING, open_asks=1)
    drawn = row.cells(job, NOW_MS, 120, question="run\npytest?")
    assert "asks: run pytest?" in drawn.text
    assert drawn.cells[1] == row.Cell("?", Role.ASKING)


def test_every_reason_fits_its_column_or_is_cut() -> None:
    for reason in Reason:
        word = row.state_word(make_job(status=Status.FAILED, reason=reason))
        assert cell_len(word) <= 9, reason


def test_only_the_time_changes_a_row_of_what_is_under_way() -> None:
    later = NOW_MS + 1_000
    ended = make_job(status=Status.COMPLETED, started_ms=NOW_MS - 9_000, ended_ms=NOW_MS)
    assert row.moment(ended, NOW_MS) == row.moment(ended, later)
    assert row.moment(_BUSY, NOW_MS) != row.moment(_BUSY, later)
    back_off = make_job(reason="retry", not_before_ms=NOW_MS + 60_000)
    assert row.moment(back_off, NOW_MS) != row.moment(back_off, later)


_HOSTILE = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x07\x9b\u202e\u200d\ufe0f\U000e0041\t\n日本🎉é\u0301[]/"),
    ),
    max_size=60,
)


@given(_HOSTILE, _HOSTILE, st.integers(0, 220), st.integers(0, 5), st.sampled_from(Status), st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_row_is_exactly_as_wide_as_asked_and_holds_nothing_dangerous(
    title: str, said: str, width: int, depth: int, status: Status, plain: bool
) -> None:
    job = make_job(
        id=123_456,
        title=title,
        status=status,
        depth=depth,
        activity=said,
        error=said,
        result=said,
        reason=said,
        stop_reason=said,
        children=123_456,
        open_children=1,
        attempt=12,
        started_ms=0,
        subtree_cost_usd=123_456.0,
        subtree_tokens=10**9,
    )
    drawn = row.cells(job, NOW_MS, width, folded=True, question=said, glyphs=ASCII if plain else UNICODE)
    assert cell_len(drawn.text) == width
    assert not {unicodedata.category(char) for char in drawn.text} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(alphabet="ab日本🎉", max_size=30), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_a_wide_character_is_never_split(title: str, width: int) -> None:
    found = row.cut(title, width)
    assert cell_len(found) <= width
    assert found == title or title.startswith(found.removesuffix("…").rstrip())


@given(st.integers(-5, 10**13), st.floats(0, 10**9), st.integers(0, 10**12))
@settings(max_examples=200, deadline=None)
def test_figures_fit_their_columns(ms: int, usd: float, count: int) -> None:
    assert len(duration(ms)) <= 6 or ms > 10**11
    assert len(dollars(usd)) <= 7
    assert len(amount(count)) <= 4


def test_figures_tell_something() -> None:
    assert [duration(ms) for ms in (0, 59_999, 60_000, 3_600_000, 90_000_000)] == [
        "0s",
        "59s",
        "1m00s",
        "1h00m",
        "1d01h",
    ]
    assert [dollars(usd) for usd in (0, 0.00042, 0.042, 1.5, 999.99, 1234.5, 2_500_000)] == [
        "$0.00",
        "$0.0004",
        "$0.042",
        "$1.50",
        "$999.99",
        "$1,234",
        "$2.5M",
    ]
    assert [amount(count) for count in (0, 999, 1_234, 34_000, 999_499, 999_500, 5_600_000)] == [
        "0",
        "999",
        "1.2k",
        "34k",
        "999k",
        "1.0M",
        "5.6M",
    ]
