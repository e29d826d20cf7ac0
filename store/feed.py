"""The change feed: which jobs have changed since a number, at the cost of what changed."""

from store import rows
from store.database import Reader
from store.models import Job

_CHANGED = f"SELECT {rows.JOB_COLUMNS} FROM jobs WHERE seq > ? ORDER BY seq LIMIT ?"
# The + keeps it on the index of seq: by that of root_id it would read and sort the whole tree.
_CHANGED_IN_TREE = f"SELECT {rows.JOB_COLUMNS} FROM jobs WHERE seq > ? AND +root_id = ? ORDER BY seq LIMIT ?"


def newest_seq(reader: Reader) -> int:
    """Return the number of the newest change."""
    return int(reader.value("SELECT seq FROM store"))


def changed_since(reader: Reader, seq: int, limit: int = 1_000, root_id: int | None = None) -> list[Job]:
    """Return the jobs that changed after ``seq``, as they are now, oldest change first; of one tree where given.

    Go on from the ``seq`` of the last one. A job that changed twice comes once.
    """
    if root_id is None:
        found = reader.rows(_CHANGED, (seq, limit))
    else:
        found = reader.rows(_CHANGED_IN_TREE, (seq, root_id, limit))
    return [rows.job(row) for row in found]
