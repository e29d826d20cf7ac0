"""Lines on the screen: only those in view are drawn, and a text is found in them."""

import pytest
from textual.app import App, ComposeResult

from tui_orch.tui.text.line import Line, Tone, joined, line, lines
from tui_orch.tui.text.view import TextView


class ViewApp(App[None]):
    """A view and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.animation_level = "none"
        self.found: list[TextView.Found] = []

    def compose(self) -> ComposeResult:
        yield TextView()

    def on_text_view_found(self, message: TextView.Found) -> None:
        self.found.append(message)

    @property
    def view(self) -> TextView:
        return self.query_one(TextView)

    def screen_text(self) -> list[str]:
        return [self.view.render_line(y).text.rstrip() for y in range(self.view.size.height)]


def numbered(count: int) -> list[Line]:
    return [line(f"line {number}") for number in range(count)]


@pytest.mark.parametrize("count", [1_000, 100_000])
async def test_only_rows_in_view_are_drawn(count: int) -> None:
    """As many at a thousand lines as at a hundred thousand."""
    app = ViewApp()
    async with app.run_test(size=(40, 10)) as pilot:
        app.view.set_lines(numbered(count))
        await pilot.pause()
        app.view.rows_drawn = 0
        app.view.focus()
        await pilot.press("pagedown")
        await pilot.pause()
        assert 10 <= app.view.rows_drawn <= 60


async def test_worker_text_is_neither_markup_nor_wider_than_the_screen() -> None:
    """Brackets stay, wide characters are not halved, and every row has the width of the view."""
    app = ViewApp()
    async with app.run_test(size=(12, 6)) as pilot:
        app.view.set_lines(lines("see [/foo] [red]\n日本語日本語日"))
        await pilot.pause()
        assert app.screen_text()[:4] == ["see [/foo]", "[red]", "日本語日本", "語日"]
        assert all(app.view.render_line(y).cell_length == app.view.page_width for y in range(6))


async def test_tones_have_colours_and_a_match_is_marked() -> None:
    """In the middle of a line of several pieces."""
    app = ViewApp()
    async with app.run_test(size=(40, 5)) as pilot:
        app.view.set_lines([joined([("plain ", Tone.PLAIN), ("bad words", Tone.BAD)])])
        app.view.focus()
        assert app.view.look_for("n bad w")
        await pilot.pause()
        strip = app.view.render_line(0)
        pieces = [segment.text for segment in strip]
        assert pieces[:4] == ["plai", "n ", "bad w", "ords"]
        styles = [segment.style for segment in strip]
        assert styles[0] is not None
        assert styles[1] is not None
        assert styles[3] is not None
        assert styles[1].reverse
        assert not styles[0].reverse
        assert styles[0].color != styles[3].color


async def test_finding_goes_on_from_match_to_match() -> None:
    """With n and N, around the end, scrolling to where it is."""
    app = ViewApp()
    async with app.run_test(size=(40, 10)) as pilot:
        app.view.set_lines(numbered(500))
        app.view.focus()
        assert app.view.look_for("line 49")
        await pilot.pause()
        assert "line 49" in app.screen_text()
        await pilot.press("n")
        assert "line 490" in app.screen_text()
        await pilot.press("N")
        assert "line 49" in app.screen_text()
        await pilot.press("N")
        assert "line 499" in app.screen_text()
        assert all(found.there for found in app.found)


async def test_what_is_nowhere_is_said_to_be_nowhere() -> None:
    """And keys are others' once nothing is looked for."""
    app = ViewApp()
    async with app.run_test(size=(40, 10)) as pilot:
        app.view.set_lines(numbered(5))
        assert app.view.check_action("find_next", ()) is False
        assert not app.view.look_for("absent")
        assert app.view.check_action("find_next", ()) is True
        assert not app.view.look_for("")
        await pilot.pause()
        assert [(found.wanted, found.there) for found in app.found] == [("absent", False), ("", False)]
        app.view.set_lines([])
        assert not app.view.look_for("x")


async def test_a_new_width_keeps_the_place() -> None:
    """The line at the top stays at the top."""
    app = ViewApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.view.set_lines([line(f"{number:>4} " + "word " * 14) for number in range(300)])
        app.view.focus()
        await pilot.pause()
        for _ in range(10):
            await pilot.press("pagedown")
        app.view.scroll_to(y=100, animate=False)
        await pilot.pause()
        assert app.screen_text()[0].startswith(" 100")
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert app.screen_text()[0].startswith(" 100")
        assert app.view.text_layout.rows == 600
