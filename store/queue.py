"""What a supervisor needs to know to decide: who is queued, who runs, what is overdue, when to look again.

Reads only, and only what a decision can depend on: its cost does not grow with the jobs that have ended or merely wait.
"""

from dataclasses import dataclass

from store.database import Reader
from store.states import Kind

# A DISTINCT over the index would read every queued job; this jumps from tree to tree.
_QUEUED_ROOTS = """
WITH RECURSIVE step(root_id) AS (
  SELECT min(root_id) FROM jobs WHERE status = 'queued'
  UNION ALL
  SELECT (SELECT min(root_id) FROM jobs WHERE status = 'queued' AND root_id > step.root_id) FROM step WHERE step.root_id IS NOT NULL)
SELECT trees.root_id, trees.max_workers, trees.paused_ms IS NOT NULL, trees.workspace = 'worktree',
  trees.budget_usd IS NOT NULL AND jobs.subtree_cost_usd >= trees.budget_usd
FROM step JOIN trees ON trees.root_id = step.root_id JOIN jobs ON jobs.id = trees.root_id
"""
_CANDIDATES = """
SELECT id, root_id, depth, kind, priority, children > 0 FROM jobs
WHERE status = 'queued' AND root_id = ? AND (not_before_ms IS NULL OR not_before_ms <= ?) AND stop_reason IS NULL
ORDER BY priority DESC, depth DESC, id LIMIT ?
"""
_HAS_WORKTREE = "SELECT 1 FROM workspaces WHERE job_id = ? AND made_ms IS NOT NULL AND removed_ms IS NULL"
# The + keeps the sort from choosing the way: in the order of ids it would be a walk over all jobs.
_RUNNING = """
SELECT jobs.id, jobs.root_id, jobs.attempt, jobs.kind, jobs.lending, jobs.wants_slot, jobs.stop_reason, jobs.stop_requested_ms,
  attempts.claimed_ms, attempts.pid, jobs.depth, jobs.priority, attempts.lease_until_ms
FROM jobs LEFT JOIN attempts ON attempts.job_id = jobs.id AND attempts.number = jobs.attempt
WHERE jobs.status = 'running' ORDER BY +jobs.id
"""
_OVERDUE = """
SELECT id FROM jobs WHERE deadline_ms IS NOT NULL AND ended_ms IS NULL AND deadline_ms <= ? AND stop_reason IS NULL
  AND status IN ('queued', 'running', 'waiting') ORDER BY deadline_ms, id LIMIT 100
"""
_NEXT_DEADLINE = """
SELECT min(deadline_ms) FROM jobs WHERE deadline_ms IS NOT NULL AND ended_ms IS NULL AND deadline_ms > ?
"""
_NEXT_NOT_BEFORE = (
    "SELECT min(not_before_ms) FROM jobs WHERE status = 'queued' AND not_before_ms IS NOT NULL AND not_before_ms > ?"
)
_TO_SETTLE = """
SELECT id FROM jobs WHERE status = 'waiting' AND waiting_for = 'children' AND open_children = 0
UNION ALL SELECT id FROM jobs WHERE status = 'waiting' AND waiting_for = 'ask' AND open_asks = 0 LIMIT 100
"""
# Rows that came in with the triggers switched off have no tree: they are never started, but they must be told.
_ROOTLESS = "SELECT id FROM jobs WHERE status = 'queued' AND root_id IS NULL LIMIT 100"


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that could start."""

    id: int
    root_id: int
    depth: int
    kind: Kind
    priority: int
    merges: bool = False  # a group whose children have ended: it merges what they have committed
    needs_worktree: bool = False  # it works in a worktree that is not on disk yet


@dataclass(frozen=True, slots=True)
class QueuedTree:
    """A tree with queued jobs, and the ones of them that would come first."""

    root_id: int
    max_workers: int
    paused: bool
    over_budget: bool
    queued: tuple[QueuedJob, ...]


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job that is running in the store; whether its process lives is for the supervisor to find out."""

    id: int
    root_id: int
    attempt: int
    kind: Kind
    lending: bool
    wants_slot: bool
    stop_reason: str | None
    stop_requested_ms: int | None
    claimed_ms: int | None
    pid: int | None
    depth: int
    priority: int
    lease_until_ms: int | None = None


def queued_trees(reader: Reader, now_ms: int, per_tree: int) -> list[QueuedTree]:
    """Return each tree with queued jobs, with its first ``per_tree`` startable ones in the order in which they start."""
    found = []
    for root_id, max_workers, paused, has_worktrees, over_budget in reader.rows(_QUEUED_ROOTS):
        rows = reader.rows(_CANDIDATES, (root_id, now_ms, per_tree))
        queued = tuple(
            QueuedJob(
                job_id,
                root,
                depth,
                Kind(kind),
                priority,
                merges=bool(parent) and Kind(kind) is Kind.GROUP,
                needs_worktree=bool(has_worktrees) and not reader.value(_HAS_WORKTREE, (job_id,)),
            )
            for job_id, root, depth, kind, priority, parent in rows
        )
        found.append(QueuedTree(root_id, max_workers, bool(paused), bool(over_budget), queued))
    return found


def running_jobs(reader: Reader) -> list[RunningJob]:
    """Return every running job with its attempt."""
    return [
        RunningJob(row[0], row[1], row[2], Kind(row[3]), bool(row[4]), bool(row[5]), *row[6:])
        for row in reader.rows(_RUNNING)
    ]


def overdue_jobs(reader: Reader, now_ms: int) -> list[int]:
    """Return jobs whose deadline has passed and that nobody has stopped yet."""
    return [row[0] for row in reader.rows(_OVERDUE, (now_ms,))]


def jobs_to_settle(reader: Reader) -> list[int]:
    """Return waiting jobs whose children have all ended, or whose asks are answered, by someone who did not settle them."""
    return [row[0] for row in reader.rows(_TO_SETTLE)]


def rootless_jobs(reader: Reader) -> list[int]:
    """Return queued rows that belong to no tree."""
    return [row[0] for row in reader.rows(_ROOTLESS)]


def next_time_ms(reader: Reader, now_ms: int) -> int | None:
    """Return when the clock alone makes a difference next: a deadline, a back-off or a brake that ends. None if never."""
    times = (
        reader.value(_NEXT_DEADLINE, (now_ms,)),
        reader.value(_NEXT_NOT_BEFORE, (now_ms,)),
        reader.value("SELECT brake_until_ms FROM store WHERE brake_until_ms > ?", (now_ms,)),
    )
    return min((time for time in times if time is not None), default=None)


def any_to_stop(reader: Reader) -> bool:
    """Tell whether any running job is to be stopped."""
    return bool(reader.value("SELECT 1 FROM jobs WHERE status = 'running' AND stop_reason IS NOT NULL LIMIT 1"))


def has_open_jobs(reader: Reader) -> bool:
    """Tell whether any job of the store has not ended."""
    return bool(
        reader.value(
            "SELECT sum(jobs) FROM status_counts WHERE root_id = 0 AND status IN ('queued', 'running', 'waiting')"
        )
    )
