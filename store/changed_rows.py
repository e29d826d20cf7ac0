"""Reads what has changed in a store as plain rows, in pages, for a copy of it elsewhere (see ``replica``). Changes nothing.

A job comes with its attempts, its history, its open asks, its rules and its tree, of which each change is one of the job,
too. What has no number in the change feed (pauses of the store, settings) comes as a whole, with a mark that tells whether
it is as it was.
"""

import hashlib
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from store import rows
from store.database import Reader
from store.models import Rule
from store.settings import NAMES

#: Jobs of one page, and bytes of the texts of their rows after which a page ends early.
PAGE = 500
PAGE_BYTES = 2_000_000
#: Attempts and changes of one job that come along, the newest.
MOST_ATTEMPTS = 200
MOST_CHANGES = 200

_ASK_COLUMNS = [name.removeprefix("asks.") for name in rows.ASK_COLUMNS.split(", ") if name.startswith("asks.")]
_STORE_COLUMNS = "one, store_id, created_ms, seq, paused_ms, brake_reason, brake_kind, brake_until_ms"
#: The columns of each table that a copy holds; no token and no key is among them.
COLUMNS = {
    "store": _STORE_COLUMNS,
    "settings": f"one, {', '.join(NAMES)}",
    "status_counts": "root_id, status, jobs",
    "trees": rows.TREE_COLUMNS,
    "jobs": rows.JOB_COLUMNS,
    "attempts": rows.ATTEMPT_COLUMNS,
    "changes": rows.CHANGE_COLUMNS,
    "asks": ", ".join(_ASK_COLUMNS),
    "rules": ", ".join(Rule.__dataclass_fields__),
}
_NAMES = {table: tuple(columns.split(", ")) for table, columns in COLUMNS.items()}
_ID, _PARENT, _ROOT, _SEQ = (_NAMES["jobs"].index(name) for name in ("id", "parent_id", "root_id", "seq"))
_SIZE = "length(request) + coalesce(length(result), 0) + coalesce(length(error), 0) + coalesce(length(data), 0)"
_GIVEN = "(SELECT value FROM json_each(?))"
_CHANGED = f"SELECT {COLUMNS['jobs']} FROM jobs WHERE seq > ? AND seq <= ? ORDER BY seq"
_SIZES = f"SELECT seq, {_SIZE} FROM jobs WHERE seq > ? ORDER BY seq LIMIT ?"
_SOME = f"SELECT {COLUMNS['jobs']} FROM jobs WHERE id IN {_GIVEN}"
_TREES = f"SELECT {COLUMNS['trees']} FROM trees WHERE root_id IN {_GIVEN}"
_ASKS = f"SELECT {COLUMNS['asks']} FROM asks WHERE answer IS NULL AND job_id IN {_GIVEN} ORDER BY id"
_RULES = f"SELECT {COLUMNS['rules']} FROM rules WHERE removed_ms IS NULL AND job_id IN {_GIVEN} ORDER BY id"


@dataclass(frozen=True, slots=True)
class ChangedRows:
    """A page. All up to ``seq`` is in it and in the pages before; ``more``: there is a next page already.

    ``tables``: rows by table, with the columns of `COLUMNS`; none of what is as it was at the mark that was given.
    """

    store_id: str
    seq: int
    more: bool
    mark: str
    tables: dict[str, list[tuple[Any, ...]]]

    @property
    def is_new(self) -> bool:
        """Whether it tells anything."""
        return any(self.tables.values())


def changed_rows(reader: Reader, since: int, *, limit: int = PAGE, mark: str = "") -> ChangedRows:
    """Return what has changed after ``since`` (0: everything), oldest change first; ``mark``: that of the last page.

    Every job above one of the page is in it too, unless it came with an earlier one.
    """
    found = reader.row(f"SELECT {COLUMNS['store']} FROM store")
    assert found is not None
    newest = int(found[_NAMES["store"].index("seq")])
    until, more = _end(reader, since, newest, limit)
    jobs = reader.rows(_CHANGED, (since, until)) if until > since else []
    jobs += _above(reader, jobs, until)
    whole: dict[str, list[tuple[Any, ...]]] = {
        "store": [found],
        "settings": reader.rows(f"SELECT {COLUMNS['settings']} FROM settings"),
        "status_counts": reader.rows(f"SELECT {COLUMNS['status_counts']} FROM status_counts WHERE root_id = 0"),
    }
    now = hashlib.sha256(repr(whole).encode("utf-8", "replace")).hexdigest()[:16]
    tables = ({} if now == mark else whole) | (_of_jobs(reader, jobs) if jobs else {})
    return ChangedRows(str(found[1]), until, more, now, tables)


def _end(reader: Reader, since: int, newest: int, limit: int) -> tuple[int, bool]:
    """Return the number of the last change of the page, and whether there are later ones."""
    sizes = reader.rows(_SIZES, (since, limit))
    total = 0
    for place, (seq, size) in enumerate(sizes, start=1):
        total += int(size or 0)
        if total > PAGE_BYTES and place < len(sizes):
            return int(seq), True
    return (int(sizes[-1][0]), True) if len(sizes) == limit else (newest, False)


def _above(reader: Reader, jobs: list[tuple[Any, ...]], until: int) -> list[tuple[Any, ...]]:
    """Return the jobs above these which come in a later page only, since they have changed later."""
    known = {row[_ID] for row in jobs}
    found: list[tuple[Any, ...]] = []
    wanted = {row[_PARENT] for row in jobs} - known - {None}
    while wanted:
        read = [row for row in reader.rows(_SOME, (json.dumps(sorted(wanted)),)) if row[_SEQ] > until]
        found += read
        known |= {row[_ID] for row in read}
        wanted = {row[_PARENT] for row in read} - known - {None}
    return found


def _of_jobs(reader: Reader, jobs: list[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    ids = json.dumps([row[_ID] for row in jobs])
    return {
        "jobs": jobs,
        "trees": reader.rows(_TREES, (json.dumps(sorted({row[_ROOT] for row in jobs} - {None})),)),
        "attempts": reader.rows(_newest("attempts", "number"), (ids, MOST_ATTEMPTS)),
        "changes": reader.rows(_newest("changes", "seq"), (ids, MOST_CHANGES)),
        "asks": reader.rows(_ASKS, (ids,)),
        "rules": reader.rows(_RULES, (ids,)),
    }


def _newest(table: str, by: str) -> str:
    """Return the query for the newest rows of each of some jobs."""
    columns = COLUMNS[table]
    numbered = f"SELECT {columns}, row_number() OVER (PARTITION BY job_id ORDER BY {by} DESC) AS age FROM {table} WHERE job_id IN {_GIVEN}"
    return f"SELECT {columns} FROM ({numbered}) WHERE age <= ? ORDER BY job_id, {by}"


def finite(tables: Mapping[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Return rows without what JSON can not say: infinity, which plain SQL can bring in, is the largest number there is."""
    most = sys.float_info.max
    return {
        name: [
            tuple(
                math.copysign(most, value) if isinstance(value, float) and math.isinf(value) else value for value in row
            )
            for row in found
        ]
        for name, found in tables.items()
    }
