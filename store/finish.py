"""How attempts and jobs end: finish, suspend, release, and the settling of the jobs above, in the same transaction.

An attempt ends once; its fence decides. A job ends when its own work and all its children have; the jobs above that
wait for it are queued or ended here, not by whoever looks next.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Literal

from store.claim import require_running
from store.database import Transaction
from store.models import Fence, Job, Outcome, Usage
from store.rollup import roll_up
from store.rows import dumps, storable
from store.states import FINAL, Kind, Reason, Status
from store.tree import get_job, get_tree
from store.workspaces import is_merge_alone, needs_merge

_END_ATTEMPT = """
UPDATE attempts SET ended_ms = ?, outcome = ?, reason = ?, error = ?, exit_code = ?, session_id = coalesce(?, session_id),
  cost_usd = ?, input_tokens = ?, output_tokens = ?, cache_read_tokens = ?, cache_write_tokens = ?, turns = ?, session_cost_usd = ?
WHERE job_id = ? AND number = ? AND ended_ms IS NULL
"""
_OWN_RESULT = """
UPDATE jobs SET own_status = ?, reason = ?, result = ?, error = ?, data = ?, denials = ?, session_id = coalesce(?, session_id) WHERE id = ?
"""
_GIVEN_UP = "UPDATE jobs SET own_status = ?, reason = ?, error = coalesce(?, error) WHERE id = ?"
_MOVE = """
UPDATE jobs SET status = ?, reason = ?, waiting_for = ?, changed_ms = ?, ended_ms = ?, lending = 0, wants_slot = 0,
  not_before_ms = NULL
WHERE id = ?
"""
_REQUEUE = """
UPDATE jobs SET status = 'queued', reason = ?, error = ?, tries = ?, not_before_ms = ?, changed_ms = ?, waiting_for = NULL,
  lending = 0, wants_slot = 0, stop_reason = NULL, stop_requested_ms = NULL, session_id = coalesce(?, session_id)
WHERE id = ?
"""
_SUSPENDED = """
UPDATE jobs SET session_id = coalesce(?, session_id), tries = 0, stop_reason = NULL, stop_requested_ms = NULL WHERE id = ?
"""
# Shorter lists than four values in IN (...): a longer one builds a table each time.
_OPEN_CHILDREN = (
    "SELECT count(*) FROM jobs WHERE parent_id = ? AND (status IN ('queued', 'running') OR status = 'waiting')"
)
_CLAIMED = "SELECT claimed_ms FROM attempts WHERE job_id = ? AND number = ?"
_CHILD_STATES = "SELECT status FROM jobs WHERE parent_id = ?"
_DELIVERED = "UPDATE jobs SET delivered = 1 WHERE id = ? AND parent_id = ? AND status IN ('completed', 'partial', 'failed', 'cancelled')"

#: The longest pause before a next try, unless the first one is longer by the person's own setting.
LONGEST_BACK_OFF_MS = 600_000
_MOST_DOUBLINGS = 30
#: What a stop makes of the job that was stopped; any other reason cancels it.
_STOPPED_IS_FAILED = frozenset({Reason.TIMEOUT, Reason.BUDGET})


def back_off_ms(base_ms: int, tries: int) -> int:
    """Return the pause before the next try after so many that failed: it doubles, up to ten minutes."""
    return min(base_ms << min(tries, _MOST_DOUBLINGS), max(base_ms, LONGEST_BACK_OFF_MS))


def finish(tx: Transaction, fence: Fence, outcome: Outcome, now_ms: int, delivered: Collection[int] = ()) -> Status:
    """End an attempt whose job's own work is over. Return the job's state then.

    A failure that may be tried again queues the job with back-off while it has tries left. With children still open the
    job waits for them with its own result kept. A stop that was asked for decides over anything but a success. Raises
    StaleAttempt.
    """
    job = require_running(tx, fence)
    _end_attempt(tx, fence, _label(outcome), outcome, now_ms)
    _deliver(tx, fence, delivered)
    if is_merge_alone(job):
        return _finish_merge(tx, job, outcome, now_ms)
    status, reason = outcome.status, outcome.reason
    stop_reason = _stop_reason(job)
    if stop_reason and status is not Status.COMPLETED:
        status, reason = stopped_status(stop_reason), stop_reason
    elif status is Status.FAILED and outcome.retry and _may_retry(tx, job):
        return _retry_later(tx, job, outcome, now_ms)
    tx.run(
        _OWN_RESULT,
        (
            status.value,
            reason,
            storable(outcome.result),
            storable(outcome.error),
            dumps(outcome.data),
            dumps([*job.denials, *outcome.denials]),
            outcome.session_id,
            job.id,
        ),
    )
    if open_children(tx, job.id):
        _move(tx, job.id, Status.WAITING, reason or Reason.CHILDREN, now_ms, waiting_for="children")
        return Status.WAITING
    return end_job(tx, get_job(tx, job.id), now_ms)


def _finish_merge(tx: Transaction, job: Job, outcome: Outcome, now_ms: int) -> Status:
    """End an attempt that merged what the children had committed: the job's own result, which it had before, stays."""
    stop_reason = _stop_reason(job)
    if stop_reason and outcome.status is not Status.COMPLETED:
        tx.run(_GIVEN_UP, (stopped_status(stop_reason).value, stop_reason, None, job.id))
    elif outcome.status is not Status.COMPLETED:
        if outcome.retry and _may_retry(tx, job):
            return _retry_later(tx, job, outcome, now_ms)
        tx.run(_GIVEN_UP, (Status.FAILED.value, outcome.reason, storable(outcome.error), job.id))
    if open_children(tx, job.id):
        _move(tx, job.id, Status.WAITING, Reason.CHILDREN, now_ms, waiting_for="children")
        return Status.WAITING
    return _end(tx, get_job(tx, job.id), now_ms)


