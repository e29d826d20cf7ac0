"""The jobs of one tree over time, as they are read: level by level and in pages, then what changed. Knows no screen.

At most ``MOST_JOBS`` are read, those nearest to the root; ``cut`` tells that there are more.
"""

from collections.abc import Collection, Iterator

from store.timed import TimedJob
from tui_orch.tui.detail.source import TimelineSource
from tui_orch.tui.timeline import Life, in_order, life

MOST_JOBS = 3_000
#: Jobs that one read transaction returns.
PAGE = 100


class TimelineModel:
    """What is known of a tree. ``lives`` are in the order of the screen."""

    def __init__(self, source: TimelineSource, *, most: int = MOST_JOBS) -> None:
        self.root_id: int | None = None
        self.lives: list[Life] = []
        self.cut = False
        self._source = source
        self._most = most
        self._known: dict[int, Life] = {}

    def forget(self) -> None:
        """Be about no tree."""
        self.root_id = None
        self.lives, self.cut = [], False
        self._known = {}

    def load(self, root_id: int) -> Iterator[None]:
        """Read a tree, a page a step. Raises StoreError."""
        self.forget()
        self.root_id = root_id
        level = self._take(self._source.timed([root_id]))
        while level and not self.cut:
            below: list[int] = []
            for start in range(0, len(level), PAGE):
                parents = level[start : start + PAGE]
                after_id, more = 0, True
                while more and not self.cut:
                    page = self._source.timed_below(parents, PAGE, after_id)
                    below += self._take(page)
                    more = len(page) == PAGE
                    after_id = page[-1].id if page else 0
                    yield
            level = below

    def refresh(self, ids: Collection[int]) -> Iterator[None]:
        """Read these jobs again, or for the first time, a page a step. Raises StoreError."""
        wanted = sorted(ids)
        for start in range(0, len(wanted), PAGE):
            self._take(self._source.timed(wanted[start : start + PAGE]))
            yield

    def arrange(self) -> None:
        """Bring what was read into order."""
        self.lives = [] if self.root_id is None else in_order(self._known.values(), self.root_id)

    def _take(self, jobs: Collection[TimedJob]) -> list[int]:
        taken = []
        for job in jobs:
            if job.id not in self._known and len(self._known) >= self._most:
                self.cut = True
                break
            self._known[job.id] = life(job)
            taken.append(job.id)
        return taken
