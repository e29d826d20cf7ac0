"""What a tree may come to at worst: how many jobs, processes and dollars its limits allow. Pure arithmetic.

An upper bound, no forecast: most trees stay far below it.
"""

from dataclasses import dataclass, replace

from store.models import Limits

#: Megabytes that one worker takes at most: a `claude` process is 200 to 400 MB.
WORKER_MB = 400


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


def worst_case(limits: Limits, slots: int) -> WorstCase:
    """Return the most that ``limits`` allow in a store with so many ``slots``.

    Raises ValueError where a limit but the budget is not given; see `filled`.
    """
    depth, most, children = limits.max_depth, limits.max_jobs, limits.max_children
    workers, timeouts_s = limits.max_workers, limits.timeouts_s
    if depth is None or most is None or children is None or workers is None or not timeouts_s:
        raise ValueError("an estimate needs every limit but the budget")
    jobs = min(most, sum(children**level for level in range(depth + 1)))
    processes = min(workers, slots, jobs)
    return WorstCase(jobs, processes, processes * WORKER_MB, timeouts_s[0], limits.budget_usd)
