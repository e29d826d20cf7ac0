"""What a simulation finds: times, peaks, and what the decisions cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Peak:
    """The most at any one moment, each at its own."""

    workers: int
    waiting_sessions: int  # parents of kind claude whose children are open; they hold no process
    memory_mb: int
    queued: int
    alive_if_parents_stayed: int  # workers and waiting sessions: the processes of a design in which parents wait inside


@dataclass(frozen=True, slots=True)
class Cost:
    """What decisions took with from ``queued`` (a power of ten; 0 = none) queued jobs in from ``trees`` trees."""

    queued: int
    trees: int
    decisions: int
    mean_us: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Times are of the virtual clock. ``costs`` are of the real one, and no part of what makes two runs the same."""

    jobs: int
    ended: Mapping[str, int]  # by status
    makespan_s: float
    work_s: float  # all that workers did, failed tries too
    longest_path_s: float  # jobs that had to be one after the other
    ideal_s: float  # no order can be faster: the work over the slots, or the longest path
    peaks: Peak
    costs: tuple[Cost, ...] = field(compare=False)

    @property
    def times_ideal(self) -> float:
        """Return how many times as long as possible it took."""
        return self.makespan_s / self.ideal_s if self.ideal_s else 1.0

    @property
    def decisions(self) -> int:
        """Return how often ``plan`` was asked."""
        return sum(cost.decisions for cost in self.costs)

    @property
    def decision_us(self) -> float:
        """Return what one took on average."""
        return sum(cost.decisions * cost.mean_us for cost in self.costs) / max(1, self.decisions)


class Peaks:
    """The most seen so far."""

    def __init__(self) -> None:
        self._most = [0, 0, 0, 0, 0]

    def queued(self, jobs: int) -> None:
        """Look before anything is launched."""
        self._most[3] = max(self._most[3], jobs)

    def look(self, workers: int, waiting: int, memory_mb: int) -> None:
        """Look after it."""
        most = self._most
        most[0] = max(most[0], workers)
        most[1] = max(most[1], waiting)
        most[2] = max(most[2], memory_mb)
        most[4] = max(most[4], workers + waiting)

    def found(self) -> Peak:
        """Return it."""
        return Peak(*self._most)


class Costs:
    """What decisions took, by how much there was to decide on."""

    def __init__(self) -> None:
        self._sums: dict[tuple[int, int], list[int]] = {}

    def add(self, queued: int, trees: int, took_ns: int) -> None:
        """Count one."""
        sums = self._sums.setdefault((_magnitude(queued), _magnitude(trees)), [0, 0])
        sums[0] += 1
        sums[1] += took_ns

    def rows(self) -> tuple[Cost, ...]:
        """Return the averages, from little to much."""
        return tuple(
            Cost(queued, trees, count, took_ns / count / 1000)
            for (queued, trees), (count, took_ns) in sorted(self._sums.items())
        )


def _magnitude(count: int) -> int:
    return 10 ** (len(str(count)) - 1) if count else 0
