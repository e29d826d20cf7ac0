"""Which rows are on the screen and where the cursor is, and how both stay put while rows come and go. No Textual here.

The cursor stays on its job, and its row on its line of the screen, whatever is inserted above. A view that rests at the
very top lets new rows in above the cursor, as long as the cursor stays on the screen.
"""

from collections.abc import Collection
from typing import NamedTuple

from tui_orch.tui.tree_model import Line, TreeModel


class Place(NamedTuple):
    """A job, to be found among its siblings."""

    job_id: int
    parent_id: int | None


class Viewport:
    """A window of ``height`` rows on a model."""

    def __init__(self, model: TreeModel) -> None:
        self.model = model
        self.height = 1
        self.lines: list[Line] = []
        self.first = 0  # the row of the first line
        self.cursor: Place | None = None
        self.moved: set[int] = set()  # jobs that stand elsewhere since `keep`: no hold for the view
        self._cursor_row = 0  # where it was last seen

    @property
    def last_first(self) -> int:
        """The lowest row that can be the first line."""
        return max(0, self.model.rows - self.height)

    def look(self, first: int) -> list[int]:
        """Show the rows from ``first`` on. Return the lines that are not as they were."""
        before, self.lines = self.lines, self.model.window(first, self.height)
        self.first = first
        return [y for y, line in enumerate(self.lines) if y >= len(before) or line != before[y]]

    def keep(self) -> list[int]:
        """Bring the lines up to date, with what a person looks at in its place. Return the lines that changed."""
        changed = self.look(self._kept_first())
        self.moved.clear()
        return changed

    def touch(self, job_ids: Collection[int]) -> list[int]:
        """Take in what is new of these jobs' own rows. Return the lines that changed."""
        touched = [y for y, line in enumerate(self.lines) if line.job_id in job_ids]
        for y in touched:
            self.lines[y] = self.model.again(self.lines[y])
        return touched

    def go(self, to: int, *, scroll_by: int = 0, centre: bool = False) -> None:
        """Put the cursor on a row, and scroll as little as shows it (or so far, or until it is in the middle)."""
        to = max(0, min(to, self.model.rows - 1))
        first = self.first + scroll_by
        if not first <= to < first + self.height:
            first = to - self.height // 2 if centre else min(max(first, to - self.height + 1), to)
        lines = self.model.window(to, 1)
        if lines and lines[0].job_id is not None:
            self.cursor, self._cursor_row = Place(lines[0].job_id, lines[0].parent_id), to
            self.look(max(0, min(first, self.last_first)))

    def row_of_cursor(self) -> int:
        """Return the cursor's row, after putting it on one if its own is gone: the job above, or the same row."""
        if self.cursor is not None:
            found = self.model.row_of(*self.cursor)
            above = None if found is not None else self.model.shown_above(self.cursor.parent_id)
            if above is not None:
                found, self.cursor = above[0], Place(*above[1:])
            if found is not None:
                self._cursor_row = found
                return found
        at = max(0, min(self._cursor_row, self.model.rows - 1))
        lines = self.model.window(at, 1)
        job_id = lines[0].job_id if lines else None
        self.cursor = None if job_id is None else Place(job_id, lines[0].parent_id)
        self._cursor_row = at
        return at

    def _kept_first(self) -> int:
        at = self.row_of_cursor()
        if self.first == 0 and at < self.height:
            return 0
        holds = [line for line in self.lines if self.cursor is not None and line.job_id == self.cursor.job_id]
        for line in (*holds, *self.lines):
            if line.job_id is not None and line.job_id not in self.moved:
                found = self.model.row_of(line.job_id, line.parent_id)
                if found is not None:
                    return max(0, min(found - self.lines.index(line), self.last_first))
        return min(self.first, self.last_first)
