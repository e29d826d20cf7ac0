"""The clock by which leases are seen to end: never early, also where somebody has set the wall clock a little ahead.

Leases stand in the store by the wall clock. One that is set by half a minute or more moves them (``supervisor.clock``,
``store.clock_jump``); one that is set ahead by less would end them early, while their workers, who count for themselves, live.
"""

import time
from collections.abc import Callable

from tui_orch.supervisor.clock import JUMP_S


class LeaseClock:
    """Call it for the time in ms since 1970, UTC. It lags behind a wall clock that has run ahead of the steady one."""

    def __init__(
        self,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall_ms = wall_ms
        self._steady_s = steady_s
        self._ahead_ms = wall_ms() - round(steady_s() * 1000)

    def __call__(self) -> int:
        """Return the earlier of the two clocks."""
        wall_ms, steady_ms = self._wall_ms(), round(self._steady_s() * 1000)
        if abs(wall_ms - steady_ms - self._ahead_ms) >= JUMP_S * 1000:
            self._ahead_ms = wall_ms - steady_ms  # the leases have moved with it
        return min(wall_ms, steady_ms + self._ahead_ms)
