"""All of a tree's worktrees, branches and what was put aside of it: counted before it is lost, then removed."""

from dataclasses import dataclass
from pathlib import Path

from store.database import Store
from store.errors import IllegalChange
from store.states import FINAL
from tui_orch.workspace.checkout import where_checked_out
from tui_orch.workspace.git import GitError
from tui_orch.workspace.places import own_git_dir
from tui_orch.workspace.reach import delete_kept
from tui_orch.workspace.removal import OPENED, clear, take_away
from tui_orch.workspace.tidy import Held
from tui_orch.workspace.worktree import Plot, uncommitted


@dataclass(frozen=True, slots=True)
class Loss:
    """What a discard takes away. ``commits`` are those that no other branch, tag or remote holds."""

    branches: tuple[str, ...]
    worktrees: int
    kept: int
    commits: int
    files: int  # that the root's branch changes
    uncommitted: int

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to take away."""
        return not (self.branches or self.worktrees or self.kept)


def loss(store: Store, found: Held) -> Loss:
    """Count what would be lost. Raises IllegalChange where a branch of it is checked out elsewhere, GitError."""
    repository, prefix = Path(found.tree.repository or ""), found.tree.branch_prefix or ""
    plots = {job.id: found.plot(store, job) for job in found.jobs}
    there = [plot for plot in plots.values() if plot.folder.exists()]
    if not repository.is_dir():
        return Loss((), len(there), 0, 0, 0, 0)
    folders = {plot.branch: plot.folder for plot in plots.values()}
    for branch, folder in where_checked_out(repository, found.how).items():
        if branch in found.tips and folders.get(branch) != folder:
            raise IllegalChange(f"branch {branch} is checked out in {folder}; go to another first: git switch --detach")
    git = found.how.git(repository)
    tips = {*found.tips.values(), *found.aside.values()}
    others = ("--single-worktree", f"--exclude=refs/heads/{prefix}/*", f"--exclude=refs/orch/kept/{prefix}/*", "--all")
    commits = int(git.run("rev-list", "--count", *tips, "--not", *others)) if tips else 0
    root_tip, base = found.tip(found.root.id), found.tree.base_commit
    names = git.lines("diff-tree", "-r", "-z", "--name-only", base, root_tip) if root_tip and base else []
    return Loss(tuple(found.tips), len(there), len(found.aside), commits, len(names), sum(map(_uncommitted, there)))


def discard(store: Store, found: Held, now_ms: int) -> list[str]:
    """Remove it all; return a line for each thing that stayed. What is gone already is noted so.

    Raises IllegalChange where the tree is opened again meanwhile, what is gone by then being gone.
    """
    repository = Path(found.tree.repository or "")
    stayed, known = [], set()
    for job in found.jobs:
        plot, tip = found.plot(store, job), found.tip(job.id)
        known.add(plot.branch)
        if tip is None and job.id not in found.notes and not plot.folder.exists():
            continue
        why = take_away(store, plot, job, tip, found.how, now_ms)
        if why == OPENED:
            raise IllegalChange(f"tree #{found.root.id} was opened again meanwhile; the rest of it stays")
        if why is not None:
            stayed.append(f"{plot.branch}: {why}")
    for name, commit in found.aside.items():
        try:
            delete_kept(repository, name, commit, found.how)
        except GitError as error:
            stayed.append(f"refs/orch/kept/{name}: {error}")
    stayed += [f"{name}: no job of this tree has it" for name in found.tips if name not in known]
    clear(store.home)
    return stayed


def require_ended(found: Held) -> None:
    """Refuse a tree that works on. Raises IllegalChange."""
    root = found.root
    if root.status not in FINAL:
        raise IllegalChange(
            f"tree #{root.id} is {root.status}; wait for it: orch wait {root.id}, or end it: orch cancel {root.id}"
        )


def _uncommitted(plot: Plot) -> int:
    if own_git_dir(plot) is None:
        return 0
    try:
        return len(uncommitted(plot))
    except GitError:  # half of a worktree: nothing in it was anybody's
        return 0
