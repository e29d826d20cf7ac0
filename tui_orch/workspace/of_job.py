"""From a job's rows to its worktree, for everyone who has to do with it: its worker, `orch spawn`, `orch merge`, `orch gc`.

Reads the store; what it does in git is what `commit` and `worktree` do.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from store.database import Reader
from store.errors import BadInput
from store.home import Home
from store.models import Fence, Job, Tree, Workspace
from store.settings import Settings, get_settings
from store.tree import get_job, get_tree
from store.workspaces import branch_of, get_workspace
from tui_orch.workspace.commit import Unresolved, save
from tui_orch.workspace.git import GitError, How, Ways
from tui_orch.workspace.worktree import Plot, is_made


def plot_of(home: Home, job: Job, tree: Tree) -> Plot:
    """Return where a job's worktree and branch are, made or not."""
    assert tree.repository is not None, "only a tree with worktrees has any"
    return Plot(Path(tree.repository), home.worktree_dir(tree.root_id, job.id), branch_of(tree, job.id))


def folder_in(plot: Plot, tree: Tree) -> Path:
    """Return the folder in which the job's worker runs: the same within its worktree as the tree's within the repository."""
    try:
        return plot.folder / Path(tree.work_dir).relative_to(plot.repository)
    except ValueError:
        return plot.folder


def how_of(
    settings: Settings, env: Mapping[str, str] | None = None, stopped: Callable[[], bool] = lambda: False
) -> How:
    """Return how git is called for a store with these settings."""
    return How(
        env=env, ways=Ways(hooks=settings.git_hooks == "on", signing=settings.git_signing == "on"), stopped=stopped
    )


def message_of(job: Job, session_id: str | None) -> str:
    """Return the message of the commit of what a job's worker left: its title and id, and its session."""
    session = f"\nSession {session_id}" if session_id else ""
    return f"{job.title} (#{job.id})\n\nJob #{job.id} of tree #{job.root_id}, attempt {job.attempt}{session}\n"


class Readable(Protocol):
    """An open store, or several of it."""

    @property
    def home(self) -> Home:
        """Where it is."""
        ...

    def read(self) -> AbstractContextManager[Reader]:
        """Read one moment of it."""
        ...


def save_before_spawn(store: Readable, fence: Fence, env: Mapping[str, str] | None = None) -> None:
    """Commit what the job's worker has not committed yet, so that the children that it is about to spawn begin with it.

    With a merge in progress they begin with what was committed before it. Raises BadInput where git can not do it.
    """
    with store.read() as reader:
        job, tree, settings = _of(reader, fence)
        noted = get_workspace(reader, job.id)
    if tree.has_worktrees:
        save_for_children(store.home, job, tree, settings, noted, env)


def save_for_children(
    home: Home,
    job: Job,
    tree: Tree,
    settings: Settings,
    noted: Workspace | None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Do what `save_before_spawn` does, for a job of a tree with worktrees that has been read."""
    plot = plot_of(home, job, tree)
    try:
        if is_made(plot):
            conflicts = noted.conflicts if noted else ()
            save(plot, message_of(job, job.session_id), how_of(settings, env), conflicts)
    except Unresolved:
        return
    except GitError as error:
        raise BadInput(f"what job #{job.id} has changed can not be committed for its children: {error}") from error


def _of(reader: Reader, fence: Fence) -> tuple[Job, Tree, Settings]:
    job = get_job(reader, fence.job_id)
    return job, get_tree(reader, job.root_id), get_settings(reader)
