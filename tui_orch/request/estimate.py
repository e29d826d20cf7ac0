"""What a tree may come to at worst: how many jobs, processes and dollars its limits allow. Pure arithmetic.

An upper bound, no forecast: most trees stay far below it.
"""

from dataclasses import dataclass, replace

from store.models import Limits

#: Megabytes that one worker takes at most: a `claude` process is 200 to 400 MB.
WORKER_MB = 400

_INCOMPLETE = "an estimate needs every limit but the budget"


@dataclass(frozen=True, slots=True)
class WorstCase:
    """The most that a tree's limits allow."""

    jobs: int
    processes: int  # workers at once
    memory_mb: int
    seconds: float  # of the root job, whose deadline holds for all below it
    budget_usd: float | None  # None: nothing bounds the dollars


def filled(limits: Limits, defaults: Limits) -> Limits:
    """Return ``limits`` with those of ``defaults`` where one is not given. A budget has no default."""
    names = ("max_depth", "max_jobs", "max_children", "max_workers", "max_attempts", "timeouts_s")
    return replace(limits, **{name: getattr(defaults, name) for name in names if getattr(limits, name) is None})


def levels(limits: Limits, *, children: int | None = None, items: int = 0) -> tuple[int, ...]:
    """Return how many jobs each level of a full tree has, the root's first; ``max_jobs`` is not heeded.

    ``children``: of every job (None: as many as the limits allow). ``items``: those of the root where it is a group.
    Raises ValueError where a limit that it needs is not given; see `filled`.
    """
    depth, most = limits.max_depth, limits.max_children
    if depth is None or most is None:
        raise ValueError(_INCOMPLETE)
    of_each = most if children is None else min(children, most)
    found = [1]
    for level in range(depth):
        found.append(found[-1] * (items if items and not level else of_each))
    return tuple(found)


def worst_case(limits: Limits, slots: int, *, children: int | None = None, items: int = 0) -> WorstCase:
    """Return the most that ``limits`` allow in a store with so many ``slots``; ``children`` and ``items`` as in `levels`.

    Raises ValueError where a limit but the budget is not given; see `filled`.
    """
    most, workers, timeouts_s = limits.max_jobs, limits.max_workers, limits.timeouts_s
    if most is None or workers is None or not timeouts_s:
        raise ValueError(_INCOMPLETE)
    jobs = min(most, sum(levels(limits, children=children, items=items)))
    processes = min(workers, slots, max(1, jobs - 1) if items else jobs)  # a group has no process
    return WorstCase(jobs, processes, processes * WORKER_MB, timeouts_s[0], limits.budget_usd)
