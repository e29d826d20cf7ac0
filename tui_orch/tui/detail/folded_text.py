"""The blocks of a log as rows of a screen: which are unfolded, and the oldest dropped when there are too many. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from tui_orch.tui.detail.blocks import Block
from tui_orch.tui.text.layout import Layout
from tui_orch.tui.text.line import Line, Tone, joined, line

#: Blocks and characters that are kept; when there are more, a quarter of them goes.
MOST_BLOCKS = 20_000
MOST_CHARS = 1_500_000
_FOLDED, _UNFOLDED = "▸ ", "▾ "
#: The number of the line above all blocks, which tells of what is not there.
_NOTE = -1


class Place(NamedTuple):
    """Where a row is, whatever is unfolded, added or dropped above it."""

    block: int
    nth: int  # of the block's lines
    offset: int  # in the line


class FoldedText:
    """Blocks in order, the last of which may still be unfinished. Lays them out in ``layout``."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.dropped = False  # whether some went because there were too many
        self._blocks: dict[int, Block] = {}
        self._unfolded: set[int] = set()
        self._next = 0
        self._chars = 0
        self._unfinished = False

    def clear(self) -> None:
        """Forget everything."""
        self._blocks.clear()
        self._unfolded.clear()
        self._next = self._chars = 0
        self._unfinished = self.dropped = False
        self.layout.set([])

    def note(self, text: str) -> None:
        """Say something above all blocks, "" for nothing."""
        said = [line(text, Tone.WARN)] if text else []
        if self._noted() != said:
            self.layout.replace(_NOTE, said)

    def append(self, blocks: Sequence[Block], unfinished: Block | None = None) -> None:
        """Add blocks, in place of one that was unfinished."""
        if self._unfinished:
            self._next -= 1
            self._forget(self._next)
            self.layout.replace(self._next, [])
        self._unfinished = unfinished is not None
        for block in (*blocks, unfinished):
            if block is not None:
                self._blocks[self._next] = block
                self._chars += block.chars
                self.layout.append(self._lines(self._next), self._next)
                self._next += 1
        self._trim()

    def toggle(self, number: int) -> bool:
        """Fold or unfold a block; False where it has nothing to fold."""
        block = self._blocks.get(number)
        if block is None or not block.hidden:
            return False
        self._unfolded ^= {number}
        self.layout.replace(number, self._lines(number))
        return True

    def toggle_all(self) -> None:
        """Unfold every block, or fold them where all are unfolded."""
        foldable = {number for number, block in self._blocks.items() if block.hidden}
        self._unfolded = set() if foldable <= self._unfolded else foldable
        self._lay_out()

    def unfold_with(self, wanted: str) -> None:
        """Unfold the blocks in whose hidden lines a text stands, large and small letters being alike."""
        wanted = wanted.lower()
        found = {
            number
            for number, block in self._blocks.items()
            if block.hidden and any(wanted in hidden.text.lower() for hidden in block.hidden)
        }
        if found - self._unfolded:
            self._unfolded |= found
            self._lay_out()

    def place(self, at: int, offset: int) -> Place:
        """Return where a line's character is."""
        number = self.layout.blocks[at]
        return Place(number, at - bisect_left(self.layout.blocks, number), offset)

    def place_of_row(self, y: int) -> Place | None:
        """Return where a row is; None where there is no row."""
        row = self.layout.row(y)
        return None if row is None else self.place(row.at, row.start)

    def line_at(self, place: Place) -> int | None:
        """Return which line a place is in; None where that is folded or dropped."""
        first = bisect_left(self.layout.blocks, place.block)
        return first + place.nth if first + place.nth < bisect_right(self.layout.blocks, place.block) else None

    def row_of(self, place: Place) -> int:
        """Return the row of a place, or the nearest one before it; 0 for what was dropped."""
        at = self.line_at(place)
        if at is not None:
            return self.layout.row_at(at, place.offset)
        end = bisect_right(self.layout.blocks, place.block)
        return self.layout.first_row(end - 1) if end else 0

    def _noted(self) -> list[Line]:
        return self.layout.lines[: bisect_right(self.layout.blocks, _NOTE)]

    def _lay_out(self) -> None:
        noted = self._noted()
        placed = [(number, found) for number in self._blocks for found in self._lines(number)]
        lines = [*noted, *(found for _, found in placed)]
        self.layout.set(lines, [_NOTE] * len(noted) + [number for number, _ in placed])

    def _lines(self, number: int) -> list[Line]:
        block = self._blocks[number]
        if not block.hidden:
            return list(block.shown)
        unfolded = number in self._unfolded
        shown = list(block.shown)
        head = shown[block.marked]
        shown[block.marked] = joined([(_UNFOLDED if unfolded else _FOLDED, Tone.DIM), *head.parts], head.hang)
        return [*shown, *(block.hidden if unfolded else ())]

    def _forget(self, number: int) -> None:
        self._chars -= self._blocks.pop(number).chars
        self._unfolded.discard(number)

    def _trim(self) -> None:
        if len(self._blocks) <= MOST_BLOCKS and self._chars <= MOST_CHARS:
            return
        first = next(iter(self._blocks))
        while len(self._blocks) > 1 and (len(self._blocks) > MOST_BLOCKS * 3 // 4 or self._chars > MOST_CHARS * 3 // 4):
            self._forget(first)
            first += 1
        noted = self._noted()
        self.layout.drop(first)
        self.layout.replace(_NOTE, noted)
        self.dropped = True
