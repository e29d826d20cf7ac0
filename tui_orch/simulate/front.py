"""The first few of very many things that are in some order: what an index with a LIMIT is to a table."""

from bisect import bisect_left, insort
from heapq import heappop, heappush

Key = tuple[int, ...]


class Front:
    """Keys that end in an id, so no two are the same. ``first`` is kept sorted; the rest is only known to come later."""

    def __init__(self, width: int) -> None:
        self._width = width
        self.first: list[Key] = []
        self._rest: list[Key] = []
        self._gone: set[Key] = set()  # of the rest, taken out already

    def __len__(self) -> int:
        return len(self.first) + len(self._rest) - len(self._gone)

    def add(self, key: Key) -> bool:
        """Put one in. Tell whether the first ones are others now."""
        if len(self.first) < self._width:
            insort(self.first, key)
            return True
        if key > self.first[-1]:
            heappush(self._rest, key)
            return False
        heappush(self._rest, self.first.pop())
        insort(self.first, key)
        return True

    def remove(self, key: Key) -> bool:
        """Take out one that is in. Tell whether the first ones are others now."""
        place = bisect_left(self.first, key)
        if place == len(self.first) or self.first[place] != key:
            self._gone.add(key)
            return False
        del self.first[place]
        while self._rest:
            following = heappop(self._rest)
            if following not in self._gone:
                self.first.append(following)
                break
            self._gone.remove(following)
        return True
