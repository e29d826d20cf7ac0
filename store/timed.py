"""Reads for a picture of a tree over time: few columns of many jobs, each with the changes of its state.

Level by level, so that a tree that is too large for a picture is cut at the bottom. Changes nothing.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from store import rows
from store.database import Reader
from store.errors import NotFound
from store.models import Change
from store.states import Status

_COLUMNS = "id, parent_id, coalesce(depth, 0), coalesce(substr(title, 1, 200), ''), status, coalesce(created_ms, 0), ended_ms, lending"
_GIVEN = "(SELECT value FROM json_each(?))"
_BELOW = f"SELECT {_COLUMNS} FROM jobs WHERE parent_id IN {_GIVEN} AND id > ? ORDER BY id LIMIT ?"
_SOME = f"SELECT {_COLUMNS} FROM jobs WHERE id IN {_GIVEN} ORDER BY id"
_CHANGES = f"""
SELECT {rows.CHANGE_COLUMNS} FROM (
  SELECT {rows.CHANGE_COLUMNS}, row_number() OVER (PARTITION BY job_id ORDER BY seq DESC) AS age
  FROM changes WHERE job_id IN {_GIVEN})
WHERE age <= ? ORDER BY seq
"""
#: Changes of one job that are read, the newest.
MOST_CHANGES = 100


@dataclass(frozen=True, slots=True)
class TimedJob:
    """A job and when it was in which state; ``changes`` are oldest first."""

    id: int
    parent_id: int | None
    depth: int
    title: str
    status: Status
    created_ms: int
    ended_ms: int | None
    lending: bool  # its process blocks until children have ended
    changes: tuple[Change, ...]


def root_of(reader: Reader, job_id: int) -> int:
    """Return the root of a job's tree. Raises NotFound."""
    found = reader.value("SELECT root_id FROM jobs WHERE id = ?", (job_id,))
    if found is None:
        raise NotFound(f"there is no job #{job_id}; see: orch list")
    return int(found)


def timed(reader: Reader, ids: Collection[int]) -> list[TimedJob]:
    """Return these jobs, by id; one that is not there is left out."""
    return _with_changes(reader, reader.rows(_SOME, (json.dumps(list(ids)),)))


def timed_below(reader: Reader, parent_ids: Collection[int], limit: int, after_id: int = 0) -> list[TimedJob]:
    """Return children of these jobs by id, at most ``limit``; ``after_id`` turns the page."""
    return _with_changes(reader, reader.rows(_BELOW, (json.dumps(list(parent_ids)), after_id, limit)))


def _with_changes(reader: Reader, found: list[tuple[Any, ...]]) -> list[TimedJob]:
    changes: dict[int, list[Change]] = {}
    for row in reader.rows(_CHANGES, (json.dumps([row[0] for row in found]), MOST_CHANGES)):
        changes.setdefault(row[1], []).append(rows.change(row))
    return [_timed(row, changes) for row in found]


def _timed(row: tuple[Any, ...], changes: dict[int, list[Change]]) -> TimedJob:
    values: dict[str, Any] = dict(zip(TimedJob.__dataclass_fields__, row, strict=False))
    values |= {"status": Status(values["status"]), "lending": bool(values["lending"])}
    return TimedJob(**values, changes=tuple(changes.get(values["id"], ())))
