"""How often a caller may call: a bucket of tokens for each, and one for all who have not said who they are. Pure but for its clock."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

#: Calls a second that go on and on, and how many may come at once.
PER_SECOND = 50.0
BURST = 200
#: Buckets that are kept before the full ones are let go.
_MOST_BUCKETS = 1_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


class Rates:
    """For one event loop: it is not locked."""

    def __init__(
        self, per_second: float = PER_SECOND, burst: int = BURST, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock_s = clock_s
        self._buckets: dict[str, _Bucket] = {}

    def take(self, caller: str) -> int:
        """Count a call of this caller. Return 0 if it may go on, else after how many seconds to try again."""
        now_s = self._clock_s()
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets = {
                name: found for name, found in self._buckets.items() if self._fill(found, now_s) < self._burst
            }
        bucket = self._buckets.setdefault(caller, _Bucket(self._burst, now_s))
        bucket.tokens, bucket.at_s = self._fill(bucket, now_s), now_s
        if bucket.tokens < 1:
            return math.ceil((1 - bucket.tokens) / self._per_second)
        bucket.tokens -= 1
        return 0

    def _fill(self, bucket: _Bucket, now_s: float) -> float:
        return min(self._burst, bucket.tokens + (now_s - bucket.at_s) * self._per_second)
