"""What the store notes of git for a tree whose jobs have worktrees: branches, commits, what is merged and what conflicts.

Notes alone: git is the truth, and whoever notes here has done it there before. Every note of an attempt carries its fence.
Runs no git, and never decides what is merged: it tells what could be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from store import rows
from store.claim import require_running
from store.database import Reader, Transaction
from store.errors import IllegalChange
from store.home import Home
from store.models import Fence, Job, NewJob, Tree, Workspace
from store.states import Kind, Reason, Status
from store.submit import spawn
from store.tree import get_job, get_tree, path

_GET = f"SELECT {rows.WORKSPACE_COLUMNS} FROM workspaces WHERE job_id = ?"
_FIRST_MADE = "INSERT INTO workspaces(start_commit, size_bytes, made_ms, job_id, branch) VALUES (?, ?, ?, ?, ?)"
_MADE = """
UPDATE workspaces SET start_commit = coalesce(start_commit, ?), size_bytes = ?, made_ms = ?, removed_ms = NULL, deleted_ms = NULL
WHERE job_id = ?
"""
_HEAD = (
    "UPDATE workspaces SET head_commit = ?, files = ?, insertions = ?, deletions = ?, size_bytes = ? WHERE job_id = ?"
)
_MERGED = "UPDATE workspaces SET merged_commit = ?, head_commit = coalesce(head_commit, ?) WHERE job_id = ?"
_MERGED_CHILD = f"{_MERGED} AND job_id IN (SELECT id FROM jobs WHERE parent_id = ?)"
_CONFLICT = "UPDATE workspaces SET conflict_with = ?, conflicts = ? WHERE job_id = ?"
_FORGET_MERGES = """
UPDATE workspaces SET merged_commit = NULL WHERE job_id IN (SELECT id FROM jobs WHERE parent_id = ?)
"""
_REMOVED = "UPDATE workspaces SET removed_ms = ? WHERE job_id = ? AND removed_ms IS NULL"
_DELETED = "UPDATE workspaces SET removed_ms = coalesce(removed_ms, ?1), deleted_ms = ?1 WHERE job_id = ?2"
_RESOLVES = "INSERT INTO workspaces(job_id, branch, merges) VALUES (?, ?, ?)"
# A resolver's branch comes first: it has all of those that conflict, which are then merged already.
_OPEN_MERGES = """
SELECT jobs.id, jobs.title, workspaces.branch, workspaces.head_commit
FROM jobs JOIN workspaces ON workspaces.job_id = jobs.id
WHERE {which} AND jobs.status IN ('completed', 'partial') AND made_ms IS NOT NULL AND deleted_ms IS NULL
  AND (head_commit IS NULL OR (head_commit IS NOT start_commit AND head_commit IS NOT merged_commit))
ORDER BY merges = '[]', jobs.id
"""
_OF_CHILDREN = _OPEN_MERGES.format(which="jobs.parent_id = ?")
_OF_LIST = _OPEN_MERGES.format(which="jobs.id IN (SELECT value FROM json_each(?))")
_HAS_OPEN_MERGES = f"SELECT EXISTS ({_OF_CHILDREN})"
_HAS_WORKTREES = "SELECT 1 FROM trees WHERE root_id = ? AND workspace = 'worktree'"
_LAST_RESOLVER = """
SELECT max(jobs.id) FROM jobs JOIN workspaces ON workspaces.job_id = jobs.id WHERE jobs.parent_id = ? AND workspaces.merges <> '[]'
"""
_OF_TREE = f"""
SELECT {rows.WORKSPACE_COLUMNS} FROM workspaces JOIN jobs ON jobs.id = workspaces.job_id
WHERE jobs.root_id = ? AND start_commit IS NOT NULL AND deleted_ms IS NULL ORDER BY jobs.depth DESC, jobs.id
"""
_ENDED = """
SELECT jobs.id FROM jobs JOIN trees ON trees.root_id = jobs.id
WHERE jobs.parent_id IS NULL AND trees.workspace = 'worktree' AND jobs.ended_ms IS NOT NULL AND jobs.ended_ms < ?
  AND jobs.status IN ('completed', 'partial', 'failed', 'cancelled') ORDER BY jobs.id
"""
_ON_DISK = (
    "SELECT count(*), coalesce(sum(size_bytes), 0) FROM workspaces WHERE made_ms IS NOT NULL AND removed_ms IS NULL"
)


@dataclass(frozen=True, slots=True)
class ToMerge:
    """A job whose branch is to be merged; ``commit``: its newest one as far as it is noted."""

    job_id: int
    title: str
    branch: str
    commit: str | None


@dataclass(frozen=True, slots=True)
class OnDisk:
    """The worktrees of the whole store."""

    number: int
    size_bytes: int


def folder_of(home: Home, job: Job) -> Path:
    """Return where a job's worktree is, once it is made."""
    return home.worktree_dir(job.root_id, job.id)


def branch_of(tree: Tree, job_id: int) -> str:
    """Return the name of a job's branch: ``orch/<root>/<id>``."""
    return f"{tree.branch_prefix}/{job_id}"


def get_workspace(reader: Reader, job_id: int) -> Workspace | None:
    """Return what is noted of a job's branch, None before it has one."""
    row = reader.row(_GET, (job_id,))
    return None if row is None else rows.workspace(row)


def of_tree(reader: Reader, root_id: int) -> list[Workspace]:
    """Return the workspaces of a tree that have a branch, the deepest first."""
    return [rows.workspace(row) for row in reader.rows(_OF_TREE, (root_id,))]


