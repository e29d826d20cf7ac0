"""Reads for a close look at one job: every text cut to what a screen can use, every list bounded. Changes nothing.

JSON comes as text: what a worker nested a thousand levels deep is no reason to fail.
"""

from dataclasses import dataclass, replace
from typing import Any

from store import rows
from store.database import Reader
from store.errors import NotFound
from store.models import Attempt, Change, Workspace
from store.states import Kind, Status
from store.workspaces import get_workspace

#: Characters of a job's own result, error and data, and of its request (which the schema bounds to as many bytes).
TEXT_CHARS = 262_144
#: Characters of a child's result or error in its parent's ledger.
CHILD_CHARS = 4_000

_JOB = (
    "id, parent_id, root_id, coalesce(depth, 0), batch, kind, coalesce(title, ''), status, reason, attempt, own_status, session_id, model, children, "
    "open_children, timeout_s, not_before_ms, deadline_ms, coalesce(created_ms, 0), started_ms, ended_ms, cost_usd, subtree_cost_usd"
)
_TEXTS = ("request", "argv", "result", "error", "data", "denials")
_WORKS = f"SELECT {rows.WORKSPACE_COLUMNS} FROM workspaces WHERE job_id IN (SELECT id FROM jobs WHERE parent_id = ? ORDER BY id LIMIT ?)"
_CHILD = "id, kind, coalesce(substr(title, 1, 200), ''), status, reason, attempt, subtree_cost_usd, delivered"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a text, and the size of the whole (bytes of UTF-8)."""

    text: str
    size: int

    @property
    def more(self) -> int:
        """How many bytes are left out."""
        return max(0, self.size - len(self.text.encode("utf-8", "replace")))


@dataclass(frozen=True, slots=True)
class Closeup:
    """A job with its texts. ``argv``, ``data`` and ``denials`` are JSON; a text is None where the column is NULL."""

    id: int
    parent_id: int | None
    root_id: int
    depth: int
    batch: int | None
    kind: Kind
    title: str
    status: Status
    reason: str | None
    attempt: int
    own_status: Status | None
    session_id: str | None
    model: str | None
    children: int
    open_children: int
    timeout_s: float | None
    not_before_ms: int | None
    deadline_ms: int | None
    created_ms: int
    started_ms: int | None
    ended_ms: int | None
    cost_usd: float
    subtree_cost_usd: float
    request: Excerpt | None
    argv: Excerpt | None
    result: Excerpt | None
    error: Excerpt | None
    data: Excerpt | None
    denials: Excerpt | None
    workspace: Workspace | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """One line of a ledger. ``cost_usd`` is of the child's whole subtree."""

    id: int
    kind: Kind
    title: str
    status: Status
    reason: str | None
    attempt: int
    cost_usd: float
    delivered: bool
    result: Excerpt | None
    error: Excerpt | None
    workspace: Workspace | None = None


def closeup(reader: Reader, job_id: int) -> Closeup:
    """Return one job. Raises NotFound."""
    row = reader.row(f"SELECT {_JOB}, {_excerpts(_TEXTS, TEXT_CHARS)} FROM jobs WHERE id = ?", (job_id,))
    if row is None:
        raise NotFound(f"there is no job #{job_id}; see: orch list")
    facts = len(row) - 2 * len(_TEXTS)
    values: dict[str, Any] = dict(zip(Closeup.__dataclass_fields__, row[:facts], strict=False))
    values["kind"] = Kind(values["kind"])
    values["status"] = Status(values["status"])
    values["own_status"] = None if values["own_status"] is None else Status(values["own_status"])
    values.update((name, _excerpt(row, facts + 2 * at)) for at, name in enumerate(_TEXTS))
    return Closeup(**values, workspace=get_workspace(reader, job_id))


def ledger(reader: Reader, job_id: int, limit: int = 500) -> list[Child]:
    """Return a job's first children, in the order of their insertion."""
    texts = _excerpts(("result", "error"), CHILD_CHARS)
    found = reader.rows(f"SELECT {_CHILD}, {texts} FROM jobs WHERE parent_id = ? ORDER BY id LIMIT ?", (job_id, limit))
    works = {row[0]: rows.workspace(row) for row in reader.rows(_WORKS, (job_id, limit))}
    return [replace(_child(row), workspace=works.get(row[0])) for row in found]


def newest_attempts(reader: Reader, job_id: int, limit: int = 200) -> list[Attempt]:
    """Return a job's last attempts, the newest first."""
    sql = f"SELECT {rows.ATTEMPT_COLUMNS} FROM attempts WHERE job_id = ? ORDER BY number DESC LIMIT ?"
    return [rows.attempt(row) for row in reader.rows(sql, (job_id, limit))]


def newest_changes(reader: Reader, job_id: int, limit: int = 500) -> list[Change]:
    """Return the last changes of a job's state, the newest first."""
    sql = f"SELECT {rows.CHANGE_COLUMNS} FROM changes WHERE job_id = ? ORDER BY seq DESC LIMIT ?"
    return [rows.change(row) for row in reader.rows(sql, (job_id, limit))]


def _excerpts(columns: tuple[str, ...], most: int) -> str:
    return ", ".join(f"substr({column}, 1, {most}), octet_length({column})" for column in columns)


def _excerpt(row: tuple[Any, ...], at: int) -> Excerpt | None:
    return None if row[at] is None else Excerpt(row[at], row[at + 1])


def _child(row: tuple[Any, ...]) -> Child:
    job_id, kind, title, status, reason, attempt, cost_usd, delivered = row[:8]
    result, error = _excerpt(row, 8), _excerpt(row, 10)
    return Child(job_id, Kind(kind), title, Status(status), reason, attempt, cost_usd, bool(delivered), result, error)
