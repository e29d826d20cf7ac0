"""What is used of a tree's limits, and what is still to do below a job: a few numbers instead of all rows. Reads only."""

from dataclasses import dataclass

from store.database import Reader
from store.errors import NotFound
from store.states import Status

_TREE = """
SELECT max(depth), max(children), count(*) FILTER (WHERE status = 'running' AND lending = 0),
  max(subtree_cost_usd) FILTER (WHERE id = root_id)
FROM jobs WHERE root_id = ?
"""
_BELOW = """
WITH RECURSIVE below(id) AS (
  SELECT ? UNION SELECT jobs.id FROM jobs JOIN below ON jobs.parent_id = below.id)
SELECT status, count(*) FROM jobs WHERE id IN (SELECT id FROM below) GROUP BY status
"""


@dataclass(frozen=True, slots=True)
class TreeUse:
    """What of a tree's limits is used; how many jobs it has stands in its row (`Tree.jobs`)."""

    deepest: int  # depth of the deepest job
    most_children: int  # of one job
    running: int  # processes now
    spent_usd: float


def tree_use(reader: Reader, root_id: int) -> TreeUse:
    """Return what is used of a tree's limits. Looks at every job of the tree. Raises NotFound."""
    row = reader.row(_TREE, (root_id,))
    if row is None or row[0] is None:
        raise NotFound(f"there is no tree #{root_id}; see: orch list")
    return TreeUse(row[0], row[1], row[2], row[3])


def subtree_counts(reader: Reader, job_id: int) -> dict[Status, int]:
    """Return how many jobs of a subtree, its top included, are in each state. Looks at every job of it."""
    found = dict(reader.rows(_BELOW, (job_id,)))
    return {status: found.get(status.value, 0) for status in Status}
