"""Retry of all that failed below a job at once: the leaves alone, so that what succeeded is not run again."""

from collections.abc import Callable

from store.control import retry
from store.database import Reader, Transaction
from store.errors import IllegalChange
from store.models import Job
from store.states import RETRYABLE, Status
from store.tree import children, get_job


def failed_leaves(reader: Reader, job_id: int) -> list[int]:
    """Return the ids of the jobs that failed or were cancelled, the job itself or below it, with no such job below them."""
    return [leaf.id for leaf in _failed(get_job(reader, job_id), lambda parent_id: children(reader, parent_id))]


def retry_failed(tx: Transaction, job_id: int, now_ms: int, *, fresh: bool = False) -> tuple[int, ...]:
    """Try the failed leaves of a subtree again; the jobs above them are resumed with the repaired ledger.

    Return what is queued. Raises NotFound, IllegalChange where nothing has failed.
    """
    leaves = failed_leaves(tx, job_id)
    if not leaves:
        raise IllegalChange(f"nothing at or below #{job_id} has failed or was cancelled")
    queued: list[int] = []
    for leaf in leaves:
        # A retry opens the jobs above; one that was queued by an earlier one of this list needs no other.
        if get_job(tx, leaf).status in RETRYABLE:
            queued += retry(tx, leaf, now_ms, fresh=fresh)
    return tuple(queued)


def _failed(job: Job, children_of: Callable[[int], list[Job]]) -> list[Job]:
    if job.status is Status.COMPLETED:
        return []  # so did all below it
    below = [leaf for child in children_of(job.id) for leaf in _failed(child, children_of)]
    if below:
        return below
    return [job] if job.status in (Status.FAILED, Status.CANCELLED) else []
