"""Lines drawn in the very step in which they changed are what the terminal would show a frame later; else that way is gone."""

import random
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import CompositorUpdate
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static
from tree_pane_stage import Screen, plant
from tree_stores import change, open_store

from store.database import Store
from tui_orch.tui.lean_screen import LeanScreen, LinesUpdate

SIZE = (60, 20)
#: Of the widget of the stage, without the one beside it.
WIDTH = 45


class Lines(Widget):
    """Lines of narrow and wide characters; `say` changes one."""

    def __init__(self) -> None:
        super().__init__(id="left")
        self.words: dict[int, str] = {}

    def render_line(self, y: int) -> Strip:
        text = self.words.get(y, f"line {y}")
        style = Style(color="#ff0000", bgcolor="#000088", bold=y % 2 == 0)
        return Strip([Segment(text, style), Segment("|", style)]).adjust_cell_length(self.size.width, style)


class Stage(App[None]):
    CSS = "#top { dock: top; height: 2; } #left { width: 1fr; } #right { width: 15; }"

    def get_default_screen(self) -> LeanScreen:
        return LeanScreen()

    def compose(self) -> ComposeResult:
        yield Static("at the top", id="top")
        with Horizontal():
            self.lines = Lines()
            yield self.lines
            yield Static("beside it\n" * 30, id="right")

    def draw(self, *ys: int) -> bool:
        screen = self.default_screen
        assert isinstance(screen, LeanScreen)
        return screen.draw_now(self.lines, WIDTH, ys, self.lines.render_line)

    def _display(self, screen: object, renderable: object) -> None:
        if isinstance(renderable, CompositorUpdate):
            self.frames.append(renderable)
        super()._display(screen, renderable)  # type: ignore[arg-type]


@pytest.fixture
def app() -> Stage:
    app = Stage()
    app.frames = []  # type: ignore[attr-defined]
    return app


class Terminal:
    """What a terminal shows of some frames."""

    def __init__(self) -> None:
        self._screen = pyte.Screen(*SIZE)
        self._stream = pyte.Stream(self._screen)
        self._console = Console(force_terminal=True, color_system="truecolor", width=SIZE[0], height=SIZE[1])

    def show(self, frame: CompositorUpdate) -> None:
        self._stream.feed(frame.render_segments(self._console))

    @property
    def cells(self) -> list[list[pyte.screens.Char]]:
        return [[self._screen.buffer[y][x] for x in range(SIZE[0])] for y in range(SIZE[1])]


async def test_a_terminal_shows_what_it_would_show_by_textual_s_way(app: Stage) -> None:
    chance = random.Random(5)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        mine, textuals = Terminal(), Terminal()
        for terminal in (mine, textuals):
            terminal.show(app.screen._compositor.render_full_update())
        for number in range(30):
            ys = sorted(chance.sample(range(18), chance.randint(1, 6)))
            for y in ys:
                app.lines.words[y] = chance.choice((f"new {number}", "日本語の題", "e\u0301 👍", "")) * chance.randint(
                    1, 3
                )
            app.frames.clear()
            assert app.draw(*ys)
            (frame,) = app.frames
            assert isinstance(frame, LinesUpdate)
            mine.show(frame)
            app.frames.clear()
            app.lines.refresh(*(Region(0, y, WIDTH, 1) for y in ys))
            await pilot.pause()
            for frame in app.frames:
                textuals.show(frame)
            assert mine.cells == textuals.cells


async def test_where_anything_may_be_in_front_or_frames_are_held_back_it_is_left_to_textual(app: Stage) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
        assert app.draw(0, 3)
        with app.batch_update():
            assert not app.draw(0), "frames are held back"
        await app.push_screen(ModalScreen())
        assert not app.draw(0), "a dialog is in front"
        await app.pop_screen()
        await pilot.pause()
        assert app.draw(0)
        app.notify("a message")
        await pilot.pause()
        await pilot.pause(0.1)
        assert not app.draw(0), "a message is in front"
        app.clear_notifications()
        await pilot.pause(0.1)
        assert app.draw(0)
        app.screen._layout_required = True
        assert not app.draw(0), "all is to be laid out anew"
        app.screen._layout_required = False
        app.lines.display = False
        await pilot.pause()
        assert not app.draw(0), "nobody sees it"
        await app.lines.remove()
        assert not app.draw(0), "it is gone"


async def test_a_new_size_is_a_new_place(app: Stage) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert app.draw(0)
        await pilot.resize_terminal(40, 20)
        await pilot.pause()
        assert not app.draw(0), "it is narrower now than these lines"


# The tree on it.


class LeanTree(Screen):
    """Counts frames."""

    frames = 0

    def get_default_screen(self) -> LeanScreen:
        return LeanScreen()

    def post_display_hook(self) -> None:
        self.frames += 1


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as store:
        plant(store)
        yield store


async def test_what_changes_in_rows_is_drawn_before_anything_else_happens(store: Store) -> None:
    app = LeanTree(store)
    async with app.shown() as pilot:
        await pilot.pause()
        before, painted = app.frames, app.pane.rows_drawn
        change(store, "UPDATE jobs SET activity = 'Edit a.py' WHERE id = 2")
        app.catch_up()
        assert app.frames == before + 1
        assert app.pane.rows_drawn == painted + 1
        await pilot.pause()
        assert app.frames == before + 1, "it was drawn twice"
        assert any("Edit a.py" in text for text in app.texts)


async def test_what_changes_while_frames_are_held_back_is_drawn_afterwards(store: Store) -> None:
    app = LeanTree(store)
    async with app.shown() as pilot:
        await pilot.pause()
        painted = app.pane.rows_drawn
        with app.batch_update():
            change(store, "UPDATE jobs SET activity = 'Edit a.py' WHERE id = 2")
            app.catch_up()
            assert app.pane.rows_drawn == painted
        await pilot.pause()
        assert app.pane.rows_drawn == painted + 1


async def test_a_frame_of_a_change_out_of_view_is_not_made(store: Store) -> None:
    app = LeanTree(store)
    async with app.shown(height=3) as pilot:
        await pilot.pause()
        before = app.frames
        change(store, "UPDATE jobs SET activity = 'Edit a.py' WHERE id = 5")
        app.catch_up()
        await pilot.pause()
        assert app.frames == before
