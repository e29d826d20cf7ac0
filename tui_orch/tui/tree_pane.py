"""The tree on the screen: draws the rows that are visible and nothing else, moves the cursor, folds.

A line-API widget over a `TreeModel`. What changes in a row redraws that row; rows that come or go redraw the pane, at
most 8 times a second, and twice a second while nothing in view moves. The cursor stays on its job, and that row on its
line, whatever is inserted above; only a view that rests at the very top lets new rows in above the cursor.

Reads through the model, writes nothing, and takes the time from outside. Posts `CursorMoved`, `RowOpened`,
`FilterProgressed` and, when the store can not be read, `StoreTroubled`.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from store.errors import StoreError
from store.models import Job
from tui_orch.tui import row
from tui_orch.tui.messages import CursorMoved, FilterProgressed, RowOpened, StoreTroubled
from tui_orch.tui.row import Glyphs, Role, Row
from tui_orch.tui.sieve import STEP
from tui_orch.tui.sorting import Sort
from tui_orch.tui.source import Source
from tui_orch.tui.tree_model import Line, TreeModel

#: Seconds between two redraws of the whole pane, where rows in view come, go or move; and where none does.
FRAME_S = 1 / 8
QUIET_FRAME_S = 1 / 2
_TICK_S = 1.0
#: Seconds after which a filter that could not read the store tries again.
_RETRY_S = 1.0
#: Jobs looked at by a filter between two signs of life, if it finds nothing.
_PROGRESS = 20 * STEP
_NO_JOBS = ("No jobs yet.", "", "n   new request", "or, in a shell:  orch run FILE")
_NO_MATCH = ("No job matches the filter.", "", "/   change it")
_SEARCHING = ("Searching ...",)


class Place(NamedTuple):
    """Where the cursor is."""

    job_id: int
    parent_id: int | None


class TreePane(ScrollView, can_focus=True, inherit_bindings=False):
    """All jobs of a source as a tree. ``now_ms`` gives the time; ``grow`` unfolds what is under way by itself."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "top", "First", show=False),
        Binding("end", "bottom", "Last", show=False),
        Binding("left", "out", "Fold, or to the parent", show=False),
        Binding("right", "into", "Unfold, or to the first child", show=False),
        Binding("space", "fold", "Fold", show=False),
        Binding("asterisk", "unfold_all", "Unfold all below", show=False),
        Binding("enter", "open", "Detail", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tree-pane--cursor", *(f"tree-pane--{role}" for role in Role)}
    DEFAULT_CSS = """
    TreePane {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .tree-pane--queued { color: $text-muted; }
        & > .tree-pane--running { color: $text-primary; text-style: bold; }
        & > .tree-pane--waiting { color: $text-accent; }
        & > .tree-pane--completed { color: $text-success; }
        & > .tree-pane--partial { color: $text-warning; }
        & > .tree-pane--failed { color: $text-error; text-style: bold; }
        & > .tree-pane--cancelled { color: $text-muted; }
        & > .tree-pane--asking { color: $text-warning; text-style: bold; }
        & > .tree-pane--figure { color: $text-muted; }
        & > .tree-pane--aside { color: $text-muted; }
        & > .tree-pane--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .tree-pane--cursor {
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
        #: Rows composed so far, for tests: the visible ones, once, and those of them that changed.
        self.rows_drawn = 0
        #: Whether the cursor goes to where something happens; ends when a person moves it.
        self.follow = False
        self._now_ms = now_ms
        self._glyphs: Glyphs = row.ASCII if ascii_only else row.UNICODE
        self._cursor: Place | None = None
        self._cursor_row = 0  # where it was last seen
        self._lines: list[Line] = []  # the rows on the screen
        self._first = 0  # the row of the first of them; the scroll offset, but for a resize that waits
        self._shown_for: tuple[int, Size] | None = None  # the scroll offset and size that they are for
        self._moved: set[int] = set()
        self._wanted: int | None = None  # where following goes next
        self._frame: Timer | None = None
        self._frame_at = self._resized_at = float("-inf")
        self._strips: dict[int, tuple[tuple[object, ...], Strip]] = {}
        self._styles: dict[tuple[Role, bool], Style] = {}

    # What the app asks and tells

    @property
    def cursor_id(self) -> int | None:
        """The id of the job under the cursor."""
        return None if self._cursor is None else self._cursor.job_id

    @property
    def cursor_job(self) -> Job | None:
        """The job under the cursor, as the tree knows it."""
        return None if self._cursor is None else self.model.job(self._cursor.job_id)

    def apply(self, jobs: Collection[Job]) -> None:
        """Take in changed jobs (see `JobsChanged`) and show what of them is in view."""
        with self._reading():
            applied = self.model.apply(jobs)
            for y, line in enumerate(self._lines):
                if line.job_id in applied.touched:
                    self._lines[y] = self.model.again(line)
                    self._refresh_line(y)
            self._moved |= applied.moved
            if self.follow and jobs:
                self._wanted = max(jobs, key=lambda job: job.seq).id
            if applied.rows_changed or self._wanted is not None:
                self._plan_frame()

    def go_to(self, job_id: int) -> bool:
        """Put the cursor on a job, unfolding what is above it; False where it is not there or filtered out."""
        with self._reading():
            found = self.model.reveal(job_id)
            if found is not None:
                self._restructure()
                self._go(found, centre=True)
                return True
        return False

    def set_sort(self, sort: Sort) -> None:
        """Sort siblings by something else."""
        with self._reading():
            self.model.set_sort(sort)
            self._restructure()

    def set_filter(self, matches: Callable[[Job], bool] | None) -> None:
        """Show only jobs that match, and those above them; all for None. Posts `FilterProgressed` as it finds them."""
        with self._reading():
            self.model.set_filter(matches)
            self._restructure()
        if matches is None:
            self.workers.cancel_group(self, "filter")
        else:
            self.run_worker(self._search(), group="filter", exclusive=True)

    def unfolded(self) -> list[int]:
        """Return the unfolded jobs, for `restore`."""
        return self.model.forest.unfolded()

    def restore(self, unfolded: Iterable[int]) -> None:
        """Unfold these jobs."""
        with self._reading():
            self.model.restore(unfolded)
            self._restructure()

    def reload(self) -> None:
        """Read everything anew, after trouble with the store."""
        with self._reading():
            unfolded, cursor = self.unfolded(), self._cursor
            self.model.open(self._height)
            self.model.restore(unfolded)
            if cursor is not None:
                self.model.reveal(cursor.job_id)
            self._restructure()

    # Keys and mouse

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave keys to others that do nothing here now: the app says why."""
        match action:
            case "open":
                return self._cursor is not None
            case "fold":
                return self.cursor_job is not None and self.cursor_job.children > 0
        return super().check_action(action, parameters)

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self._move(lambda at: at + rows)

    def action_page(self, pages: int) -> None:
        """Move cursor and view by pages."""
        self._move(lambda at: at + pages * self._height, scroll_by=pages * self._height)

    def action_top(self) -> None:
        """Go to the first row."""
        self._move(lambda _: 0)

    def action_bottom(self) -> None:
        """Go to the last row."""
        self._move(lambda _: self.model.rows - 1)

    def action_out(self) -> None:
        """Fold the job, or go to its parent."""
        if self._cursor is not None and not self._set_folded(self._cursor.job_id, folded=True):
            with self._reading():
                above = self.model.shown_above(self._cursor.parent_id)
                if above is not None:
                    self._move(lambda _: above[0])

    def action_into(self) -> None:
        """Unfold the job, or go to its first child."""
        if self._cursor is None or self._set_folded(self._cursor.job_id, folded=False):
            return
        if self.model.view.is_unfolded(self._cursor.job_id):
            self._move(lambda at: at + 1)

    def action_fold(self) -> None:
        """Fold or unfold the job."""
        if self._cursor is not None:
            self._set_folded(self._cursor.job_id, folded=self.model.view.is_unfolded(self._cursor.job_id))

    def action_unfold_all(self) -> None:
        """Unfold the job and what is below it, up to some thousand rows."""
        if self._cursor is not None:
            with self._reading():
                if not self.model.unfold_all(self._cursor.job_id):
                    self.notify("too many jobs below: unfolded the upper levels")
                self._restructure()

    def action_open(self) -> None:
        """Tell that a person wants to see the job's details."""
        if self._cursor is not None:
            self.post_message(RowOpened(self._cursor.job_id))

    def on_click(self, event: events.Click) -> None:
        """Select a row; a click on its mark folds, a double click opens."""
        self._settle()
        offset = event.get_content_offset(self)
        if offset is None or offset.y >= len(self._lines):
            return
        event.stop()
        line = self._lines[offset.y]
        if line.job_id is None:
            return
        drawn = self._row(line, self._width)
        self.follow = False
        self._go(self._first + offset.y)
        if line.folded is not None and drawn.mark <= offset.x < drawn.mark_end:
            self._set_folded(line.job_id, folded=not line.folded)
        elif event.chain == 2:
            self.post_message(RowOpened(line.job_id))

    def on_mouse_scroll_down(self) -> None:
        """Let what is to be shown be shown first, so that the wheel scrolls from there."""
        self._settle()

    def on_mouse_scroll_up(self) -> None:
        """See `on_mouse_scroll_down`."""
        self._settle()

    def _set_folded(self, job_id: int, *, folded: bool) -> bool:
        self.follow = False
        with self._reading():
            if self.model.fold(job_id) if folded else self.model.unfold(job_id):
                self._restructure()
                return True
        return False

    def _move(self, to: Callable[[int], int], scroll_by: int = 0) -> None:
        """Put the cursor on another row, given the one it is on."""
        self.follow = False
        with self._reading():
            self._settle()
            if self._cursor is not None:
                self._go(to(self._row_of_cursor()), scroll_by=scroll_by)

    # The cursor and the view

    def _go(self, to: int, *, scroll_by: int = 0, centre: bool = False) -> None:
        """Put the cursor on a row, and scroll as little as shows it (or so far, or until it is in the middle)."""
        last = self.model.rows - 1
        if last < 0:
            return
        to = max(0, min(to, last))
        height = self._height
        first = self._first + scroll_by
        if not first <= to < first + height:
            first = to - height // 2 if centre else min(max(first, to - height + 1), to)
        line = self.model.window(to, 1)[0]
        self._scroll_rows(max(0, min(first, self.model.rows - height)))
        if line.job_id is not None:
            self._set_cursor(Place(line.job_id, line.parent_id), to)

    def _set_cursor(self, place: Place | None, at: int) -> None:
        before, self._cursor, self._cursor_row = self._cursor, place, at
        if before == place:
            return
        for y, line in enumerate(self._lines):
            if line.job_id is not None and line.job_id in (before and before.job_id, place and place.job_id):
                self._refresh_line(y)
        self.post_message(CursorMoved(self.cursor_id))

    def _row_of_cursor(self) -> int:
        """Return the cursor's row, after putting it on one if its own is gone: the job above, or the same line."""
        if self._cursor is not None:
            found = self.model.row_of(*self._cursor)
            if found is not None:
                self._cursor_row = found
                return found
            above = self.model.shown_above(self._cursor.parent_id)
            if above is not None:
                self._set_cursor(Place(*above[1:]), above[0])
                return above[0]
        at = max(0, min(self._cursor_row, self.model.rows - 1))
        lines = self.model.window(at, 1)
        if lines and lines[0].job_id is not None:
            self._set_cursor(Place(lines[0].job_id, lines[0].parent_id), at)
        else:
            self._set_cursor(None, 0)
        return at

    def _new_first(self) -> int:
        """Return which row is to be the first of the screen, so that what a person looks at stays where it is."""
        height, at = self._height, self._row_of_cursor()
        most = max(0, self.model.rows - height)
        if self._first == 0 and at < height:
            return 0
        for y, line in enumerate(self._lines):
            if line.job_id == self.cursor_id and line.job_id not in self._moved:
                return max(0, min(at - y, most))
        for y, line in enumerate(self._lines):
            if line.job_id is not None and line.job_id not in self._moved:
                found = self.model.row_of(line.job_id, line.parent_id)
                if found is not None:
                    return max(0, min(found - y, most))
        return min(self._first, most)

    def _restructure(self) -> None:
        """Show at once what a person has done to the rows."""
        self._show(at_once=True)

    def _settle(self) -> None:
        """Show at once what still waits for its frame, before a person's key is obeyed."""
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
        """Bring the screen up to date with the rows."""
        now = self._frame_at = time.monotonic()
        if self._frame is not None:
            self._frame.stop()
            self._frame = None
        if not self.is_attached:
            return
        with self._reading():
            if self._wanted is not None:
                wanted, self._wanted = self._wanted, None
                found = self.model.reveal(wanted)
                if found is not None:
                    self._go(found, centre=True)
            first = self._new_first()
            self._moved.clear()
            before, self._lines = self._lines, self.model.window(first, self._height)
            self._first = first
            for y, line in enumerate(self._lines):
                if y >= len(before) or line != before[y]:
                    self._refresh_line(y)
            same = [line.job_id for line in self._lines] == [line.job_id for line in before]
            due_s = self._resized_at + QUIET_FRAME_S - now
            if same and not at_once and due_s > 0 and self._is_out_of_step():
                self._frame = self.set_timer(due_s, self._show, name="tree size")
            else:
                self._resize(first)

    def _is_out_of_step(self) -> bool:
        return self.model.rows != self.virtual_size.height or self._first != self.scroll_offset.y

    def _resize(self, first: int) -> None:
        self._resized_at = time.monotonic()
        was_empty = self.virtual_size.height == 0
        if self.virtual_size.height != self.model.rows:
            self.virtual_size = Size(1, self.model.rows)
        self._shown_for = (first, self.scrollable_content_region.size)
        self.scroll_to(y=first, animate=False, force=True, immediate=True)
        if was_empty or not self._lines:
            self.refresh()

    def _scroll_rows(self, first: int) -> None:
        if first != self._first or self._is_out_of_step():
            self._lines = self.model.window(first, self._height)
            self._first = first
            self._resize(first)

    # Drawing

    @property
    def _height(self) -> int:
        return max(1, self.scrollable_content_region.height)

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    def on_mount(self) -> None:
        """Load the first screen."""
        self.set_interval(_TICK_S, self._tick, name="tree clock")
        with self._reading():
            self.model.open(self.app.size.height)
            self.virtual_size = Size(1, self.model.rows)
            self._row_of_cursor()

    def notify_style_update(self) -> None:
        """Forget what was drawn in the old colours."""
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        size = self.scrollable_content_region.size
        if self._shown_for != (self.scroll_offset.y, size):
            self._look(self.scroll_offset.y, size)
        if not self.model.rows:
            return self._hint(y, size)
        if y >= len(self._lines):
            return Strip.blank(size.width, self.rich_style)
        return self._strip(self._lines[y], size.width)

    def _look(self, first: int, size: Size) -> None:
        """Take the rows that have come into view, by scrolling or because the screen has another size."""
        self._shown_for = (first, size)
        with self._reading():
            self._lines = self.model.window(first, size.height)
            self._first = first

    def _strip(self, line: Line, width: int) -> Strip:
        is_cursor = line.job_id is not None and line.job_id == self.cursor_id
        if line.job is None:
            return self._paint(row.blank(line.depth, width, self._glyphs), width, is_cursor)
        moment = row.moment(line.job, self._now_ms())
        drawn_for = (line.job.seq, width, is_cursor, line.folded, line.question, moment)
        known = self._strips.get(line.job.id)
        if known is not None and known[0] == drawn_for:
            return known[1]
        strip = self._paint(self._row(line, width), width, is_cursor)
        self.rows_drawn += 1
        if len(self._strips) > 8 * self._height:
            self._strips.clear()
        self._strips[line.job.id] = (drawn_for, strip)
        return strip

    def _row(self, line: Line, width: int) -> Row:
        if line.job is None:
            return row.blank(line.depth, width, self._glyphs)
        return row.cells(
            line.job, self._now_ms(), width, folded=line.folded, question=line.question, glyphs=self._glyphs
        )

    def _paint(self, drawn: Row, width: int, is_cursor: bool) -> Strip:
        return Strip([Segment(cell.text, self._style(cell.role, is_cursor)) for cell in drawn.cells], width)

    def _style(self, role: Role, is_cursor: bool) -> Style:
        style = self._styles.get((role, is_cursor))
        if style is None:
            style = self.get_component_rich_style(f"tree-pane--{'cursor' if is_cursor else role}")
            self._styles[role, is_cursor] = style
        return style

    def _hint(self, y: int, size: Size) -> Strip:
        """Draw a line of what is said where there are no rows."""
        sieve = self.model.sieve
        lines = _NO_JOBS if sieve is None else _NO_MATCH if sieve.done else _SEARCHING
        top, left = max(0, (size.height - len(lines)) // 2), max(0, (size.width - max(map(len, lines))) // 2)
        text = lines[y - top] if top <= y < top + len(lines) else ""
        return Strip([Segment(" " * left + text, self._style(Role.ASIDE, False))]).adjust_cell_length(
            size.width, self.rich_style
        )

    def _refresh_line(self, y: int) -> None:
        self.refresh(Region(0, y, self._width, 1))

    def _tick(self) -> None:
        """Redraw the rows whose time has moved on."""
        now_ms = self._now_ms()
        for y, line in enumerate(self._lines):
            if line.job is not None and line.job.ended_ms is None:
                drawn = self._strips.get(line.job.id)
                if drawn is not None and drawn[0][-1] != row.moment(line.job, now_ms):
                    self._refresh_line(y)

    # Reading

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Tell of a store that can not be read, and go on with what is on the screen."""
        try:
            yield
        except StoreError as error:
            self.post_message(StoreTroubled(str(error)))

    async def _search(self) -> None:
        """Let the filter look through the store, without keeping any key waiting."""
        sieve = self.model.sieve
        while sieve is not None and sieve is self.model.sieve and not sieve.done:
            before = len(sieve.matched)
            try:
                sieve.search()
            except StoreError as error:
                self.post_message(StoreTroubled(str(error)))
                await asyncio.sleep(_RETRY_S)
                continue
            if sieve.done or len(sieve.matched) > before or sieve.searched % _PROGRESS == 0:
                self._plan_frame()
                self.post_message(FilterProgressed(len(sieve.matched), sieve.searched, sieve.done))
            await asyncio.sleep(0)
