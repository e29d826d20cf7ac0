"""What a person does to a tree: cancel, retry, pause, resume, raise limits. The supervisor's timeouts cancel here too.

Decides on rows alone: processes are stopped by the supervisor, which sees ``stop_reason``.
"""

from dataclasses import dataclass

from store.budget import look_again
from store.claim import deadline
from store.database import Transaction
from store.errors import IllegalChange, NotFound
from store.finish import end_job, open_children, settle, stopped_status
from store.models import Job, Limits, Tree
from store.states import FINAL, RETRYABLE, Kind, Reason, Status
from store.submit import limit_values
from store.tree import children, get_job, get_tree, path, subtree_ids
from store.workspaces import is_merge_failure

_ASK_TO_STOP = """
UPDATE jobs SET stop_reason = ?, stop_requested_ms = ? WHERE id = ? AND (stop_reason IS NULL OR stop_reason = 'shutdown')
"""
_GIVE_UP = "UPDATE jobs SET own_status = ?, reason = ?, stop_reason = ?, stop_requested_ms = ? WHERE id = ?"
_REOPEN = """
UPDATE jobs SET status = ?1, reason = ?2, waiting_for = ?3, own_status = ?4, tries = 0,
  result = CASE WHEN ?4 IS NOT NULL THEN result END, error = CASE WHEN ?4 IS NOT NULL THEN error END,
  data = CASE WHEN ?4 IS NOT NULL THEN data END,
  delivered = 0, stop_reason = NULL, stop_requested_ms = NULL, not_before_ms = NULL, changed_ms = ?5, ended_ms = NULL,
  started_ms = ?6, deadline_ms = ?7, session_id = CASE WHEN ?8 THEN NULL ELSE session_id END
WHERE id = ?9
"""
_SET_LIMITS = """
UPDATE trees SET
  max_depth = coalesce(?, max_depth), max_jobs = coalesce(?, max_jobs), max_children = coalesce(?, max_children),
  max_workers = coalesce(?, max_workers), max_attempts = coalesce(?, max_attempts), timeouts_s = coalesce(?, timeouts_s),
  budget_usd = coalesce(?, budget_usd)
WHERE root_id = ?
"""
_GO_ON = """
UPDATE store SET paused_ms = NULL, brake_reason = NULL, brake_kind = NULL, brake_until_ms = NULL, api_strikes = 0, crash_strikes = 0
WHERE paused_ms IS NOT NULL OR brake_reason IS NOT NULL
"""
# Those that met the brake stand in the queue until it would have ended: hours, after a usage limit.
_WAIT_NO_MORE = """
UPDATE jobs SET not_before_ms = NULL
WHERE status = 'queued' AND not_before_ms IS NOT NULL AND (reason = 'usage_limit' OR reason = 'api_error')
"""
_STARTED = """
SELECT id FROM jobs WHERE root_id = ? AND status IN ('queued', 'running', 'waiting') AND started_ms IS NOT NULL ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stop of a subtree did: jobs that ended at once, and jobs whose worker is asked to end."""

    ended: int
    stopping: int


def cancel(tx: Transaction, job_id: int, now_ms: int) -> Stopped:
    """Cancel a job and all below it. Raises NotFound, or IllegalChange when it has ended."""
    job = get_job(tx, job_id)
    if job.status in FINAL:
        raise IllegalChange(f"job #{job_id} has ended ({job.status}); there is nothing to cancel")
    return stop_subtree(tx, job, Reason.CANCELLED, Reason.CANCELLED, now_ms)


def expire(tx: Transaction, job_id: int, now_ms: int) -> Stopped:
    """Fail a job whose deadline has passed, and cancel all below it."""
    return stop_subtree(tx, get_job(tx, job_id), Reason.TIMEOUT, Reason.PARENT_ENDED, now_ms)


def stop_subtree(tx: Transaction, top: Job, reason: Reason, below: Reason, now_ms: int) -> Stopped:
    """Stop ``top`` for ``reason`` and everything below it for ``below``.

    What has no process ends now; what has one is marked, and ends when its worker has.
    """
    stopping, given_up = 0, []
    for job_id in subtree_ids(tx, top.id):
        job = get_job(tx, job_id)
        if job.status in FINAL:
            continue
        why = reason if job_id == top.id else below
        if job.status is Status.RUNNING:
            stopping += tx.run(_ASK_TO_STOP, (why.value, now_ms, job_id))
            continue
        tx.run(_GIVE_UP, (stopped_status(why).value, why.value, why.value, now_ms, job_id))
        given_up.append(job_id)
    # Only now does any of them end: the end of a child settles its parent, which must know by then that it is given up.
    for job_id in reversed(given_up):  # a child's id is higher than its parent's: leaves come first
        job = get_job(tx, job_id)
        if job.status not in FINAL and not open_children(tx, job_id):
            end_job(tx, job, now_ms)
    return Stopped(sum(get_job(tx, job_id).status in FINAL for job_id in given_up), stopping)


def request_stop(tx: Transaction, job_id: int, reason: Reason, now_ms: int) -> bool:
    """Ask the worker of one running job to end; False if it was already asked."""
    return bool(tx.run(f"{_ASK_TO_STOP} AND status = 'running'", (reason.value, now_ms, job_id)))


