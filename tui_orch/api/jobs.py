"""Jobs over HTTP: list, detail, status, results, tree, cancel. A token sees its own job and what is below it."""

from typing import Annotated

from fastapi import APIRouter, Query

from store.control import Stopped, cancel
from store.database import Reader, Transaction
from store.errors import IllegalChange
from store.states import FINAL
from store.tree import roots, subtree
from tui_orch.api import told, views
from tui_orch.api.calls import Called, JobId, JobName
from tui_orch.api.names import Named, job_named, named
from tui_orch.api.problems import documented

router = APIRouter(prefix="/jobs", tags=["jobs"])

_MOST_LINES = 5_000


@router.get("")
def list_jobs(
    call: Called,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[int | None, Query(ge=1, le=10**17, description="Only those with a lower id.")] = None,
) -> told.Jobs:
    """List the trees' root jobs, newest first; for a job's token: that job."""
    with call.stores.read() as reader:
        if call.caller.fence is not None:
            own = call.caller.job(reader, Named(call.caller.fence.job_id))
            return told.Jobs(jobs=[views.line(own)], next_before=None)
        found = roots(reader, limit, before)
    after = str(found[-1].id) if len(found) == limit else None
    return told.Jobs(jobs=[views.line(job) for job in found], next_before=after)


@router.get("/{job_id}", responses=documented(404))
def show_job(call: Called, job_id: JobId) -> told.JobDetail:
    """Show all of one job, its attempts too."""
    with call.stores.read() as reader:
        return views.detail(reader, call.caller.job(reader, Named(job_named(job_id))))


@router.get("/{job_id}/status", responses=documented(404))
def job_status(call: Called, job_id: JobName) -> told.JobStatus:
    """Tell where a job or a batch stands, with the progress of all below it."""
    wanted = named(job_id)
    with call.stores.read() as reader:
        call.caller.job(reader, wanted)
        return views.status_of(reader, wanted, call.now_ms)


@router.get("/{job_id}/results", responses=documented(404, 409))
def job_results(
    call: Called,
    job_id: JobName,
    nested: Annotated[bool, Query(description="With the ledgers of the children, and so on down.")] = False,
) -> told.Results:
    """Return what a job or a batch found that has ended, however it ended; 409 while it runs."""
    wanted = named(job_id)
    with call.stores.read() as reader:
        call.caller.job(reader, wanted)
        return views.results_of(reader, wanted, nested=nested)


@router.get("/{job_id}/tree", responses=documented(404))
def job_tree(call: Called, job_id: JobName, limit: Annotated[int, Query(ge=1, le=_MOST_LINES)] = 1_000) -> told.Subtree:
    """List a job, or a batch's jobs, with all below, every parent before its children."""
    wanted = named(job_id)
    with call.stores.read() as reader:
        tops = _tops(call.caller.job(reader, wanted).id, reader, wanted)
        found = [job for top in tops for job in subtree(reader, top, limit + 1)]
    found.sort(key=lambda job: job.id)
    return told.Subtree(jobs=[views.line(job) for job in found[:limit]], truncated=len(found) > limit)


@router.post("/{job_id}/cancel", responses=documented(404, 409))
def cancel_job(call: Called, job_id: JobName) -> told.Cancelled:
    """Cancel a job, or what is left of a batch, and all below; 409 where it has ended."""
    wanted = named(job_id)
    with call.stores.write() as tx:
        call.caller.job(tx, wanted)
        done = _cancel(tx, wanted, call.now_ms)
    return told.Cancelled(job_id=wanted.name, ended=done.ended, stopping=done.stopping)


def _tops(job_id: int, reader: Reader, wanted: Named) -> list[int]:
    return [job_id] if wanted.batch is None else [job.id for job in views.batch_jobs(reader, wanted)]


def _cancel(tx: Transaction, wanted: Named, now_ms: int) -> Stopped:
    if wanted.batch is None:
        return cancel(tx, wanted.job_id, now_ms)
    open_jobs = [job for job in views.batch_jobs(tx, wanted) if job.status not in FINAL]
    if not open_jobs:
        raise IllegalChange(f"batch {wanted.name} has ended; there is nothing to cancel")
    done = [cancel(tx, job.id, now_ms) for job in open_jobs]
    return Stopped(sum(each.ended for each in done), sum(each.stopping for each in done))
