"""How many rows each block of a long sequence takes, and which block a row falls in, both in O(log n). Pure.

A Fenwick tree over the counts. It is made anew, in O(n), after blocks have come or gone, which is seldom: a block
splits once in some hundred insertions.
"""

from collections.abc import Iterable


class RowCounts:
    """A sequence of counts with fast sums."""

    __slots__ = ("_counts", "_sums", "total")

    def __init__(self, counts: Iterable[int] = ()) -> None:
        self._counts = list(counts)
        self._sums: list[int] | None = None  # None: to be made when it is needed
        self.total = sum(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def __getitem__(self, index: int) -> int:
        return self._counts[index]

    def add(self, index: int, change: int) -> None:
        """Change one count."""
        self._counts[index] += change
        self.total += change
        if self._sums is not None:
            place = index + 1
            while place <= len(self._counts):
                self._sums[place] += change
                place += place & -place

    def splice(self, start: int, stop: int, counts: Iterable[int]) -> None:
        """Put ``counts`` in the place of those from ``start`` up to ``stop``."""
        self._counts[start:stop] = counts
        self._sums = None
        self.total = sum(self._counts)

    def before(self, index: int) -> int:
        """Return the sum of the counts before ``index``."""
        sums, found = self._made(), 0
        while index:
            found += sums[index]
            index -= index & -index
        return found

    def find(self, row: int) -> tuple[int, int]:
        """Return the index of the count that ``row`` (from 0, less than ``total``) falls in, and the rest within it."""
        sums, index, rest = self._made(), 0, row
        step = 1 << len(self._counts).bit_length()
        while step:
            if index + step <= len(self._counts) and sums[index + step] <= rest:
                index += step
                rest -= sums[index]
            step >>= 1
        return index, rest

    def _made(self) -> list[int]:
        if self._sums is None:
            sums = [0, *self._counts]
            for index in range(1, len(sums)):
                above = index + (index & -index)
                if above < len(sums):
                    sums[above] += sums[index]
            self._sums = sums
        return self._sums
