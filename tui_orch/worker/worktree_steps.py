"""The steps of a worker in a worktree: what is noted of its folder and branch, and of the merges into it."""

from dataclasses import dataclass

from store import workspaces
from store.database import Reader, Transaction
from store.models import Fence, Job, Outcome
from store.states import FINAL, Reason, Status
from store.tree import get_job, get_tree
from tui_orch.worker.merge_conflict import not_resolved, resolver_request
from tui_orch.worker.steps.registry import changes, looks
from tui_orch.workspace.merging import Source


@dataclass(frozen=True, slots=True)
class Conflict:
    """A merge that stands in progress in the job's worktree. ``with_id``: the job whose branch it is."""

    with_id: int
    files: tuple[str, ...]


@looks
def start_commit(reader: Reader, fence: Fence, _now_ms: int) -> str:
    """Return the commit that the job's branch begins at."""
    job = get_job(reader, fence.job_id)
    return workspaces.start_of(reader, job, get_tree(reader, job.root_id))


@looks
def sources_to_merge(reader: Reader, fence: Fence, _now_ms: int) -> list[Source]:
    """Return the branches that are to be merged into the job's, in order."""
    return [Source(each.job_id, each.title, each.branch) for each in workspaces.to_merge(reader, fence.job_id)]


@looks
def ended_child(reader: Reader, fence: Fence, _now_ms: int, job_id: int) -> Job | None:
    """Return a job that has ended, if it is a child of the attempt's."""
    found = get_job(reader, job_id)
    return found if found.parent_id == fence.job_id and found.status in FINAL else None


@changes
def note_made(tx: Transaction, fence: Fence, now_ms: int, head: str, size_bytes: int) -> None:
    """Note that the worktree is there."""
    workspaces.note_made(tx, fence, head, size_bytes, now_ms)


@changes
def note_head(tx: Transaction, fence: Fence, _now_ms: int, head: str, diff: tuple[int, int, int], size: int) -> None:
    """Note where the branch stands. ``diff``: files, insertions, deletions since its start; ``size`` in bytes."""
    workspaces.note_head(tx, fence, head, diff, size)


@changes
def forget_merges(tx: Transaction, fence: Fence, _now_ms: int) -> None:
    """Note that the branch begins anew, without what was merged."""
    workspaces.forget_merges(tx, fence)


@changes
def note_merged(
    tx: Transaction, fence: Fence, _now_ms: int, done: dict[int, str], conflict: Conflict | None = None
) -> None:
    """Note which jobs' branches are merged, by which commit, and the conflict that the next one ended in."""
    workspaces.note_merged(tx, fence, done)
    if conflict is not None:
        workspaces.note_conflict(tx, fence, conflict.with_id, conflict.files)


@changes
def note_child_removed(tx: Transaction, fence: Fence, now_ms: int, job_id: int) -> None:
    """Note that the worktree of a child, which is merged, is gone."""
    if ended_child(tx, fence, now_ms, job_id) is not None:
        workspaces.note_removed(tx, job_id, now_ms)


@changes
def call_resolver(tx: Transaction, fence: Fence, now_ms: int, files: tuple[str, ...]) -> Outcome | None:
    """Give a conflict to a child that can resolve it, one at a time; return how the job ends where there can be none."""
    job = get_job(tx, fence.job_id)
    workspaces.note_merged(tx, fence, {})
    last = workspaces.last_resolver(tx, job.id)
    if last is not None and last.status not in FINAL:
        return None
    if last is not None and last.status is not Status.COMPLETED:
        return conflict_stays(not_resolved(last.id, files))
    waiting = workspaces.to_merge(tx, job.id)
    request = resolver_request(job, files, [(each.job_id, each.title) for each in waiting])
    workspaces.spawn_resolver(tx, fence, request, [each.job_id for each in waiting], now_ms)
    return None


def conflict_stays(said: str) -> Outcome:
    """Return the end of a job whose conflict nobody can resolve."""
    return Outcome(Status.FAILED, Reason.CONFLICT, error=said, retry=False)
