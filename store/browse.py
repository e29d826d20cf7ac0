"""Reads for a screen over a store of any size: ids in pages, the rows of some ids, where a job hangs. Changes nothing.

Every query is a range of an index or a lookup by key, so it costs what it returns; where it has to step over entries of
an index (``skip``, ``count_siblings``) that is 20 to 40 nanoseconds each. Siblings come in the order of the screen:
children oldest first, roots newest first.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass

from store import rows
from store.database import Reader
from store.models import Job

_CHILD_IDS = (
    "SELECT id FROM jobs WHERE parent_id = ? AND id > coalesce(?, -9223372036854775808) ORDER BY id LIMIT ? OFFSET ?"
)
_ROOT_IDS = "SELECT id FROM jobs WHERE parent_id IS NULL AND id < coalesce(?, 9223372036854775807) ORDER BY id DESC LIMIT ? OFFSET ?"
_CHILDREN_BETWEEN = "SELECT count(*) FROM jobs WHERE parent_id = ? AND id > coalesce(?, -9223372036854775808) AND id < coalesce(?, 9223372036854775807)"
_ROOTS_BETWEEN = "SELECT count(*) FROM jobs WHERE parent_id IS NULL AND id < coalesce(?, 9223372036854775807) AND id > coalesce(?, -9223372036854775808)"
_IDS = "(SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True)
class Link:
    """Where a job hangs, and how many children hang on it."""

    id: int
    parent_id: int | None
    children: int


def sibling_ids(
    reader: Reader, parent_id: int | None, after_id: int | None = None, skip: int = 0, limit: int = 256
) -> list[int]:
    """Return ids of children of a job (None: of root jobs) behind ``after_id`` (None: from the first), less ``skip``."""
    sql, first = (_ROOT_IDS, ()) if parent_id is None else (_CHILD_IDS, (parent_id,))
    return [row[0] for row in reader.rows(sql, (*first, after_id, limit, skip))]


def count_siblings(
    reader: Reader, parent_id: int | None, after_id: int | None = None, before_id: int | None = None
) -> int:
    """Return how many children of a job (None: how many root jobs) stand behind ``after_id`` and before ``before_id``."""
    sql, first = (_ROOTS_BETWEEN, ()) if parent_id is None else (_CHILDREN_BETWEEN, (parent_id,))
    return int(reader.value(sql, (*first, after_id, before_id)))


def jobs(reader: Reader, ids: Collection[int]) -> list[Job]:
    """Return the jobs of these ids, in no order; one that is not there is left out."""
    sql = f"SELECT {rows.JOB_COLUMNS} FROM jobs WHERE id IN {_IDS}"
    return [rows.job(row) for row in reader.rows(sql, (json.dumps(list(ids)),))]


def links(reader: Reader, ids: Collection[int]) -> list[Link]:
    """Return where these jobs hang, by id; one that is not there is left out."""
    sql = f"SELECT id, parent_id, children FROM jobs WHERE id IN {_IDS} ORDER BY id"
    return [Link(*row) for row in reader.rows(sql, (json.dumps(list(ids)),))]


def older_jobs(reader: Reader, before_id: int | None = None, limit: int = 500) -> list[Job]:
    """Return jobs of the whole store, newest first; ``before_id`` turns the page."""
    sql = f"SELECT {rows.JOB_COLUMNS} FROM jobs WHERE id < coalesce(?, 9223372036854775807) ORDER BY id DESC LIMIT ?"
    return [rows.job(row) for row in reader.rows(sql, (before_id, limit))]


def questions(reader: Reader, job_ids: Collection[int]) -> dict[int, str]:
    """Return the oldest open question of each of these jobs that has one."""
    sql = f"SELECT job_id, question FROM asks WHERE answer IS NULL AND job_id IN {_IDS} ORDER BY id DESC"
    return dict(reader.rows(sql, (json.dumps(list(job_ids)),)))


def spent_usd(reader: Reader, first_id: int | None = None, last_id: int | None = None) -> float:
    """Return the dollars of the trees with these roots (None: of all). Looks at every root job: 2 microseconds each."""
    sql = "SELECT total(subtree_cost_usd) FROM jobs WHERE parent_id IS NULL AND id BETWEEN coalesce(?, -9223372036854775808) AND coalesce(?, 9223372036854775807)"
    return float(reader.value(sql, (first_id, last_id)))
