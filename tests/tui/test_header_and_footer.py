"""The lines at the top and at the bottom, at every width."""

import time
import unicodedata
from collections.abc import Iterator

import pytest
from dialog_stage import HOSTILE, NOW_MS, TREE, a_job, a_state, assert_plain, lines, text
from rich.cells import cell_len
from textual.app import App, ComposeResult

from store.states import Status
from tui_orch.tui.footer import KeyFooter, fitting, hint_at
from tui_orch.tui.header import StoreHeader, Totals, header_text, until
from tui_orch.tui.keys import Around, hints
from tui_orch.tui.row import ASCII, Role

MINUTE_MS = 60_000


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock on the wall does not depend on where the tests run."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def shown(totals: Totals, width: int = 120, now_ms: int = NOW_MS) -> list[str]:
    return ["".join(cell.text for cell in line) for line in header_text(totals, now_ms, width)]


def test_the_totals_stand_in_one_line() -> None:
    totals = Totals(a_state(open_asks=2), 12.3, 0.42, name="my store")
    assert shown(totals) == ["my store  ● 5/8 running  ○ 1 queued  ◌ 1 waiting  $12.30  $0.42/min   ? 2 asks "]


def test_nothing_is_told_that_is_not_known_or_not_there() -> None:
    assert shown(Totals(a_state())) == ["● 5/8 running  ○ 1 queued  ◌ 1 waiting  $0.00"]


def test_a_narrow_screen_drops_parts_in_the_stated_order() -> None:
    """Name, rate, waiting, queued, dollars, words; how many run stays, and the asks as long as they fit."""
    totals = Totals(a_state(open_asks=2), 12.3, 0.42, name="my store")
    marks = ["my store", "/min", "waiting", "queued", "$12.30", "running", "? 2"]
    seen = []
    for width in range(120, 8, -1):
        (line,) = shown(totals, width)
        assert cell_len(line) <= width
        gone = [mark for mark in marks if mark not in line]
        assert gone == marks[: len(gone)]
        seen.append(len(gone))
    assert seen == sorted(seen)
    assert set(seen) == set(range(len(marks) + 1))


@pytest.mark.parametrize("width", [1, 5, 20, 60, 200])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    hard = Totals(a_state(open_asks=10**6, brake_until_ms=NOW_MS + 1, brake_reason=HOSTILE), 1e9, 1e9, name=HOSTILE)
    assert all(cell_len(line) <= width for line in shown(hard, width))
    assert all(
        cell_len("".join(cell.text for cell in line)) <= width for line in header_text(hard, NOW_MS, width, ASCII)
    )


def test_a_brake_is_shown_as_a_clock_until_it_ends() -> None:
    totals = Totals(a_state(brake_reason="five_hour usage limit", brake_until_ms=NOW_MS + 90 * MINUTE_MS))
    assert shown(totals)[1] == "nothing starts until 23:43:20 (in 1h30m); P takes it back: five_hour usage limit"
    assert "(in 1s)" in shown(totals, now_ms=NOW_MS + 90 * MINUTE_MS - 1)[1]
    assert len(shown(totals, now_ms=NOW_MS + 90 * MINUTE_MS)) == 1


def test_a_far_moment_has_its_date() -> None:
    assert until(NOW_MS + 3 * 86_400_000, NOW_MS) == "2023-11-17 22:13:20"


def test_a_brake_says_until_when_and_what_to_do_before_why() -> None:
    """80 cells, less those at the sides, hold the first two, however far the moment and however long the reason."""
    far = NOW_MS + 99 * 86_400_000
    notice = shown(Totals(a_state(brake_reason="seven_day usage limit " * 9, brake_until_ms=far)), 78)[1]
    assert notice.startswith("nothing starts until 2024-02-21 22:13:20 (in 99d00h); P takes it back: s")
    assert notice.endswith("…")


def test_a_pause_says_since_when() -> None:
    assert (
        shown(Totals(a_state(paused_ms=NOW_MS - 5 * MINUTE_MS)))[1] == "paused for 5m00s: nothing new starts; P goes on"
    )


