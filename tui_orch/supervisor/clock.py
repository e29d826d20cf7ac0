"""Tells when somebody has set the wall clock, or the machine was suspended: what is due was meant in time that passes here.

Deadlines stand in the store in wall-clock time, so that they outlive the supervisor. A clock set a day ahead must not end
every job as too late, and one set an hour back must not give each an hour more. Changes nothing itself.
"""

from collections.abc import Callable

#: Seconds by which the wall clock may drift from the steady one before it counts as set. Time servers correct less.
JUMP_S = 30.0


class JumpWatch:
    """Compares a wall clock (ms) with a steady one (s)."""

    def __init__(self, wall_ms: Callable[[], int], steady_s: Callable[[], float]) -> None:
        self._wall_ms = wall_ms
        self._steady_s = steady_s
        self._offset_ms = self._measure()

    def jumped_ms(self) -> int:
        """Return by how much the wall clock was set since the last call (ms; negative: back), 0 if it was not."""
        offset_ms = self._measure()
        jump_ms = offset_ms - self._offset_ms
        if abs(jump_ms) < JUMP_S * 1000:
            return 0
        self._offset_ms = offset_ms
        return jump_ms

    def _measure(self) -> int:
        return self._wall_ms() - round(self._steady_s() * 1000)