def suspend(
    tx: Transaction,
    fence: Fence,
    waiting_for: Literal["children", "ask"],
    session_id: str | None,
    usage: Usage,
    now_ms: int,
    delivered: Collection[int] = (),
) -> Status:
    """End an attempt whose job waits without a process. Return the job's state: waiting, or already queued again.

    Raises StaleAttempt.
    """
    job = require_running(tx, fence)
    if _stop_reason(job):
        return finish(tx, fence, Outcome(Status.CANCELLED, session_id=session_id, usage=usage), now_ms, delivered)
    _end_attempt(
        tx,
        fence,
        "suspended",
        Outcome(Status.COMPLETED, waiting_for, session_id=session_id, usage=usage),
        now_ms,
    )
    _deliver(tx, fence, delivered)
    tx.run(_SUSPENDED, (session_id, job.id))
    _move(tx, job.id, Status.WAITING, Reason(waiting_for), now_ms, waiting_for=waiting_for)
    return settle(tx, job.id, now_ms)


def release(
    tx: Transaction,
    fence: Fence,
    reason: str,
    now_ms: int,
    *,
    error: str | None = None,
    session_id: str | None = None,
    usage: Usage | None = None,
    not_before_ms: int | None = None,
    delivered: Collection[int] = (),
) -> Status:
    """End an attempt that could not go on through no fault of the job: it is queued again and no try is used up.

    But a command that was at work and has children fails: run again, it would spawn them once more. Raises
    StaleAttempt.
    """
    job = require_running(tx, fence)
    ending = Outcome(Status.CANCELLED, reason, error=error, session_id=session_id, usage=usage or Usage())
    if _stop_reason(job):
        return finish(tx, fence, ending, now_ms, delivered)
    if _spawns_again(job) and tx.value(_CLAIMED, (fence.job_id, fence.attempt)):
        said = error or "its worker was stopped after it had spawned children; a person runs it again: orch retry"
        return finish(tx, fence, replace(ending, status=Status.FAILED, error=said, retry=False), now_ms, delivered)
    _end_attempt(tx, fence, "released", ending, now_ms)
    _deliver(tx, fence, delivered)
    tx.run(_REQUEUE, (reason, storable(error), job.tries, not_before_ms, now_ms, session_id, job.id))
    return Status.QUEUED


def settle(tx: Transaction, job_id: int, now_ms: int) -> Status:
    """Move a waiting job on if what it waits for has come: queue it, or end it. Return its state.

    Also serves changes that came in by plain SQL, when the supervisor finds them.
    """
    job = get_job(tx, job_id)
    if job.status is Status.QUEUED and job.stop_reason and not open_children(tx, job_id):
        return end_job(tx, job, now_ms)
    if job.status is not Status.WAITING:
        return job.status
    if job.own_status is not None or job.kind is Kind.GROUP:
        return job.status if open_children(tx, job_id) else end_job(tx, job, now_ms)
    open_things = job.open_asks if job.waiting_for == "ask" else open_children(tx, job_id)
    if open_things:
        return job.status
    tx.run(_REQUEUE, (Reason.RESUME.value, job.error, job.tries, None, now_ms, None, job_id))
    return Status.QUEUED


