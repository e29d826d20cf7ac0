"""Makes answers of the store's records: status, results, lines and details of jobs and batches. Reads only."""

from collections.abc import Sequence
from typing import Any

from store import rows
from store.database import Reader
from store.errors import IllegalChange, NotFound
from store.models import Job
from store.states import FINAL, Status
from store.tree import attempts, children, get_job, get_tree, needs_in_force
from store.use import subtree_counts
from store.workspaces import get_workspace
from tui_orch.api import told
from tui_orch.api.names import Named

#: Characters of a request that a ledger shows.
REQUEST_CHARS = 500
#: Entries of nested ledgers in one answer.
MOST_ENTRIES = 2_000


def status_of(reader: Reader, named: Named, now_ms: int) -> told.JobStatus:
    """Return where a job or a batch stands. Raises NotFound."""
    if named.batch is not None:
        return _batch_status(reader, named, now_ms)
    job = get_job(reader, named.job_id)
    return told.JobStatus(**status_values(reader, job, now_ms))


def status_values(reader: Reader, job: Job, now_ms: int) -> dict[str, Any]:
    """Return the fields of a job's status."""
    below = subtree_counts(reader, job.id)
    below[job.status] = max(0, below[job.status] - 1)
    return {
        "job_id": str(job.id),
        "status": job.status.value,
        "reason": job.reason,
        "progress": _progress(below),
        "depth": job.depth,
        "elapsed_s": _elapsed_s([job], now_ms),
        "cost_usd": job.subtree_cost_usd,
        "title": job.title,
        "open_asks": job.open_asks,
        "parent_id": _name(job.parent_id),
        "root_id": str(job.root_id),
        "activity": job.activity,
        "error": job.error,
    }


def batch_jobs(reader: Reader, named: Named) -> list[Job]:
    """Return the jobs of a batch. Raises NotFound where there is none of that number."""
    found = [job for job in children(reader, named.job_id) if job.batch == named.batch]
    if not found:
        raise NotFound(f"there is no job {named.name} here")
    return found


def batch_state(jobs: Sequence[Job]) -> Status:
    """Return what a batch is: queued until one of it has begun, then running until all have ended."""
    states = {job.status for job in jobs}
    if states <= {Status.COMPLETED}:
        return Status.COMPLETED
    if states <= {Status.CANCELLED}:
        return Status.CANCELLED
    if states <= {Status.FAILED, Status.CANCELLED}:
        return Status.FAILED
    if states <= FINAL:
        return Status.PARTIAL
    return Status.QUEUED if states == {Status.QUEUED} else Status.RUNNING


def results_of(reader: Reader, named: Named, *, nested: bool) -> told.Results:
    """Return what a job or a batch that has ended found. Raises NotFound, IllegalChange while it runs."""
    if named.batch is not None:
        jobs = batch_jobs(reader, named)
        state, top = batch_state(jobs), None
    else:
        top = get_job(reader, named.job_id)
        state, jobs = top.status, children(reader, top.id)
    if state not in FINAL:
        raise IllegalChange(
            f"job {named.name} is {state}; it has no results yet; follow it with: GET /api/v1/events?job_id={named.name}"
        )
    ledger = _Ledger(reader, nested=nested)
    entries = [ledger.entry(job) for job in jobs]
    return told.Results(
        job_id=named.name,
        status=state.value,
        reason=None if top is None else top.reason,
        result=None if top is None else top.result,
        error=None if top is None else top.error,
        data=None if top is None else sayable(top.data),
        workspace=None if top is None else work(reader, top.id),
        results=entries,
        summary=_summary(top, jobs),
        truncated=ledger.truncated,
    )


def line(job: Job) -> told.JobLine:
    """Return a job as it stands in a list."""
    return told.JobLine(**_line_values(job))


def detail(reader: Reader, job: Job) -> told.JobDetail:
    """Return all of a job."""
    return told.JobDetail(
        **_line_values(job),
        workspace=work(reader, job.id),
        request=job.request,
        argv=None if job.argv is None else list(job.argv),
        model=job.model,
        priority=job.priority,
        needs=None if (needs := needs_in_force(job, get_tree(reader, job.root_id))) is None else needs.as_json(),
        result=job.result,
        error=job.error,
        data=sayable(job.data),
        denials=sayable(list(job.denials)),
        own_cost_usd=job.cost_usd,
        session_id=job.session_id,
        attempt_list=[
            told.Attempt(
                number=each.number,
                started_ms=each.started_ms,
                ended_ms=each.ended_ms,
                host=each.host,
                lease_until_ms=each.lease_until_ms,
                outcome=each.outcome,
                reason=each.reason,
                error=each.error,
                exit_code=each.exit_code,
                session_id=each.session_id,
                cost_usd=each.usage.cost_usd,
                input_tokens=each.usage.input_tokens,
                output_tokens=each.usage.output_tokens,
                turns=each.usage.turns,
            )
            for each in attempts(reader, job.id)
        ],
    )


