"""What all trees have spent, and how fast dollars go. Knows no clock but the one it is given, and no screen.

Both cost little however many trees there are: the sum is kept in parts, of which only those are read again in which a
root job has changed, and the rate follows from a few samples.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from store.errors import StoreError
from store.models import Job
from tui_orch.tui.source import Source

#: The rate is that of so many last milliseconds.
WINDOW_MS = 5 * 60_000
#: Of a shorter time no rate is told: it would jump with every result.
LEAST_MS = 30_000
#: Samples that are nearer to each other than this become one.
_APART_MS = 5_000
#: Ids of one part of the sum. Where every id is a root job's, to read a part takes 4 ms.
PART = 2_048
#: Seconds that are read at once, and between two readings while something is left, and after that.
READ_S, AGAIN_S, PERIOD_S = 0.005, 0.1, 5.0


class Spent:
    """The dollars of all trees. ``read`` gives those of the trees whose roots have ids from the first to the last.

    ``newest_id`` is that of the newest root job when this is made; later ones come by `changed`.
    """

    def __init__(self, read: Callable[[int, int], float], newest_id: int) -> None:
        self._read = read
        self._usd: dict[int, float] = {}
        self._unread = newest_id // PART  # the newest part that was never read, below which none was; -1 for none
        self._stale: set[int] = set()

    @property
    def usd(self) -> float:
        """What has been spent, as far as it is read."""
        return sum(self._usd.values())

    def changed(self, root_ids: Iterable[int]) -> None:
        """Take in that these root jobs were added or have changed."""
        self._stale.update(part for root_id in root_ids if (part := root_id // PART) > self._unread)

    def look(self, until_s: float, clock_s: Callable[[], float]) -> bool:
        """Read what is missing or has changed, until ``clock_s`` tells ``until_s``; tell whether that was all.

        Reads one part at least, so that it comes to an end. Raises what ``read`` raises, and can be asked again then.
        """
        while self._stale or self._unread >= 0:
            part = next(iter(self._stale), self._unread)
            self._usd[part] = self._read(part * PART, (part + 1) * PART - 1)
            if part in self._stale:
                self._stale.discard(part)
            else:
                self._unread -= 1
            if clock_s() >= until_s:
                break
        return not self._stale and self._unread < 0


@dataclass(frozen=True, slots=True)
class Sample:
    """What all trees had spent at a moment."""

    at_ms: int
    usd: float


def with_sample(samples: tuple[Sample, ...], new: Sample) -> tuple[Sample, ...]:
    """Return the samples with a newer one, without those that no rate needs any more: some sixty at most.

    A sample stands for all the time up to the next one, so one that tells nothing new is left out.
    """
    if samples and new.usd == samples[-1].usd:
        return samples
    if len(samples) > 1 and new.at_ms - samples[-2].at_ms < _APART_MS:
        samples = samples[:-1]
    start = new.at_ms - WINDOW_MS
    first = max((place for place, sample in enumerate(samples) if sample.at_ms <= start), default=0)
    return (*samples[first:], new)


def usd_per_minute(samples: tuple[Sample, ...], now_ms: int) -> float | None:
    """Return the dollars a minute over the last `WINDOW_MS`; None where too little time has been looked at."""
    if not samples or now_ms - samples[0].at_ms < LEAST_MS:
        return None
    start = max(now_ms - WINDOW_MS, samples[0].at_ms)
    before = max((sample for sample in samples if sample.at_ms <= start), key=lambda sample: sample.at_ms)
    return max(0.0, samples[-1].usd - before.usd) * 60_000 / (now_ms - start)


class Spending:
    """What the trees of a source have spent, and the rate. ``read`` it again after the seconds that it returns."""

    def __init__(self, source: Source, now_ms: Callable[[], int]) -> None:
        self._source = source
        self._now_ms = now_ms
        self._spent: Spent | None = None
        self._samples: tuple[Sample, ...] = ()

    @property
    def usd(self) -> float:
        """What has been spent, as far as it is read."""
        return 0.0 if self._spent is None else self._spent.usd

    @property
    def usd_per_minute(self) -> float | None:
        """The rate; None where too little time has been looked at."""
        return usd_per_minute(self._samples, self._now_ms())

    def changed(self, jobs: Iterable[Job]) -> None:
        """Take in changed jobs (see `JobsChanged`)."""
        if self._spent is not None:
            self._spent.changed(job.id for job in jobs if job.parent_id is None)

    def forget(self) -> None:
        """Read everything anew from now on: the store may be another one."""
        self._spent = None

    def read(self) -> float:
        """Read a little of what is missing or has changed; return the seconds until the next time."""
        try:
            if self._spent is None:
                newest = self._source.ids(None, limit=1)
                self._spent = Spent(self._source.spent_usd, newest[0] if newest else -1)
            if not self._spent.look(time.perf_counter() + READ_S, time.perf_counter):
                return AGAIN_S
        except StoreError:
            return PERIOD_S  # the feed tells the trouble
        self._samples = with_sample(self._samples, Sample(self._now_ms(), self._spent.usd))
        return PERIOD_S
