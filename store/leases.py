"""The leases by which attempts on other machines live: claim, renewal, and the answers to calls that may be made again.

An attempt elsewhere lives until its lease ends, whatever the engine that runs it says; its worker ends itself before. How
an attempt ends is in ``finish``; when the clock was set, ``clock_jump`` moves the leases.
"""

from store.claim import require_running
from store.database import Reader, Transaction
from store.errors import BadInput, StaleAttempt
from store.models import Fence, Job
from store.rows import storable

#: The longest lease. Longer ones would only keep a job waiting for a machine that is gone.
MOST_LEASE_MS = 600_000
_MOST_HOST = 255

_CLAIM = """
UPDATE attempts SET claimed_ms = ?, token_sha256 = ?, host = ?, lease_until_ms = ?
WHERE job_id = ? AND number = ? AND claimed_ms IS NULL AND ended_ms IS NULL
  AND number = (SELECT attempt FROM jobs WHERE id = job_id AND status = 'running')
"""
_IS_CLAIMED = """
SELECT 1 FROM attempts WHERE job_id = ? AND number = ? AND token_sha256 = ? AND lease_until_ms IS NOT NULL AND ended_ms IS NULL
"""
_RENEW = """
UPDATE attempts SET lease_until_ms = ? WHERE job_id = ? AND number = ? AND lease_until_ms IS NOT NULL AND ended_ms IS NULL
"""
_LEASE = "SELECT lease_until_ms FROM attempts WHERE job_id = ? AND number = ? AND ended_ms IS NULL"
_RECALL = "SELECT answer FROM attempt_calls WHERE job_id = ? AND attempt = ? AND call_id = ?"
_REMEMBER = "INSERT INTO attempt_calls(job_id, attempt, call_id, answer) VALUES (?, ?, ?, ?)"


def claim_remote(tx: Transaction, fence: Fence, token_sha256: str, host: str, lease_ms: int, now_ms: int) -> Job:
    """Take the attempt for a worker on another machine, once: from now on only its own token works, and its lease runs.

    Said again with the same token, after a lost answer, it changes nothing. Raises StaleAttempt for whoever comes second
    or too late, BadInput for a lease that is too long.
    """
    lease_until_ms = _lease_end(lease_ms, now_ms)
    named = (storable(host) or "")[:_MOST_HOST]
    taken = tx.run(_CLAIM, (now_ms, token_sha256, named, lease_until_ms, *_ids(fence)))
    if not taken and not tx.value(_IS_CLAIMED, (*_ids(fence), token_sha256)):
        raise StaleAttempt(f"attempt {fence.attempt} of job #{fence.job_id} is taken or over")
    return require_running(tx, fence)


def renew(tx: Transaction, fence: Fence, lease_ms: int, now_ms: int) -> Job:
    """Let the attempt's lease end so long after now, be it over or not: while the attempt is open, nobody has taken its place.

    Raises StaleAttempt where the attempt is over or has no lease, BadInput.
    """
    lease_until_ms = _lease_end(lease_ms, now_ms)
    job = require_running(tx, fence)
    if not tx.run(_RENEW, (lease_until_ms, *_ids(fence))):
        raise StaleAttempt(f"attempt {fence.attempt} of job #{fence.job_id} has no lease to renew")
    return job


def lease_until_ms(reader: Reader, fence: Fence) -> int | None:
    """Return until when an attempt elsewhere may live (ms); None: it never had a lease, or it has ended."""
    found = reader.value(_LEASE, _ids(fence))
    return None if found is None else int(found)


def recall(reader: Reader, fence: Fence, call_id: str) -> str | None:
    """Return what a call was answered when it was made before; None: it is new. Raises StaleAttempt."""
    require_running(reader, fence)
    found = reader.value(_RECALL, (*_ids(fence), call_id))
    return None if found is None else str(found)


def remember(tx: Transaction, fence: Fence, call_id: str, answer: str) -> None:
    """Keep what a call was answered, in the transaction that did what it asked for. It is forgotten when the attempt ends.

    Raises StaleAttempt, and IllegalChange for a call that has its answer.
    """
    require_running(tx, fence)
    tx.run(_REMEMBER, (*_ids(fence), call_id, storable(answer)))


def _lease_end(lease_ms: int, now_ms: int) -> int:
    if not 0 < lease_ms <= MOST_LEASE_MS:
        raise BadInput(f"a lease of {lease_ms} ms; allowed: above 0, up to {MOST_LEASE_MS}")
    return now_ms + lease_ms


def _ids(fence: Fence) -> tuple[int, int]:
    return fence.job_id, fence.attempt
