"""Reads the tree: jobs, their trees, children, ledgers, attempts, history and totals. Changes nothing.

Every query is a lookup by key or a range of an index; what can be long takes a limit.
"""

from dataclasses import dataclass

from store import rows
from store.database import Reader
from store.errors import NotFound
from store.models import Attempt, Change, Job, LedgerEntry, Tree
from store.needs import Needs
from store.states import Status

# UNION, not UNION ALL: a loop that was written with the triggers off must not turn into a query without an end.
_SUBTREE = """
WITH RECURSIVE below(id) AS (
  SELECT ? UNION SELECT jobs.id FROM jobs JOIN below ON jobs.parent_id = below.id)
"""
_PATH = """
WITH RECURSIVE above(id, parent_id) AS (
  SELECT id, parent_id FROM jobs WHERE id = ?
  UNION
  SELECT jobs.id, jobs.parent_id FROM jobs JOIN above ON jobs.id = above.parent_id)
"""


def get_job(reader: Reader, job_id: int) -> Job:
    """Return one job. Raises NotFound."""
    row = reader.row(f"SELECT {rows.JOB_COLUMNS} FROM jobs WHERE id = ?", (job_id,))
    if row is None:
        raise NotFound(f"there is no job #{job_id}; see: orch list")
    return rows.job(row)


def get_tree(reader: Reader, root_id: int) -> Tree:
    """Return a tree's limits and counters. Raises NotFound."""
    row = reader.row(f"SELECT {rows.TREE_COLUMNS} FROM trees WHERE root_id = ?", (root_id,))
    if row is None:
        raise NotFound(f"there is no tree #{root_id}; see: orch list")
    return rows.tree(row)


def needs_in_force(job: Job, tree: Tree) -> Needs | None:
    """Return what a job asks of its machine: its own needs over its tree's; None: nothing."""
    return tree.needs if job.needs is None else job.needs.over(tree.needs)


def tree_of(reader: Reader, job_id: int) -> Tree:
    """Return the tree that a job belongs to. Raises NotFound."""
    return get_tree(reader, get_job(reader, job_id).root_id)


def roots(reader: Reader, limit: int = 50, before_id: int | None = None) -> list[Job]:
    """Return root jobs, newest first; ``before_id`` turns the page."""
    found = reader.rows(
        f"SELECT {rows.JOB_COLUMNS} FROM jobs WHERE parent_id IS NULL AND id < coalesce(?, 9223372036854775807) ORDER BY id DESC LIMIT ?",
        (before_id, limit),
    )
    return [rows.job(row) for row in found]


def children(reader: Reader, job_id: int) -> list[Job]:
    """Return a job's children in the order of their insertion."""
    return [
        rows.job(row)
        for row in reader.rows(f"SELECT {rows.JOB_COLUMNS} FROM jobs WHERE parent_id = ? ORDER BY id", (job_id,))
    ]


def subtree(reader: Reader, job_id: int, limit: int = 100_000) -> list[Job]:
    """Return a job and all below it by id, so every parent stands before its children."""
    sql = f"{_SUBTREE} SELECT {rows.JOB_COLUMNS} FROM jobs WHERE id IN (SELECT id FROM below) ORDER BY id LIMIT ?"
    return [rows.job(row) for row in reader.rows(sql, (job_id, limit))]


def subtree_ids(reader: Reader, job_id: int) -> list[int]:
    """Return the ids of a job and all below it, every parent before its children."""
    return [row[0] for row in reader.rows(f"{_SUBTREE} SELECT id FROM below ORDER BY id", (job_id,))]


def path(reader: Reader, job_id: int) -> list[Job]:
    """Return the jobs from the root down to this one."""
    sql = f"{_PATH} SELECT {rows.JOB_COLUMNS} FROM jobs WHERE id IN (SELECT id FROM above) ORDER BY depth"
    return [rows.job(row) for row in reader.rows(sql, (job_id,))]


def is_within(reader: Reader, job_id: int, top_id: int) -> bool:
    """Tell whether ``job_id`` is ``top_id`` or below it."""
    return bool(reader.value(f"{_PATH} SELECT count(*) FROM above WHERE id = ?", (job_id, top_id)))


def ledger(reader: Reader, job_id: int, batch: int | None = None) -> list[LedgerEntry]:
    """Return what a parent knows of its children, in order; of one batch where ``batch`` is given."""
    sql = (
        f"SELECT {rows.LEDGER_COLUMNS} FROM jobs LEFT JOIN workspaces ON workspaces.job_id = jobs.id "
        "WHERE parent_id = ? AND (? IS NULL OR batch = ?) ORDER BY jobs.id"
    )
    return [rows.ledger_entry(row) for row in reader.rows(sql, (job_id, batch, batch))]


def attempts(reader: Reader, job_id: int) -> list[Attempt]:
    """Return a job's attempts, first to last."""
    found = reader.rows(f"SELECT {rows.ATTEMPT_COLUMNS} FROM attempts WHERE job_id = ? ORDER BY number", (job_id,))
    return [rows.attempt(row) for row in found]


def history(reader: Reader, job_id: int, limit: int = 1_000) -> list[Change]:
    """Return the changes of a job's state, oldest first."""
    found = reader.rows(
        f"SELECT {rows.CHANGE_COLUMNS} FROM changes WHERE job_id = ? ORDER BY seq LIMIT ?", (job_id, limit)
    )
    return [rows.change(row) for row in found]


@dataclass(frozen=True, slots=True)
class StoreState:
    """What holds for the whole store now. ``counts`` has every state; ``brake`` ends by itself at ``brake_until_ms``."""

    counts: dict[Status, int]
    seq: int
    paused_ms: int | None
    brake_reason: str | None
    brake_until_ms: int | None
    slots: int
    using_slots: int
    open_asks: int


def counts(reader: Reader, root_id: int = 0) -> dict[Status, int]:
    """Return how many jobs of a tree (0: of the whole store) are in each state."""
    found = dict(reader.rows("SELECT status, jobs FROM status_counts WHERE root_id = ?", (root_id,)))
    return {status: found.get(status.value, 0) for status in Status}


def store_state(reader: Reader) -> StoreState:
    """Return the totals of the whole store."""
    row = reader.row("SELECT seq, paused_ms, brake_reason, brake_until_ms, (SELECT slots FROM settings) FROM store")
    assert row is not None
    using = reader.value("SELECT count(*) FROM jobs WHERE status = 'running' AND lending = 0")
    asks = reader.value("SELECT count(*) FROM asks WHERE answer IS NULL")
    return StoreState(counts(reader), row[0], row[1], row[2], row[3], row[4], using, asks)