def work(reader: Reader, job_id: int) -> told.Work | None:
    """Return where a job's work is, None where it has no branch."""
    found = get_workspace(reader, job_id)
    if found is None:
        return None
    return told.Work(
        branch=found.branch,
        start_commit=found.start_commit,
        commit=found.head_commit,
        files=found.files,
        insertions=found.insertions,
        deletions=found.deletions,
        merged=found.is_merged,
        conflict_with=found.conflict_with,
        conflicts=[sayable(name) for name in found.conflicts],
        deleted=found.deleted_ms is not None,
    )


def sayable(value: Any) -> Any:
    """Return JSON without what JSON in UTF-8 can not say (half a UTF-16 pair, infinity), which plain SQL can bring in."""
    return None if value is None else rows.loads(rows.dumps(value))


class _Ledger:
    """Counts what it reads, so that a huge tree gives an answer of bounded size."""

    def __init__(self, reader: Reader, *, nested: bool) -> None:
        self._reader = reader
        self._nested = nested
        self._left = MOST_ENTRIES
        self.truncated = False

    def entry(self, job: Job) -> told.Entry:
        self._left -= 1
        below: list[told.Entry] | None = None
        if self._nested:
            found = children(self._reader, job.id) if self._left > 0 else []
            self.truncated = self.truncated or (self._left <= 0 and job.children > 0)
            below = [self.entry(child) for child in found]
        return told.Entry(
            job_id=str(job.id),
            title=job.title,
            kind=job.kind.value,
            status=job.status.value,
            reason=job.reason,
            request=job.request[:REQUEST_CHARS],
            result=job.result,
            error=job.error,
            data=sayable(job.data),
            cost_usd=job.subtree_cost_usd,
            attempts=job.attempt,
            denials=sayable(list(job.denials)) or None,
            workspace=work(self._reader, job.id),
            results=below,
        )


def _batch_status(reader: Reader, named: Named, now_ms: int) -> told.JobStatus:
    jobs = batch_jobs(reader, named)
    parent = get_job(reader, named.job_id)
    counts = dict.fromkeys(Status, 0)
    for job in jobs:
        for status, count in subtree_counts(reader, job.id).items():
            counts[status] += count
    return told.JobStatus(
        job_id=named.name,
        status=batch_state(jobs).value,
        reason=None,
        progress=_progress(counts),
        depth=jobs[0].depth,
        elapsed_s=_elapsed_s(jobs, now_ms),
        cost_usd=sum(job.subtree_cost_usd for job in jobs),
        title=parent.title,
        open_asks=sum(job.open_asks for job in jobs),
        parent_id=str(parent.id),
        root_id=str(parent.root_id),
        activity=None,
        error=None,
    )


def _summary(top: Job | None, jobs: Sequence[Job]) -> told.Summary:
    counted = jobs if jobs or top is None else [top]
    states = [job.status for job in counted]
    timed = jobs if top is None else [top]
    return told.Summary(
        total_tasks=len(counted),
        successful_tasks=states.count(Status.COMPLETED),
        failed_tasks=states.count(Status.FAILED) + states.count(Status.CANCELLED),
        partial_tasks=states.count(Status.PARTIAL),
        cost_usd=sum(job.subtree_cost_usd for job in timed),
        duration_s=_elapsed_s(timed, 0),
    )


def _elapsed_s(jobs: Sequence[Job], now_ms: int) -> float:
    begun = [job.started_ms for job in jobs if job.started_ms is not None]
    if not begun:
        return 0.0
    ends = [job.ended_ms for job in jobs if job.ended_ms is not None]
    end_ms = max(ends) if len(ends) == len(jobs) else now_ms
    return max(0, end_ms - min(begun)) / 1000


def _progress(counts: dict[Status, int]) -> told.Progress:
    return told.Progress(total=sum(counts.values()), **{status.value: count for status, count in counts.items()})


def _line_values(job: Job) -> dict[str, Any]:
    return {
        "job_id": str(job.id),
        "parent_id": _name(job.parent_id),
        "root_id": str(job.root_id),
        "depth": job.depth,
        "batch": None if job.parent_id is None or job.batch is None else Named(job.parent_id, job.batch).name,
        "kind": job.kind.value,
        "title": job.title,
        "status": job.status.value,
        "reason": job.reason,
        "activity": job.activity,
        "cost_usd": job.subtree_cost_usd,
        "tokens": job.subtree_tokens,
        "attempts": job.attempt,
        "children": job.children,
        "open_children": job.open_children,
        "open_asks": job.open_asks,
        "created_ms": job.created_ms,
        "started_ms": job.started_ms,
        "ended_ms": job.ended_ms,
        "deadline_ms": job.deadline_ms,
        "seq": job.seq,
    }


def _name(job_id: int | None) -> str | None:
    return None if job_id is None else str(job_id)