def end_job(tx: Transaction, job: Job, now_ms: int) -> Status:
    """End a job whose own work and children are over, then settle the jobs above it. Return its state.

    It is final, or queued: with worktrees, what the children have committed is merged first.
    """
    if needs_merge(tx, job):
        tx.run(_REQUEUE, (Reason.MERGE.value, job.error, job.tries, None, now_ms, None, job.id))
        return Status.QUEUED
    return _end(tx, job, now_ms)


def _end(tx: Transaction, job: Job, now_ms: int) -> Status:
    states = [Status(row[0]) for row in tx.rows(_CHILD_STATES, (job.id,))]
    status, reason = roll_up(job.own_status, states)
    _move(tx, job.id, status, reason or _own_reason(job, status), now_ms, ended_ms=now_ms)
    if job.parent_id is not None:
        settle(tx, job.parent_id, now_ms)
    return status


def fail_unstarted(tx: Transaction, job_id: int, reason: str, error: str, now_ms: int) -> Status:
    """Fail a queued job that can not be started as it stands; one that is not queued any more stays as it is."""
    failed = tx.run(
        "UPDATE jobs SET own_status = 'failed', error = ?, reason = ? WHERE id = ? AND status = 'queued'",
        (error, reason, job_id),
    )
    job = get_job(tx, job_id)
    if not failed:
        return job.status
    if open_children(tx, job_id):
        tx.run("UPDATE jobs SET stop_reason = ?, stop_requested_ms = ? WHERE id = ?", (reason, now_ms, job_id))
        return job.status
    return end_job(tx, job, now_ms)


def open_children(tx: Transaction, job_id: int) -> int:
    """Count a job's children that have not ended, from the rows themselves and not from the counter."""
    return int(tx.value(_OPEN_CHILDREN, (job_id,)))


def stopped_status(stop_reason: str) -> Status:
    """Return what a job becomes when it is stopped for this reason."""
    return Status.FAILED if stop_reason in _STOPPED_IS_FAILED else Status.CANCELLED


def _stop_reason(job: Job) -> str | None:
    # A shutdown ends the worker, not the job: that ends, waits or is queued as it would have otherwise.
    return None if job.stop_reason == Reason.SHUTDOWN else job.stop_reason


def _label(outcome: Outcome) -> str:
    return "lost" if outcome.reason == Reason.LOST else outcome.status.value


def _own_reason(job: Job, status: Status) -> str | None:
    if status is Status.COMPLETED:
        return None
    return _stop_reason(job) or (None if job.reason == Reason.CHILDREN else job.reason)


def _may_retry(tx: Transaction, job: Job) -> bool:
    if _spawns_again(job):
        return False
    return job.tries + 1 < get_tree(tx, job.root_id).max_attempts


def _spawns_again(job: Job) -> bool:
    # A command has no session to go on with: run again, it would spawn the children that it already has once more.
    return job.kind is Kind.COMMAND and job.children > 0 and job.own_status is None


def _retry_later(tx: Transaction, job: Job, outcome: Outcome, now_ms: int) -> Status:
    base_s = float(tx.value("SELECT retry_base_s FROM settings"))
    not_before_ms = now_ms + back_off_ms(round(1000 * base_s), job.tries)
    tx.run(
        _REQUEUE,
        (Reason.RETRY.value, storable(outcome.error), job.tries + 1, not_before_ms, now_ms, outcome.session_id, job.id),
    )
    return Status.QUEUED


def _deliver(tx: Transaction, fence: Fence, delivered: Collection[int]) -> None:
    for child_id in delivered:
        tx.run(_DELIVERED, (child_id, fence.job_id))


def _move(
    tx: Transaction,
    job_id: int,
    status: Status,
    reason: str | None,
    now_ms: int,
    *,
    waiting_for: str | None = None,
    ended_ms: int | None = None,
) -> None:
    assert (status in FINAL) == (ended_ms is not None)
    tx.run(_MOVE, (status.value, reason, waiting_for, now_ms, ended_ms, job_id))


def _end_attempt(tx: Transaction, fence: Fence, label: str, outcome: Outcome, now_ms: int) -> None:
    usage = outcome.usage
    values = (
        now_ms,
        label,
        outcome.reason,
        storable(outcome.error),
        outcome.exit_code,
        outcome.session_id,
        usage.cost_usd,
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.turns,
        usage.session_cost_usd,
        fence.job_id,
        fence.attempt,
    )
    tx.run(_END_ATTEMPT, values)
