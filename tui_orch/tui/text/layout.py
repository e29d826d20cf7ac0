"""Which row of the screen shows which piece of which line, for a given width. Pure; knows no widget.

Lines have the number of the block that they belong to, in ascending order, so that a block can be replaced or dropped.
What changes costs itself and the lines behind it, what is looked at costs its rows.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tui_orch.tui.text.line import Line, breaks


class Row(NamedTuple):
    """A row: the line's place, and which of its characters stand there, ``hang`` cells from the left."""

    at: int
    line: Line
    start: int
    end: int
    hang: int


class Layout:
    """Lines in order, wrapped to ``width`` cells."""

    def __init__(self, width: int = 80) -> None:
        self.width = width
        self.lines: list[Line] = []
        self.blocks: list[int] = []
        self._breaks: list[tuple[int, ...]] = []
        self._firsts: list[int] = []  # the first row of each line, counted from `_dropped`
        self._dropped = 0
        self._end = 0

    @property
    def rows(self) -> int:
        """How many rows all lines take."""
        return self._end - self._dropped

    def set_width(self, width: int) -> None:
        """Wrap all lines anew."""
        if width != self.width:
            self.width = width
            self.set(self.lines, self.blocks)

    def set(self, lines: Sequence[Line], blocks: Sequence[int] | None = None) -> None:
        """Hold these lines and no others."""
        self.lines, self.blocks = [], []
        self._breaks, self._firsts = [], []
        self._dropped = self._end = 0
        self.append(lines, blocks)

    def append(self, lines: Iterable[Line], blocks: Sequence[int] | int | None = None) -> None:
        """Add lines at the end, all of one block, or each of its own."""
        before = len(self.lines)
        self.lines.extend(lines)
        added = self.lines[before:]
        if isinstance(blocks, Sequence):
            self.blocks.extend(blocks)
        else:
            self.blocks.extend([blocks or 0] * len(added))
        for line in added:
            found = breaks(line.text, self.width, line.hang)
            self._breaks.append(found)
            self._firsts.append(self._end)
            self._end += 1 + len(found)

    def replace(self, block: int, lines: Sequence[Line]) -> int:
        """Put other lines where a block's lines are, or would be; return how many rows came in (less than 0: went)."""
        at, end = bisect_left(self.blocks, block), bisect_right(self.blocks, block)
        before = self.rows
        tail = (self.lines[end:], self.blocks[end:], self._breaks[end:])
        self._end = self._firsts[at] if at < len(self._firsts) else self._end
        for kept in (self.lines, self.blocks, self._breaks, self._firsts):
            del kept[at:]
        self.append(lines, block)
        self.lines += tail[0]
        self.blocks += tail[1]
        self._breaks += tail[2]
        for found in tail[2]:
            self._firsts.append(self._end)
            self._end += 1 + len(found)
        return self.rows - before

    def drop(self, below: int) -> int:
        """Forget the lines of all blocks below a number; return how many rows went."""
        count = bisect_left(self.blocks, below)
        before = self._dropped
        self._dropped = self._firsts[count] if count < len(self._firsts) else self._end
        for kept in (self.lines, self.blocks, self._breaks, self._firsts):
            del kept[:count]
        return self._dropped - before

    def row(self, y: int) -> Row | None:
        """Return what stands on row ``y``, None below the last."""
        if not 0 <= y < self.rows:
            return None
        y += self._dropped
        at = bisect_right(self._firsts, y) - 1
        found, nth = self._breaks[at], y - self._firsts[at]
        line = self.lines[at]
        start = found[nth - 1] if nth else 0
        end = found[nth] if nth < len(found) else len(line.text)
        return Row(at, line, start, end, min(line.hang, self.width // 2) if nth else 0)

    def first_row(self, at: int) -> int:
        """Return the first row of a line."""
        return self._firsts[at] - self._dropped if at < len(self._firsts) else self.rows

    def row_at(self, at: int, offset: int) -> int:
        """Return the row of a line's character."""
        return self.first_row(at) + bisect_right(self._breaks[at], offset)
