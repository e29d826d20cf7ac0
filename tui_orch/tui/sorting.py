"""The orders in which siblings can stand, and a job's place in each. Pure, and without the time: a place in an order
changes only when the job changes, so rows do not wander while nothing happens.
"""

from enum import Enum
from typing import TypeAlias

from store.models import Job
from store.states import FINAL, Status

Key: TypeAlias = tuple[float, float]


class Sort(Enum):
    """What siblings are sorted by; equal ones stand as in ``ID``."""

    ID = "id"  # children oldest first, root jobs newest first
    STATE = "state"  # what asks a person, failed, partial, running, waiting, queued, cancelled, completed
    COST = "cost"  # the most expensive subtree first
    ELAPSED = "elapsed"  # what is under way, longest first; then what has ended, longest first; then the rest
    ACTIVITY = "activity"  # where something happened last first


_STATES = (
    Status.FAILED,
    Status.PARTIAL,
    Status.RUNNING,
    Status.WAITING,
    Status.QUEUED,
    Status.CANCELLED,
    Status.COMPLETED,
)
_ASKS = -1.0


def key(job: Job, sort: Sort) -> Key:
    """Return what ``job`` is compared by with its siblings; the smallest stands first."""
    match sort:
        case Sort.STATE:
            asks = job.open_asks > 0 and job.status not in FINAL
            return (_ASKS if asks else float(_STATES.index(job.status)), 0.0)
        case Sort.COST:
            return (-job.subtree_cost_usd, 0.0)
        case Sort.ELAPSED:
            if job.started_ms is None:
                return (2.0, 0.0)
            if job.ended_ms is None:
                return (0.0, float(job.started_ms))
            return (1.0, float(job.started_ms - job.ended_ms))
        case Sort.ACTIVITY:
            return (-float(max(job.activity_ms or 0, job.changed_ms)), 0.0)
        case Sort.ID:
            return (0.0, 0.0)
