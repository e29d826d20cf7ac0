"""Dollars: what one attempt may spend, so that all workers together never spend more than their tree, or a share, holds.

An attempt sets its ceiling aside when it begins and gives back what it did not use when it ends, since only its cost
counts then. So the ceilings of all that run, and what was spent, are never more than the budget; Claude Code ends at its
ceiling after the turn that reaches it. Knows no prices.
"""

from dataclasses import dataclass

from store.claim import require_running
from store.database import Reader, Transaction
from store.errors import BadInput
from store.models import Fence, Job
from store.tree import get_job, get_tree, path

#: Less than this is nothing: Claude Code refuses a budget of 0.
LEAST_USD = 0.0001

_RUNNING = """
SELECT jobs.id, coalesce(attempts.ceiling_usd, 0) FROM attempts JOIN jobs ON jobs.id = attempts.job_id
WHERE jobs.root_id = ? AND jobs.status = 'running' AND attempts.number = jobs.attempt AND attempts.ended_ms IS NULL AND jobs.id IS NOT ?
"""
_QUEUED = (
    "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE root_id = ? AND status = 'queued' AND kind = 'claude' LIMIT ?)"
)
_LOOK_AGAIN = """
UPDATE jobs SET not_before_ms = NULL WHERE root_id = ? AND status = 'queued' AND reason = 'budget' AND not_before_ms IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an attempt may spend. ``usd`` None: no budget holds; below `LEAST_USD`: nothing, and ``why`` says why."""

    usd: float | None
    why: str | None = None


def reserve(tx: Transaction, fence: Fence) -> Allowance:
    """Set a ceiling aside for a running attempt: its part of what is left of the tree's budget and of the shares above it.

    Jobs of the tree that could start beside it get as much. Raises StaleAttempt.
    """
    job = require_running(tx, fence)
    above = path(tx, job.id)
    budgets = _budgets(tx, above)
    if not budgets:
        return Allowance(None)
    running = [(path(tx, job_id), ceiling) for job_id, ceiling in tx.rows(_RUNNING, (job.root_id, job.id))]
    left, narrowest = min(
        (
            budget - top.subtree_cost_usd - sum(usd for way, usd in running if any(each.id == top.id for each in way)),
            top.id,
        )
        for top, budget in budgets
    )
    room = max(0, get_tree(tx, job.root_id).max_workers - len(running) - 1)
    beside = int(tx.value(_QUEUED, (job.root_id, room))) if room else 0
    usd = left / (1 + beside)
    if usd < LEAST_USD:
        return Allowance(0.0, _spent(tx, job, narrowest, set_aside=sum(usd for _, usd in running)))
    tx.run("UPDATE attempts SET ceiling_usd = ? WHERE job_id = ? AND number = ?", (usd, job.id, fence.attempt))
    return Allowance(usd)


def set_share(tx: Transaction, job_id: int, usd: float | None) -> Job:
    """Change a job's share, None for no share; jobs that waited for money look again at once. Raises BadInput, NotFound."""
    job = get_job(tx, job_id)
    if job.parent_id is None:
        raise BadInput(f"job #{job_id} is a root: its tree has a budget, changed by: orch limits {job_id} --budget USD")
    tx.run("UPDATE jobs SET budget_usd = ? WHERE id = ?", (usd, job_id))
    look_again(tx, job.root_id)
    return get_job(tx, job_id)


def look_again(tx: Transaction, root_id: int) -> None:
    """Let the jobs of a tree that wait for money try again now: after more was given, or some was given back."""
    tx.run(_LOOK_AGAIN, (root_id,))


def _budgets(reader: Reader, above: list[Job]) -> list[tuple[Job, float]]:
    """Return the jobs from the root down to this one that hold a budget for all below them, each with its dollars."""
    found = [(job, job.budget_usd) for job in above if job.budget_usd is not None]
    tree_usd = get_tree(reader, above[0].id).budget_usd
    return found if tree_usd is None else [(above[0], tree_usd), *found]


def _spent(reader: Reader, job: Job, top_id: int, *, set_aside: float) -> str:
    way_out = f"orch limits {top_id} --{'budget' if top_id == job.root_id else 'share'} USD"
    what = f"the budget of tree #{top_id}" if top_id == job.root_id else f"the share of job #{top_id}"
    beside = f" or set aside for others that run ({set_aside:.2f} dollars)" if set_aside else ""
    return f"{what} is spent{beside}; a person raises it: {way_out}"
