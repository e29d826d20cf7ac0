"""What an attempt does while it lives: start, claim, activity, session, and the lending of its slot.

Every write carries the attempt's fence and is refused with StaleAttempt once the job has gone on without it. How an
attempt ends is in ``finish``.
"""

from collections.abc import Sequence
from typing import Any

from store import rows
from store.database import Reader, Transaction
from store.errors import IllegalChange, NotAllowed, StaleAttempt
from store.models import Attempt, Fence, Job, Tree
from store.states import Status
from store.tree import get_job, get_tree, path

_START = """
UPDATE jobs SET status = 'running', attempt = attempt + 1, reason = NULL, waiting_for = NULL, not_before_ms = NULL, lending = 0,
  wants_slot = 0, started_ms = coalesce(started_ms, ?), deadline_ms = ?, changed_ms = ?
WHERE id = ? AND status = 'queued' AND stop_reason IS NULL
"""
_NEW_ATTEMPT = "INSERT INTO attempts(job_id, number, token_sha256, started_ms, session_id) SELECT id, attempt, ?, ?, session_id FROM jobs WHERE id = ?"
_CLAIM = """
UPDATE attempts SET claimed_ms = ?, pid = ? WHERE job_id = ? AND number = ? AND claimed_ms IS NULL AND ended_ms IS NULL
  AND number = (SELECT attempt FROM jobs WHERE id = job_id AND status = 'running')
"""
_IS_CLAIMED = "SELECT 1 FROM attempts WHERE pid = ? AND job_id = ? AND number = ? AND ended_ms IS NULL"
_GRANT = (
    "UPDATE jobs SET lending = 0, wants_slot = 0 WHERE id = ? AND status = 'running' AND lending = 1 AND wants_slot = 1"
)
_NAME_LENDER = "INSERT INTO lends(job_id, attempt, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_IS_LENDER = "SELECT 1 FROM lends WHERE job_id = ? AND attempt = ? AND name = ?"
_FORGET_LENDER = "DELETE FROM lends WHERE job_id = ? AND attempt = ? AND name = ?"
_WHERE_FENCED = "WHERE id = ? AND attempt = ? AND status = 'running'"
_BY_TOKEN = """
SELECT jobs.id, jobs.attempt FROM attempts JOIN jobs ON jobs.id = attempts.job_id
WHERE attempts.token_sha256 = ? AND attempts.number = jobs.attempt AND jobs.status = 'running'
"""


def token_hash(token: str) -> str:
    """Return what the store keeps of an attempt's secret."""
    import hashlib  # noqa: PLC0415 - brings OpenSSL, and the screen, which never has a token, imports this module

    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def start_attempt(tx: Transaction, job_id: int, token_sha256: str, now_ms: int) -> Fence:
    """Move a queued job to running with its next attempt, before any process exists.

    The deadline counts from the first attempt's start and is never later than that of a job above. Raises
    LimitExceeded when the tree runs all the workers it may, IllegalChange when the job is not queued any more or its
    place in the tree is not what its parents say.
    """
    job = get_job(tx, job_id)
    tree = get_tree(tx, job.root_id)
    check_place(tx, job, tree)
    return start_placed(tx, job, tree, token_sha256, now_ms)


def start_placed(tx: Transaction, job: Job, tree: Tree, token_sha256: str, now_ms: int) -> Fence:
    """Do what `start_attempt` does, for a job that was read, and whose place was checked, in this transaction."""
    due_ms = deadline(tree, job, job.started_ms or now_ms, parent_deadline(tx, job))
    if not tx.run(_START, (now_ms, due_ms, now_ms, job.id)):
        why = f"is being stopped ({job.stop_reason})" if job.status is Status.QUEUED else f"is {job.status}, not queued"
        raise IllegalChange(f"job #{job.id} {why}")
    tx.run(_NEW_ATTEMPT, (token_sha256, now_ms, job.id))
    return Fence(job.id, job.attempt + 1)


def check_place(reader: Reader, job: Job, tree: Tree) -> None:
    """Derive depth and tree from the parents again, for rows that came in with the triggers off.

    Raises IllegalChange when the row says otherwise.
    """
    above = path(reader, job.id)
    # Such a row may hold a NULL where the type says int, and such parents may form a ring.
    placed = job.depth is not None and job.root_id == tree.root_id and above[0].parent_id is None
    if not placed or len(above) != job.depth + 1 or above[0].id != job.root_id or job.depth > tree.max_depth:
        raise IllegalChange(
            f"job #{job.id} says depth {job.depth} in tree #{job.root_id}, its parents say {len(above) - 1} in #{above[0].id} "
            f"(max_depth {tree.max_depth}); the store was changed behind its rules, see: orch doctor"
        )


def deadline(tree: Tree, job: Job, started_ms: int, parent_due_ms: int | None) -> int:
    """Return when a job that started at ``started_ms`` must have ended (ms): its own timeout, or its parent's deadline."""
    timeout_s = job.timeout_s or tree.timeouts_s[min(job.depth, len(tree.timeouts_s) - 1)]
    own_ms = started_ms + round(timeout_s * 1000)
    return own_ms if parent_due_ms is None else min(own_ms, parent_due_ms)


def parent_deadline(reader: Reader, job: Job) -> int | None:
    """Return the deadline (ms) of the job above, None for a root."""
    if job.parent_id is None:
        return None
    found = reader.value("SELECT deadline_ms FROM jobs WHERE id = ?", (job.parent_id,))
    return None if found is None else int(found)


