"""The steps of every kind of worker: what it has to know, what it shows, how its attempt ends."""

from store.claim import set_activity
from store.database import Reader, Transaction
from store.models import Fence, Job, Tree, Workspace
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


@changes
def show_activity(tx: Transaction, fence: Fence, now_ms: int, text: str) -> None:
    """Store the last line of what the worker does; it holds no secrets any more."""
    set_activity(tx, fence, text, now_ms)


@changes
def record_ending(tx: Transaction, fence: Fence, now_ms: int, ending: Ending) -> Status:
    """Record how the attempt ended; return the status that the job has then."""
    return record(tx, fence, ending, now_ms)
