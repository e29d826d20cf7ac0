"""The steps of every kind of worker: what it has to know, what it shows, how its attempt ends."""

from store import claim, submit
from store.database import Reader, Transaction
from store.models import Fence, Job, NewJob, Spawned, Tree, Workspace
from store.settings import Settings, get_settings
from store.states import Status
from store.tree import get_job, get_tree
from store.workspaces import get_workspace
from tui_orch.worker.record import record
from tui_orch.worker.steps.registry import changes, looks
from tui_orch.worker.work import Ending


@looks
def settings(reader: Reader, _fence: Fence, _now_ms: int) -> Settings:
    """Return the store's settings."""
    return get_settings(reader)


@looks
def own_job(reader: Reader, fence: Fence, _now_ms: int) -> Job:
    """Return the job's row as it is now."""
    return get_job(reader, fence.job_id)


@looks
def own_tree(reader: Reader, fence: Fence, _now_ms: int) -> Tree:
    """Return the tree's row as it is now."""
    return get_tree(reader, get_job(reader, fence.job_id).root_id)


@looks
def own_workspace(reader: Reader, fence: Fence, _now_ms: int) -> Workspace | None:
    """Return what is noted of the job's worktree."""
    return get_workspace(reader, fence.job_id)


@looks
def is_lending(reader: Reader, fence: Fence, _now_ms: int) -> bool:
    """Tell whether clients in the job have lent its slot."""
    return get_job(reader, fence.job_id).lending > 0


@looks
def own_children(reader: Reader, fence: Fence, _now_ms: int, job_ids: list[int]) -> list[Job]:
    """Return those of the jobs that are children of the attempt's."""
    found = (get_job(reader, job_id) for job_id in job_ids)
    return [job for job in found if job.parent_id == fence.job_id]


@changes
def spawn(tx: Transaction, fence: Fence, now_ms: int, tasks: tuple[NewJob, ...]) -> Spawned:
    """Insert children as one batch."""
    return submit.spawn(tx, fence, tasks, now_ms)


@changes
def show_activity(tx: Transaction, fence: Fence, now_ms: int, text: str) -> None:
    """Store the last line of what the worker does; it holds no secrets any more."""
    claim.set_activity(tx, fence, text, now_ms)


@changes
def lend_slot(tx: Transaction, fence: Fence, _now_ms: int, name: str) -> None:
    """Give the slot away while a client of this name blocks."""
    claim.lend_slot(tx, fence, name)


@changes
def take_slot(tx: Transaction, fence: Fence, _now_ms: int, name: str) -> bool:
    """Tell whether a client that has blocked may go on, and ask for the slot if not. Call it until it is so."""
    return claim.want_slot(tx, fence, name)


@changes
def record_ending(tx: Transaction, fence: Fence, now_ms: int, ending: Ending) -> Status:
    """Record how the attempt ended; return the status that the job has then."""
    return record(tx, fence, ending, now_ms)
