"""Draws the rows of a tree that are visible, and nothing else: a line-API widget without keys.

What changes in a row redraws that row; rows that come or go redraw the canvas, at most 8 times a second, and twice a
second while nothing in view moves. Which rows are where is decided in `viewport`, what a row looks like in `row` and
`row_painter`; `tree_pane` adds keys, mouse and what the app asks of it.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from store.errors import StoreError
from tui_orch.tui.lean_screen import LeanScreen
from tui_orch.tui.messages import CursorMoved, StoreTroubled
from tui_orch.tui.row import ASCII, UNICODE, Role
from tui_orch.tui.row_painter import RowPainter
from tui_orch.tui.source import Source
from tui_orch.tui.tree_model import TreeModel
from tui_orch.tui.viewport import Viewport

#: Seconds between two redraws of the whole canvas, where rows in view come, go or move; and where none does.
FRAME_S = 1 / 8
QUIET_FRAME_S = 1 / 2
_TICK_S = 1.0
NO_JOBS: tuple[str, ...] = ("No jobs yet.", "", "n   new request", "or, in a shell:  orch run FILE")
NOT_YET: tuple[str, ...] = ("Nothing is read yet.",)
_NO_MATCH = ("No job matches the filter.", "", "/   change it")
_SEARCHING = ("Searching ...",)


class TreeCanvas(ScrollView, inherit_bindings=False):
    """All jobs of a source as a tree. ``now_ms`` gives the time; ``grow`` unfolds what is under way by itself."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tree--cursor", *(f"tree--{role}" for role in Role)}
    DEFAULT_CSS = """
    TreeCanvas {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .tree--queued { color: $text-muted; }
        & > .tree--running { color: $text-primary; text-style: bold; }
        & > .tree--waiting { color: $text-accent; }
        & > .tree--completed { color: $text-success; }
        & > .tree--partial { color: $text-warning; }
        & > .tree--failed { color: $text-error; text-style: bold; }
        & > .tree--cancelled { color: $text-muted; }
        & > .tree--asking { color: $text-warning; text-style: bold; }
        & > .tree--figure { color: $text-muted; }
        & > .tree--aside { color: $text-muted; }
        & > .tree--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .tree--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
    }
    """

    def __init__(
        self,
        source: Source,
        now_ms: Callable[[], int],
        *,
        ascii_only: bool = False,
        grow: bool = True,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self.model = TreeModel(source, grow=grow)
        self._viewport = Viewport(self.model)
        self.empty = NO_JOBS  # what is said where there is no job
        self._painter = RowPainter(self._style_of, now_ms, ASCII if ascii_only else UNICODE)
        self._filters: Sequence[LineFilter] = ()
        self._sized = Size()
        self._sized_for: tuple[Size, bool] | None = None
        self._shown_for: tuple[int, Size] | None = None  # the scroll offset and size that the lines are for
        self._told_cursor: int | None = None
        self._wanted: int | None = None  # where following goes next
        self._frame: Timer | None = None
        self._frame_at = self._resized_at = float("-inf")

    @property
    def rows_drawn(self) -> int:
        """Rows composed so far, for tests: the visible ones, once, and those of them that changed."""
        return self._painter.painted

    @property
    def cursor_id(self) -> int | None:
        """The id of the job under the cursor."""
        return None if self._viewport.cursor is None else self._viewport.cursor.job_id

    # Frames

    def _settle(self) -> None:
        """Show at once what still waits for its frame, before a person is obeyed."""
        if self._frame is not None:
            self._show(at_once=True)

    def _plan_frame(self) -> None:
        if self._frame is None:
            wait_s = self._frame_at + FRAME_S - time.monotonic()
            if wait_s <= 0:
                self._show()
            else:
                self._frame = self.set_timer(wait_s, self._show, name="tree frame")

    def _show(self, at_once: bool = False) -> None:
        """Bring the screen up to date with the rows; ``at_once`` where a person has changed them."""
        now = self._frame_at = time.monotonic()
        if self._frame is not None:
            self._frame.stop()
            self._frame = None
        if not self.is_attached:
            return
        with self._changing():
            viewport = self._viewport
            viewport.height = self._height
            before = [line.job_id for line in viewport.lines]
            if self._wanted is not None:
                wanted, self._wanted = self._wanted, None
                found = self.model.reveal(wanted)
                if found is not None:
                    viewport.go(found, centre=True)
            self._refresh_lines(viewport.keep())
            same = [line.job_id for line in viewport.lines] == before
            due_s = self._resized_at + QUIET_FRAME_S - now
            if self._is_out_of_step() and same and not at_once and due_s > 0:
                self._frame = self.set_timer(due_s, self._show, name="tree size")
            else:
                self._resize()

    def _go(self, to: int, *, scroll_by: int = 0, centre: bool = False) -> None:
        self._viewport.go(to, scroll_by=scroll_by, centre=centre)
        if self._is_out_of_step():
            self._resize()

    def _is_out_of_step(self) -> bool:
        """Tell whether scroll bar and offset are not those of the lines."""
        return self.model.rows != self.virtual_size.height or self._viewport.first != self.scroll_offset.y

    def _resize(self) -> None:
        self._resized_at = time.monotonic()
        was_empty = self.virtual_size.height == 0
        if self.virtual_size.height != self.model.rows:
            self.virtual_size = Size(1, self.model.rows)
        self._shown_for = (self._viewport.first, self._content_size)
        self.scroll_to(y=self._viewport.first, animate=False, force=True, immediate=True)
        if was_empty or not self._viewport.lines:
            self.refresh()

    # Drawing

    @property
    def _height(self) -> int:
        return max(1, self._content_size.height)

    @property
    def _content_size(self) -> Size:
        """The size of what is drawn, asked for several times a frame: Textual's own goes through borders and bars."""
        now = (self._size, self.show_vertical_scrollbar)
        if self._sized_for != now:
            self._sized_for = now
            self._sized = self.scrollable_content_region.size
        return self._sized

    def on_mount(self) -> None:
        """Load the first screen."""
        self.set_interval(_TICK_S, self._tick, name="tree clock")
        with self._changing():
            self.model.open(self.app.size.height)
            self.virtual_size = Size(1, self.model.rows)
            self._viewport.row_of_cursor()

    def notify_style_update(self) -> None:
        """Forget what was drawn in the old colours."""
        super().notify_style_update()
        self._painter.forget()
        self._sized_for = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw lines as they are: to what Textual does with others, borders and tints, nothing here has a right."""
        size = self._content_size
        self._heed_filters()
        self._keep_up(size)
        strips = [self._line(y, size) for y in crop.line_range]
        left, right = crop.column_span
        return strips if (left, right) == (0, size.width) else [strip.crop(left, right) for strip in strips]

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        size = self._content_size
        self._keep_up(size)
        return self._line(y, size)

    def _keep_up(self, size: Size) -> None:
        """Have the rows that are to be drawn."""
        if self._shown_for != (self.scroll_offset.y, size):
            # Rows have come into view, by scrolling or because the screen has another size.
            self._shown_for = (self.scroll_offset.y, size)
            with self._changing():
                self._viewport.height = self._height
                self._viewport.look(self.scroll_offset.y)

    def _line(self, y: int, size: Size) -> Strip:
        if not self.model.rows:
            return self._hint(y, size)
        if y >= len(self._viewport.lines):
            return Strip.blank(size.width, self._filtered(self.rich_style))
        line = self._viewport.lines[y]
        cursor = self._viewport.cursor
        is_cursor = cursor is not None and line.job_id == cursor.job_id
        return self._painter.paint(line, size.width, is_cursor=is_cursor)

    def _hint(self, y: int, size: Size) -> Strip:
        """Draw a line of what is said where there are no rows."""
        sieve = self.model.sieve
        lines = self.empty if sieve is None else _NO_MATCH if sieve.done else _SEARCHING
        top, left = max(0, (size.height - len(lines)) // 2), max(0, (size.width - max(map(len, lines))) // 2)
        text = lines[y - top] if top <= y < top + len(lines) else ""
        return self._painter.text(" " * left + text, size.width, self._filtered(self.rich_style))

    def _style_of(self, name: str) -> Style:
        return self._filtered(self.get_component_rich_style(f"tree--{name}"))

    def _heed_filters(self) -> None:
        filters = self.get_line_filters()
        if filters != self._filters:
            self._filters = filters
            self._painter.forget()

    def _filtered(self, style: Style) -> Style:
        """Return a style as Textual's filters leave it: they look at nothing else of a line, so once is enough."""
        cells = [Segment(" ", style)]
        for line_filter in self._filters:
            cells = line_filter.apply(cells, self.background_colors[1])
        return cells[0].style or Style.null()

    def _refresh_lines(self, lines: Iterable[int]) -> None:
        width = self._content_size.width
        regions = [Region(0, y, width, 1) for y in lines]
        if regions:  # without any, all of it would be drawn
            self.refresh(*regions)

    def _draw_lines(self, lines: Collection[int]) -> None:
        """Draw lines at once where that can be, else with the next frame."""
        if not lines:
            return
        size, screen = self._content_size, self.screen
        if self._shown_for == (self.scroll_offset.y, size) and isinstance(screen, LeanScreen):
            self._heed_filters()
            if screen.draw_now(self, size.width, lines, lambda y: self._line(y, size)):
                return
        self._refresh_lines(lines)

    def _tick(self) -> None:
        """Redraw the rows whose time has moved on."""
        self._draw_lines([y for y, line in enumerate(self._viewport.lines) if self._painter.is_stale(line)])

    # Reading

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Tell of a store that can not be read, and of a cursor that stands elsewhere afterwards."""
        try:
            yield
        except StoreError as error:
            self.post_message(StoreTroubled(str(error)))
        if self.cursor_id != self._told_cursor:
            both = (self._told_cursor, self.cursor_id)
            self._told_cursor = self.cursor_id
            lines = enumerate(self._viewport.lines)
            self._refresh_lines(y for y, line in lines if line.job_id is not None and line.job_id in both)
            self.post_message(CursorMoved(self.cursor_id))