def start_of(reader: Reader, job: Job, tree: Tree) -> str:
    """Return where a new branch of the job begins: the branch of the nearest job above that has one, else the tree's first commit."""
    for above in reversed(path(reader, job.id)[:-1]):
        found = get_workspace(reader, above.id)
        if found is not None and found.made_ms is not None and found.deleted_ms is None:
            return f"refs/heads/{found.branch}"
    if tree.base_commit is None:
        raise IllegalChange(f"tree #{tree.root_id} has no worktrees")
    return tree.base_commit


def ended_trees(reader: Reader, before_ms: int) -> list[int]:
    """Return the trees with worktrees that ended before then."""
    return [root_id for (root_id,) in reader.rows(_ENDED, (before_ms,))]


def on_disk(reader: Reader) -> OnDisk:
    """Return how many worktrees there are, and their size."""
    row = reader.row(_ON_DISK)
    assert row is not None
    return OnDisk(*row)


def to_merge(reader: Reader, job_id: int) -> list[ToMerge]:
    """Return the jobs whose work is to be merged into this one's branch, in the order in which it is done."""
    found = get_workspace(reader, job_id)
    given = [] if found is None or not found.merges else reader.rows(_OF_LIST, (rows.dumps(list(found.merges)),))
    return [ToMerge(*row) for row in (*given, *reader.rows(_OF_CHILDREN, (job_id,)))]


def needs_merge(reader: Reader, job: Job) -> bool:
    """Tell whether a job that could end has children with work that its branch does not have."""
    if job.own_status in (Status.FAILED, Status.CANCELLED) or job.stop_reason is not None or not job.children:
        return False
    return bool(reader.value(_HAS_WORKTREES, (job.root_id,)) and reader.value(_HAS_OPEN_MERGES, (job.id,)))


def last_resolver(reader: Reader, job_id: int) -> Job | None:
    """Return the child that was called last to resolve a conflict for this job, None before there is one."""
    found = reader.value(_LAST_RESOLVER, (job_id,))
    return None if found is None else get_job(reader, int(found))


def note_made(tx: Transaction, fence: Fence, start_commit: str, size_bytes: int, now_ms: int) -> None:
    """Note that the job's branch and worktree are there. Raises StaleAttempt."""
    job = require_running(tx, fence)
    if not tx.run(_MADE, (start_commit, size_bytes, now_ms, job.id)):
        branch = branch_of(get_tree(tx, job.root_id), job.id)
        tx.run(_FIRST_MADE, (start_commit, size_bytes, now_ms, job.id, branch))


def note_head(tx: Transaction, fence: Fence, head_commit: str, changed: tuple[int, int, int], size_bytes: int) -> None:
    """Note the newest commit of the job's branch, and the files, added and deleted lines since its start. Raises StaleAttempt."""
    require_running(tx, fence)
    tx.run(_HEAD, (head_commit, *changed, size_bytes, fence.job_id))


def note_merged(tx: Transaction, fence: Fence, commits: Mapping[int, str]) -> None:
    """Note which commits of which children the job's branch has now; a conflict that was there is over. Raises StaleAttempt.

    Jobs that are no children of its own are left out: their parent's branch does not have them yet.
    """
    require_running(tx, fence)
    for job_id, commit in commits.items():
        tx.run(_MERGED_CHILD, (commit, commit, job_id, fence.job_id))
    tx.run(_CONFLICT, (None, "[]", fence.job_id))


def note_conflict(tx: Transaction, fence: Fence, with_id: int, files: Sequence[str]) -> None:
    """Note which files of a merge under way the worker is to resolve. Raises StaleAttempt."""
    require_running(tx, fence)
    tx.run(_CONFLICT, (with_id, rows.dumps(list(files)), fence.job_id))


def forget_merges(tx: Transaction, fence: Fence) -> None:
    """Note that the job's branch begins again without what it had merged. Raises StaleAttempt."""
    require_running(tx, fence)
    tx.run(_FORGET_MERGES, (fence.job_id,))
    tx.run(_CONFLICT, (None, "[]", fence.job_id))


def note_merged_by_person(tx: Transaction, root_id: int, commit: str) -> None:
    """Note that a person has merged the root's branch up to this commit."""
    tx.run(_MERGED, (commit, commit, root_id))


def note_removed(tx: Transaction, job_id: int, now_ms: int) -> None:
    """Note that a job's worktree is off the disk."""
    tx.run(_REMOVED, (now_ms, job_id))


def note_deleted(tx: Transaction, job_id: int, now_ms: int) -> None:
    """Note that a job's branch is gone, with its worktree."""
    tx.run(_DELETED, (now_ms, job_id))


def spawn_resolver(tx: Transaction, fence: Fence, request: str, merges: Sequence[int], now_ms: int) -> int:
    """Give a job that can resolve nothing itself a child that merges these jobs' branches. Return the child's id.

    Raises StaleAttempt, and LimitExceeded where the tree takes no further child.
    """
    job = require_running(tx, fence)
    title = f"Resolve the merge conflicts of #{job.id}"
    child_id = spawn(tx, fence, [NewJob(request, Kind.CLAUDE, title, priority=job.priority)], now_ms).job_ids[0]
    tx.run(_RESOLVES, (child_id, branch_of(get_tree(tx, job.root_id), child_id), rows.dumps(list(merges))))
    return child_id


def is_merge_alone(job: Job) -> bool:
    """Tell whether an attempt of this job only merges: a group has no work of its own, any other has done its own before."""
    return job.kind is Kind.GROUP or job.own_status is Status.COMPLETED


def is_merge_failure(job: Job) -> bool:
    """Tell whether a job failed because its children's work could not be merged, its own having been done."""
    is_stuck = job.own_status is Status.FAILED and job.reason in (Reason.CONFLICT, Reason.WORKSPACE)
    return is_stuck and job.kind is not Kind.CLAUDE and job.children > 0
