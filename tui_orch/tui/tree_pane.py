"""The tree pane: keys and mouse on the drawn tree, and what the app tells it and asks of it.

Posts `CursorMoved`, `RowOpened`, `FilterProgressed` and, when the store can not be read, `StoreTroubled`. Reads through
the model and writes nothing.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from store.errors import StoreError
from store.models import Job
from tui_orch.tui.messages import FilterProgressed, RowOpened, StoreTroubled
from tui_orch.tui.sieve import STEP
from tui_orch.tui.sorting import Sort
from tui_orch.tui.tree_canvas import TreeCanvas

#: Seconds after which a filter that could not read the store tries again.
_RETRY_S = 1.0
#: Jobs looked at by a filter between two signs of life, if it finds nothing.
_PROGRESS = 20 * STEP


class TreePane(TreeCanvas, can_focus=True, inherit_bindings=False):
    """All jobs of a source as a tree, with a cursor."""

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
    #: Whether the cursor goes to where something happens; ends when a person moves it.
    follow = False

    # What the app asks and tells

    @property
    def cursor_job(self) -> Job | None:
        """The job under the cursor, as the tree knows it."""
        return None if self.cursor_id is None else self.model.job(self.cursor_id)

    def apply(self, jobs: Collection[Job]) -> None:
        """Take in changed jobs (see `JobsChanged`) and show what of them is in view."""
        with self._changing():
            applied = self.model.apply(jobs)
            touched = self._viewport.touch(applied.touched)
            self._viewport.moved |= applied.moved
            if self.follow and jobs:
                self._wanted = max(jobs, key=lambda job: job.seq).id
            if applied.rows_changed or self._wanted is not None:
                self._plan_frame()
            self._draw_lines(touched)

    def go_to(self, job_id: int) -> bool:
        """Put the cursor on a job, unfolding what is above it; False where it is not there or filtered out."""
        with self._changing():
            found = self.model.reveal(job_id)
            if found is not None:
                self._show(at_once=True)
                self._go(found, centre=True)
                return True
        return False

    def set_sort(self, sort: Sort) -> None:
        """Sort siblings by something else."""
        with self._changing():
            self.model.set_sort(sort)
            self._show(at_once=True)

    def set_filter(self, matches: Callable[[Job], bool] | None) -> None:
        """Show only jobs that match, and those above them; all for None. Posts `FilterProgressed` as it finds them."""
        with self._changing():
            self.model.set_filter(matches)
            self._show(at_once=True)
        if matches is None:
            self.workers.cancel_group(self, "filter")
        else:
            self.run_worker(self._search(), group="filter", exclusive=True)

    def unfolded(self) -> list[int]:
        """Return the unfolded jobs, for `restore`."""
        return self.model.forest.unfolded()

    def restore(self, unfolded: Iterable[int]) -> None:
        """Unfold these jobs."""
        with self._changing():
            self.model.restore(unfolded)
            self._show(at_once=True)

    def reload(self) -> None:
        """Read everything anew, after trouble with the store; a filter ends."""
        with self._changing():
            unfolded, cursor_id = self.unfolded(), self.cursor_id
            self._painter.forget()
            self.model.open(self._height)
            self.model.restore(unfolded)
            if cursor_id is not None:
                self.model.reveal(cursor_id)
            self._show(at_once=True)

    # Keys and mouse

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave keys to others that do nothing here now: the app says why."""
        job = self.cursor_job
        match action:
            case "open":
                return self.cursor_id is not None
            case "fold":
                return job is not None and self.model.view.can_unfold(job)
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
        cursor = self._viewport.cursor
        if cursor is not None and not self._set_folded(cursor.job_id, folded=True):
            with self._changing():
                above = self.model.shown_above(cursor.parent_id)
                if above is not None:
                    self._move(lambda _: above[0])

    def action_into(self) -> None:
        """Unfold the job, or go to its first child."""
        if self.cursor_id is None or self._set_folded(self.cursor_id, folded=False):
            return
        if self.model.view.is_unfolded(self.cursor_id):
            self._move(lambda at: at + 1)

    def action_fold(self) -> None:
        """Fold or unfold the job."""
        if self.cursor_id is not None:
            self._set_folded(self.cursor_id, folded=self.model.view.is_unfolded(self.cursor_id))

    def action_unfold_all(self) -> None:
        """Unfold the job and what is below it, up to some thousand rows."""
        if self.cursor_id is not None:
            with self._changing():
                if not self.model.unfold_all(self.cursor_id):
                    self.notify("too many jobs below: unfolded the upper levels")
                self._show(at_once=True)

    def action_open(self) -> None:
        """Tell that a person wants to see the job's details."""
        if self.cursor_id is not None:
            self.post_message(RowOpened(self.cursor_id))

    def on_click(self, event: events.Click) -> None:
        """Select a row; a click on its mark folds, a double click opens."""
        self._settle()
        offset = event.get_content_offset(self)
        if offset is None or offset.y >= len(self._viewport.lines):
            return
        event.stop()
        line = self._viewport.lines[offset.y]
        if line.job_id is None:
            return
        drawn = self._painter.row(line, self._content_size.width)
        self._move(lambda _: self._viewport.first + offset.y)
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
        with self._changing():
            if self.model.fold(job_id) if folded else self.model.unfold(job_id):
                self._show(at_once=True)
                return True
        return False

    def _move(self, to: Callable[[int], int], scroll_by: int = 0) -> None:
        """Put the cursor on another row, given the one it is on."""
        self.follow = False
        with self._changing():
            self._settle()
            if self.cursor_id is not None:
                self._go(to(self._viewport.row_of_cursor()), scroll_by=scroll_by)

    # Filter

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