def retry(tx: Transaction, job_id: int, now_ms: int, *, fresh: bool = False) -> tuple[int, ...]:
    """Try a job again that failed, was cancelled or is partial. Return the ids of the jobs that are queued.

    Children that failed and whose results the job has not consumed are tried first, and the job goes on when they end;
    otherwise its own work is queued, its session being resumed unless ``fresh``. Jobs above it that have ended are
    opened again and resumed with the repaired ledger. What succeeded is not run again. Raises IllegalChange when there
    is nothing to repair.
    """
    job = get_job(tx, job_id)
    if job.status not in RETRYABLE:
        raise IllegalChange(
            f"job #{job_id} is {job.status}; only a job that is failed, partial or cancelled is tried again"
        )
    tree = get_tree(tx, job.root_id)
    due_ms: int | None = None
    for above in path(tx, job_id)[:-1]:
        if above.status not in FINAL and above.stop_reason not in (None, Reason.SHUTDOWN):
            raise IllegalChange(f"job #{above.id} above job #{job_id} is being stopped; try again when it has ended")
        due_ms = _wait_again(tx, tree, above, due_ms, now_ms) if above.status in FINAL else above.deadline_ms
    return _reopen(tx, tree, job, due_ms, now_ms, fresh)


def pause(tx: Transaction, root_id: int | None, now_ms: int) -> bool:
    """Start nothing new in a tree, or with None in the whole store; what runs goes on. False if it was paused already."""
    if root_id is None:
        return bool(tx.run("UPDATE store SET paused_ms = ? WHERE paused_ms IS NULL", (now_ms,)))
    get_tree(tx, root_id)
    return bool(tx.run("UPDATE trees SET paused_ms = ? WHERE root_id = ? AND paused_ms IS NULL", (now_ms, root_id)))


def resume(tx: Transaction, root_id: int | None) -> bool:
    """Take back a pause, and for the whole store a brake too. False if there was none."""
    if root_id is None:
        if not tx.run(_GO_ON):
            return False
        tx.run(_WAIT_NO_MORE)
        return True
    get_tree(tx, root_id)
    return bool(tx.run("UPDATE trees SET paused_ms = NULL WHERE root_id = ? AND paused_ms IS NOT NULL", (root_id,)))


def set_limits(tx: Transaction, root_id: int, limits: Limits) -> Tree:
    """Change a tree's limits at once; None leaves one as it is. The deadlines of what has started move with them.

    Raises BadInput for a value out of range, NotFound.
    """
    get_tree(tx, root_id)
    tx.run(_SET_LIMITS, (*limit_values(limits), root_id))
    if limits.budget_usd is not None:
        look_again(tx, root_id)
    tree = get_tree(tx, root_id)
    due: dict[int | None, int | None] = {None: None}
    for (job_id,) in tx.rows(_STARTED, (root_id,)):
        job = get_job(tx, job_id)
        if job.parent_id not in due:
            due[job.parent_id] = get_job(tx, job.parent_id or 0).deadline_ms
        due[job_id] = deadline(tree, job, job.started_ms or 0, due[job.parent_id])
        tx.run(
            "UPDATE jobs SET deadline_ms = ? WHERE id = ? AND deadline_ms IS NOT ?",
            (due[job_id], job_id, due[job_id]),
        )
    return tree


def root_of(tx: Transaction, job_id: int) -> int:
    """Return the tree of a job, so that a person may name any of its jobs. Raises NotFound."""
    root_id = get_job(tx, job_id).root_id
    if not root_id:
        raise NotFound(f"job #{job_id} belongs to no tree; the store was changed behind its rules, see: orch doctor")
    return root_id


def _wait_again(tx: Transaction, tree: Tree, job: Job, parent_due_ms: int | None, now_ms: int) -> int:
    # A command's own work is not done again: only its children decide anew. A session is resumed with the new ledger.
    own = job.own_status.value if job.kind is Kind.COMMAND and job.own_status else None
    if own and is_merge_failure(job):
        own = Status.COMPLETED.value  # that is all that was done of it; the merge is done anew
    # Its own failure, or its cancelling, stands whatever its children come to: so does the reason of it.
    reason = job.reason if own in (Status.FAILED, Status.CANCELLED) else Reason.CHILDREN.value
    due_ms = deadline(tree, job, now_ms, parent_due_ms)
    tx.run(_REOPEN, ("waiting", reason, "children", own, now_ms, now_ms, due_ms, False, job.id))
    return due_ms


def _reopen(
    tx: Transaction, tree: Tree, job: Job, parent_due_ms: int | None, now_ms: int, fresh: bool
) -> tuple[int, ...]:
    below = children(tx, job.id)
    is_done = job.kind is Kind.GROUP and below and all(child.status is Status.COMPLETED for child in below)
    if is_done or (is_merge_failure(job) and not any(child.status in RETRYABLE for child in below)):
        # Stopped too late, or not merged: all that it had to do is done, and to queue it would do it once more.
        _wait_again(tx, tree, job, parent_due_ms, now_ms)
        return (job.id,) if settle(tx, job.id, now_ms) is Status.QUEUED else ()
    again = [child for child in below if child.status in RETRYABLE and not child.delivered]
    if again and (job.kind is not Kind.COMMAND or job.own_status is Status.COMPLETED or is_merge_failure(job)):
        due_ms = _wait_again(tx, tree, job, parent_due_ms, now_ms)
        return tuple(found for child in again for found in _reopen(tx, tree, child, due_ms, now_ms, fresh))
    tx.run(_REOPEN, ("queued", Reason.RETRY.value, None, None, now_ms, None, None, fresh, job.id))
    return (job.id,)


__all__ = [
    "Stopped",
    "cancel",
    "expire",
    "pause",
    "request_stop",
    "resume",
    "retry",
    "root_of",
    "set_limits",
    "settle",
    "stop_subtree",
]