def claim(tx: Transaction, fence: Fence, pid: int, now_ms: int) -> Job:
    """Take the attempt for this process, once. Raises StaleAttempt for whoever comes second or too late."""
    if not tx.run(_CLAIM, (now_ms, pid, fence.job_id, fence.attempt)):
        raise StaleAttempt(f"attempt {fence.attempt} of job #{fence.job_id} is taken or over")
    return get_job(tx, fence.job_id)


def note_claim(tx: Transaction, fence: Fence, pid: int, now_ms: int) -> None:
    """Note which process works on an attempt that was taken by its lock alone; once noted, nothing changes.

    Raises StaleAttempt where the attempt is over, or another process's.
    """
    if not tx.run(_CLAIM, (now_ms, pid, fence.job_id, fence.attempt)) and not tx.value(
        _IS_CLAIMED, (pid, *_ids(fence))
    ):
        raise StaleAttempt(f"attempt {fence.attempt} of job #{fence.job_id} is over, or not that of process {pid}")


def require_running(reader: Reader, fence: Fence) -> Job:
    """Return the job if ``fence`` is its running attempt. Raises StaleAttempt."""
    job = get_job(reader, fence.job_id)
    if job.attempt != fence.attempt or job.status is not Status.RUNNING:
        raise StaleAttempt(
            f"attempt {fence.attempt} of job #{fence.job_id} is over: the job is {job.status} at attempt {job.attempt}"
        )
    return job


def set_activity(tx: Transaction, fence: Fence, text: str, now_ms: int) -> None:
    """Store the last line of what the worker does. The caller throttles. Raises StaleAttempt."""
    _fenced(tx, fence, "activity = ?, activity_ms = ?", (rows.storable(text), now_ms))


def set_session(tx: Transaction, fence: Fence, session_id: str) -> None:
    """Store Claude Code's session as soon as it is known, so that a later attempt resumes it. Raises StaleAttempt."""
    _fenced(tx, fence, "session_id = ?", (session_id,))
    tx.run(
        "UPDATE attempts SET session_id = ? WHERE job_id = ? AND number = ?",
        (session_id, fence.job_id, fence.attempt),
    )


def note_denials(tx: Transaction, fence: Fence, denials: Sequence[Any]) -> None:
    """Add refused calls to those of the job, for a run that ends before the job does. Raises StaleAttempt."""
    before = require_running(tx, fence).denials
    _fenced(tx, fence, "denials = ?", (rows.dumps([*before, *denials]),))


def lend_slot(tx: Transaction, fence: Fence, name: str | None = None) -> None:
    """Give the slot away while the worker, or one of several clients in it, blocks. Raises StaleAttempt.

    A client that may have to say so again, since an answer can get lost, gives itself a name: twice counts once.
    """
    require_running(tx, fence)
    if name is None or tx.run(_NAME_LENDER, (fence.job_id, fence.attempt, name)):
        _fenced(tx, fence, "lending = lending + 1, wants_slot = 0", ())


def want_slot(tx: Transaction, fence: Fence, name: str | None = None) -> bool:
    """Tell whether a client that has blocked may go on; ask for the slot if not. Call it until it is so.

    While other clients of the job still block, the slot stays lent and this one goes on without: if it took the slot
    back, the children that the others wait for might never get one. ``name``: that under which it was lent; True where
    it is lent no more. Raises StaleAttempt.
    """
    lending = require_running(tx, fence).lending
    named = (fence.job_id, fence.attempt, name)
    if name is not None and not tx.value(_IS_LENDER, named):
        return True
    if lending > 1 and name is not None:
        tx.run(_FORGET_LENDER, named)
    if lending == 1:
        _fenced(tx, fence, "wants_slot = 1", ())
    elif lending > 1:
        _fenced(tx, fence, "lending = lending - 1", ())
    return lending != 1


def grant_slot(tx: Transaction, job_id: int) -> bool:
    """Give a slot back to a worker that wants one; False if it no longer does. Raises LimitExceeded when none is free."""
    if not tx.run(_GRANT, (job_id,)):
        return False
    tx.run("DELETE FROM lends WHERE job_id = ?", (job_id,))
    return True


def fence_of_token(reader: Reader, token: str) -> Fence:
    """Return which running attempt a token belongs to. Raises NotAllowed for one that is unknown or over."""
    row = reader.row(_BY_TOKEN, (token_hash(token),))
    if row is None:
        raise NotAllowed(
            "this process belongs to an attempt that is over, or to another store; it may not touch this one"
        )
    return Fence(*row)


def last_session_cost(reader: Reader, job_id: int, session_id: str) -> float:
    """Return the dollars that a session had cost when its last attempt ended (usd); 0 for a new one."""
    found = reader.value(
        "SELECT max(session_cost_usd) FROM attempts WHERE job_id = ? AND session_id = ?", (job_id, session_id)
    )
    return float(found or 0.0)


def open_attempts(reader: Reader) -> list[Attempt]:
    """Return every attempt that has not ended: what a supervisor looks after."""
    found = reader.rows(f"SELECT {rows.ATTEMPT_COLUMNS} FROM attempts WHERE ended_ms IS NULL ORDER BY job_id, number")
    return [rows.attempt(row) for row in found]


def _ids(fence: Fence) -> tuple[int, int]:
    return fence.job_id, fence.attempt


def _fenced(tx: Transaction, fence: Fence, assignments: str, args: tuple[object, ...]) -> None:
    if not tx.run(f"UPDATE jobs SET {assignments} {_WHERE_FENCED}", (*args, fence.job_id, fence.attempt)):
        require_running(tx, fence)
