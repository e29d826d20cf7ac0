"""Moves what is due when the wall clock was set, in one transaction: time left stays time left.

Who notices the jump is the supervisor. Moments of the outside world (the reset of a usage limit) stay what they are.
"""

from store.database import Transaction
from store.leases import MOST_LEASE_MS

_JOBS = """
UPDATE jobs SET deadline_ms = deadline_ms + ?1, started_ms = started_ms + ?1
WHERE status IN ('queued', 'running', 'waiting') AND (deadline_ms IS NOT NULL OR started_ms IS NOT NULL)
"""
# Only where the clock was set back: ahead they are due at once, which harms nothing. What waits for a usage limit waits
# for a moment of the outside world.
_BACK_OFFS = """
UPDATE jobs SET not_before_ms = not_before_ms + ?1 WHERE status = 'queued' AND not_before_ms > ?2 AND reason IS NOT 'usage_limit'
"""
_BRAKE = "UPDATE store SET brake_until_ms = brake_until_ms + ?1 WHERE brake_kind = 'api' AND brake_until_ms > ?2"
# A lease that is too long keeps a job waiting, one that is too short lets a second worker beside the first. Some may have been
# renewed by the new clock before the jump was noticed: those end within the longest lease from now, and are not shortened.
_LEASES_AHEAD = """
UPDATE attempts SET lease_until_ms = max(lease_until_ms, min(lease_until_ms + ?1, ?2 + ?3)) WHERE ended_ms IS NULL AND lease_until_ms IS NOT NULL
"""
_LEASES_BACK = """
UPDATE attempts SET lease_until_ms = lease_until_ms + ?1 WHERE ended_ms IS NULL AND lease_until_ms > ?2 + ?3
"""


def move_due_times(tx: Transaction, by_ms: int, now_ms: int) -> int:
    """Move deadlines and leases, and with a clock set back back-offs too, by ``by_ms``. Return how many jobs that touches."""
    moved = tx.run(_JOBS, (by_ms,))
    tx.run(_LEASES_AHEAD if by_ms > 0 else _LEASES_BACK, (by_ms, now_ms, MOST_LEASE_MS))
    if by_ms < 0:
        tx.run(_BACK_OFFS, (by_ms, now_ms))
        tx.run(_BRAKE, (by_ms, now_ms))
    return moved
