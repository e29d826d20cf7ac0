"""The worst case of a tree is what its limits allow, and no more."""

import pytest

from store.models import Limits
from tui_orch.request.estimate import WORKER_MB, filled, levels, worst_case

DEFAULTS = Limits(3, 200, 20, 5, 2, (3600.0, 1200.0))


def worst_jobs(depth: int, children: int, most: int) -> int:
    return worst_case(Limits(depth, most, children, 5, 2, (60.0,)), 8).jobs


def test_five_children_and_three_levels_are_156_jobs() -> None:
    """1 + 5 + 25 + 125."""
    assert worst_jobs(3, 5, 1_000) == 156


@pytest.mark.parametrize(
    ("depth", "children", "most", "jobs"),
    [(0, 20, 200, 1), (1, 20, 200, 21), (5, 1, 200, 6), (3, 20, 200, 200), (5, 1_000, 9, 9)],
)
def test_jobs_are_bounded_by_levels_children_and_max_jobs(depth: int, children: int, most: int, jobs: int) -> None:
    assert worst_jobs(depth, children, most) == jobs


def test_processes_are_bounded_by_workers_slots_and_jobs() -> None:
    """And each takes its memory."""
    limits = Limits(3, 200, 20, 5, 2, (3600.0, 60.0), 12.5)
    worst = worst_case(limits, slots=3)
    assert (worst.processes, worst.memory_mb, worst.seconds, worst.budget_usd) == (3, 3 * WORKER_MB, 3600.0, 12.5)
    assert worst_case(limits, slots=100).processes == 5
    assert worst_case(Limits(0, 200, 20, 5, 2, (60.0,)), slots=8).processes == 1


def test_what_is_not_given_is_filled_from_the_defaults() -> None:
    """A budget has none."""
    assert filled(Limits(max_children=5, budget_usd=1.0), DEFAULTS) == Limits(3, 200, 5, 5, 2, (3600.0, 1200.0), 1.0)
    assert filled(Limits(max_depth=0), DEFAULTS).max_depth == 0


def test_an_estimate_without_a_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="every limit"):
        worst_case(Limits(), 8)


def test_children_that_are_counted_with_stay_within_the_limit() -> None:
    """The root of a group has its items, whatever is counted with."""
    limits = Limits(3, 1_000, 4, 5, 2, (60.0,))
    assert levels(limits) == (1, 4, 16, 64)
    assert levels(limits, children=9) == levels(limits)
    assert levels(limits, children=2, items=3) == (1, 3, 6, 12)
    assert worst_case(limits, 8, children=2, items=3).jobs == 22


def test_a_group_has_no_process_of_its_own() -> None:
    assert worst_case(Limits(1, 200, 20, 5, 2, (60.0,)), 8, items=3).processes == 3