def test_a_stop_says_what_a_person_must_mend_and_how_to_go_on() -> None:
    """No login, no Claude Code, workers that crash: nothing goes on by itself, so why comes with it, in the colour of a failure."""
    why = "the API refuses the account (Invalid API key); mend the login or key of Claude Code, then: orch resume"
    totals = Totals(a_state(paused_ms=NOW_MS - 5 * MINUTE_MS, brake_reason=why))
    assert shown(totals, 200)[1] == f"stopped 5m00s ago; mend it, then P goes on: {why}"
    notice = header_text(totals, NOW_MS, 60)[1]
    assert [cell.role for cell in notice] == [Role.FAILED]
    assert "".join(cell.text for cell in notice).startswith("stopped 5m00s ago; mend it, then P goes on: the API re")
    hostile = shown(Totals(a_state(paused_ms=NOW_MS, brake_reason=HOSTILE)), 78)[1]
    assert not any(unicodedata.category(char).startswith("C") for char in hostile)


def test_the_gravest_trouble_is_told_alone() -> None:
    """A store that can not be read, then no supervisor, then a brake, then a pause."""
    braked = a_state(paused_ms=1, brake_reason="limit", brake_until_ms=NOW_MS + 1)
    assert shown(Totals(braked, supervisor=False, trouble="disk I/O"))[1] == "the store can not be read: disk I/O"
    assert shown(Totals(braked, supervisor=False))[1] == "no supervisor runs, so nothing goes on: S starts one"
    assert shown(Totals(braked))[1].startswith("nothing starts until")


class Bars(App[None]):
    """Header and footer alone."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = NOW_MS
        self.chosen: list[str] = []

    def compose(self) -> ComposeResult:
        yield StoreHeader(lambda: self.now_ms)
        yield KeyFooter()

    def on_key_footer_chosen(self, message: KeyFooter.Chosen) -> None:
        self.chosen.append(message.name)


async def test_worker_text_in_the_header_is_text() -> None:
    """The reason of a brake can hold anything."""
    app = Bars()
    async with app.run_test(size=(120, 6)) as pilot:
        totals = Totals(a_state(brake_reason=HOSTILE, brake_until_ms=NOW_MS + 1), name="[red]x[/]")
        app.query_one(StoreHeader).show(totals)
        await pilot.pause()
        assert "[/foo] [bold]x[/] ␛]52" in text(app)
        assert "[red]x[/]" in text(app)
        assert_plain(app)


async def test_the_header_takes_a_second_line_only_while_it_has_something_to_tell() -> None:
    app = Bars()
    async with app.run_test(size=(80, 6)) as pilot:
        header = app.query_one(StoreHeader)
        header.show(Totals(a_state(paused_ms=NOW_MS)))
        await pilot.pause()
        assert header.size.height == 2
        header.show(Totals(a_state()))
        await pilot.pause()
        assert header.size.height == 1


async def test_the_footer_shows_what_is_possible_and_a_click_chooses_it() -> None:
    app = Bars()
    async with app.run_test(size=(80, 6)) as pilot:
        footer = app.query_one(KeyFooter)
        footer.show(hints(a_job(status=Status.FAILED), TREE, Around(a_state())))
        await pilot.pause()
        line = lines(app)[-1]
        assert line.startswith(" r retry")
        assert "cancel" not in line
        assert line.rstrip().endswith("? help  q quit")
        await pilot.click(KeyFooter, offset=(line.index("help"), 0))
        await pilot.click(KeyFooter, offset=(79, 0))
        assert app.chosen == ["help"]


async def test_what_the_footer_says_is_text_and_goes_away() -> None:
    app = Bars()
    async with app.run_test(size=(80, 6)) as pilot:
        footer = app.query_one(KeyFooter)
        footer.show(hints(None, None, Around(a_state())))
        footer.say(HOSTILE)
        await pilot.pause()
        assert lines(app)[-1].startswith(" [/foo] [bold]x[/] ␛]52")
        assert_plain(app)
        footer.say("")
        await pilot.pause()
        assert "q quit" in lines(app)[-1]


@pytest.mark.parametrize("width", [0, 3, 10, 40, 80, 300])
def test_hints_fit_and_are_found_where_they_stand(width: int) -> None:
    found = fitting(hints(a_job(status=Status.FAILED, children=2, attempt=1), TREE, Around(a_state())), width)
    line = "  ".join(f"{hint.action.shown} {hint.label}" for hint in found)
    assert cell_len(line) <= width
    for hint in found:
        start = line.index(f"{hint.action.shown} {hint.label}")
        assert hint_at(found, start) is hint
        assert hint_at(found, start + len(hint.label) + len(hint.action.shown)) is hint
    assert hint_at(found, len(line)) is None
