"""The line in which a filter is written tells what it means while one types."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from dialog_stage import HOSTILE, NARROW, WIDE, a_job, assert_fits, assert_plain, enter_text, lines, prose, text
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from store.states import Status
from tui_orch.tui.dialogs.filter_bar import PAUSE_S, FilterBar
from tui_orch.tui.filter import Filter


class Sieved(App[None]):
    """A screen with a filter bar at its bottom."""

    CSS = "#rows { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.changed: list[Filter] = []
        self.closed: list[Filter] = []

    def compose(self) -> ComposeResult:
        yield Static("rows", id="rows")
        yield FilterBar()

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        self.changed.append(message.wanted)

    def on_filter_bar_closed(self, message: FilterBar.Closed) -> None:
        self.closed.append(message.wanted)


@asynccontextmanager
async def opened(
    text: str = "", size: tuple[int, int] = NARROW
) -> AsyncIterator[tuple[Sieved, Pilot[None], FilterBar]]:
    app = Sieved()
    async with app.run_test(size=size) as pilot:
        bar = app.query_one(FilterBar)
        bar.open(text)
        await pilot.pause()
        yield app, pilot, bar


async def until_changed(app: Sieved, pilot: Pilot[None], count: int) -> None:
    while len(app.changed) < count:
        await pilot.pause(0.01)


async def test_it_takes_no_room_until_it_is_opened() -> None:
    app = Sieved()
    async with app.run_test(size=NARROW) as pilot:
        assert app.query_one("#rows").size.height == 24
        app.query_one(FilterBar).open()
        await pilot.pause()
        assert app.query_one("#rows").size.height == 22


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_what_is_typed_is_told_once_nobody_types(size: tuple[int, int]) -> None:
    """Not after each key."""
    async with opened(size=size) as (app, pilot, _):
        await enter_text(pilot, "state:fail")
        await pilot.press(*"ed")
        await until_changed(app, pilot, 1)
        assert [wanted.text for wanted in app.changed][-1] == "state:failed"
        assert app.changed[-1].matches(a_job(status=Status.FAILED))
        assert_fits(app)


async def test_what_means_nothing_is_said_and_not_applied() -> None:
    async with opened() as (app, pilot, _):
        await enter_text(pilot, "state:x")
        await pilot.pause(PAUSE_S * 2)
        assert "state:x is unknown; allowed: queued" in text(app)
        assert all(wanted.text != "state:x" for wanted in app.changed)
        await pilot.press("enter")
        await pilot.pause()
        assert app.closed == []
        await pilot.press("backspace")
        await enter_text(pilot, "failed")
        await pilot.press("enter")
        await pilot.pause()
        assert [wanted.text for wanted in app.closed] == ["state:failed"]


async def test_enter_keeps_the_filter_and_esc_takes_it_away() -> None:
    async with opened() as (app, pilot, bar):
        await pilot.press(*"api", "enter")
        await pilot.pause()
        assert not bar.is_open
        bar.open("api")
        await pilot.pause()
        assert "/ api" in lines(app)[-2]
        await pilot.press("escape")
        await pilot.pause()
        assert [wanted.text for wanted in app.closed] == ["api", ""]
        assert not bar.is_open


async def test_how_far_it_has_come_is_told_unless_something_is_wrong() -> None:
    async with opened() as (app, pilot, bar):
        bar.say("12 of 3,000 jobs")
        await pilot.pause()
        assert "12 of 3,000 jobs" in text(app)
        await enter_text(pilot, "cost>x")
        bar.say("13 of 3,000 jobs")
        await pilot.pause()
        assert "cost is a number" in prose(app)


async def test_what_is_typed_and_said_is_text() -> None:
    async with opened(HOSTILE) as (app, pilot, bar):
        bar.say(HOSTILE)
        await pilot.pause()
        assert text(app).count("[/foo]") == 2
        assert_plain(app)
