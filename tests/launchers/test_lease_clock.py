"""A lease never ends early, however the wall clock is set."""

import pytest

from tui_orch.supervisor.engines.lease_clock import LeaseClock


class Clocks:
    def __init__(self) -> None:
        self.wall_ms, self.steady_s = 1_000_000, 50.0

    def pass_by(self, seconds: float) -> None:
        self.wall_ms += round(seconds * 1000)
        self.steady_s += seconds


@pytest.mark.parametrize(("set_by_s", "seen_s"), [(0, 10), (29, 10), (-29, -19), (3600, 3610), (-3600, -3590)])
def test_the_earlier_clock_counts_until_the_leases_have_moved(set_by_s: int, seen_s: int) -> None:
    clocks = Clocks()
    clock = LeaseClock(lambda: clocks.wall_ms, lambda: clocks.steady_s)
    began_ms = clock()
    clocks.wall_ms += set_by_s * 1000
    clocks.pass_by(10)
    assert clock() - began_ms == seen_s * 1000
