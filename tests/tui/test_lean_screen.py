"""The lean screen draws what Textual's own would draw, and asks for no line that nobody sees or that has not changed."""

import random

from rich.segment import Segment
from textual._compositor import Compositor
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from tui_orch.tui.lean_screen import LeanScreen


class Lines(Widget):
    """Counts the lines that are drawn."""

    asked: list[int]

    def render_lines(self, crop: Region) -> list[Strip]:
        self.asked += crop.line_range
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(f"line {y} ".ljust(self.size.width, "."))])


class Stage(App[None]):
    CSS = """
    #top { dock: top; height: 2; }
    #over { layer: above; offset: 5 4; width: 20; height: 3; border: solid red; }
    Screen { layers: below above; }
    #left { width: 1fr; }
    #right { width: 15; border-left: solid green; }
    """

    def get_default_screen(self) -> LeanScreen:
        return LeanScreen()

    def compose(self) -> ComposeResult:
        yield Static("at the top", id="top")
        with Horizontal():
            self.lines = Lines(id="left")
            self.lines.asked = []
            yield self.lines
            yield Static("beside it\n" * 30, id="right")
        yield Static("in front", id="over")


def _cells(chops: object, cuts: list[list[int]], crop: Region, lines: set[int]) -> dict[tuple[int, int], object]:
    return {
        (y, cut): None if strip is None else [(one.text, one.style) for one in strip]
        for y in lines
        for cut, strip in chops[y].items()  # type: ignore[index]
        if crop.x <= cut < crop.right and cut in cuts[y]
    }


async def test_it_draws_what_textual_draws() -> None:
    app = Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        compositor = app.screen._compositor
        chance = random.Random(3)
        for _ in range(200):
            crop = Region(chance.randrange(40), chance.randrange(15), chance.randint(1, 20), chance.randint(1, 5))
            lines = {y for y in crop.line_range if chance.random() < 0.6}
            lean = compositor._render_chops(crop, lines.__contains__)
            whole = Compositor._render_chops(compositor, crop, lines.__contains__)
            assert _cells(lean, compositor.cuts, crop, lines) == _cells(whole, compositor.cuts, crop, lines)


async def test_it_draws_only_lines_that_changed() -> None:
    app = Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        app.lines.asked.clear()
        app.lines.refresh(Region(0, 2, 10, 1), Region(0, 9, 10, 1))
        await pilot.pause()
        assert app.lines.asked == [2, 9]


async def test_it_draws_nothing_of_what_is_beside_or_behind() -> None:
    app = Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        app.lines.asked.clear()
        app.query_one("#right", Static).refresh()
        await pilot.pause()
        assert app.lines.asked == []


async def test_a_widget_that_was_taken_away_is_not_asked_for_lines() -> None:
    """It stays in Textual's map until the next layout, without its styles: to draw it then ends the app."""
    app = Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        compositor = app.screen._compositor
        shown = dict(compositor.visible_widgets)
        await app.lines.remove()
        compositor._visible_widgets = shown  # as it is between the removal and the layout
        app.lines.asked.clear()
        compositor.render_full_update()
        assert app.lines.asked == []
