"""Which worktrees and branches of an ended tree may go: those whose commits the branch above has; and why the rest stays.

Git is asked, not the store's notes. A root's branch counts as merged when one of the person's own branches holds it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from store.database import Store
from store.models import Job, Tree, Workspace
from store.settings import get_settings
from store.states import FINAL, Status
from store.tree import get_job, get_tree, subtree
from store.workspaces import branch_of, of_tree
from tui_orch.workspace.checkout import where_checked_out
from tui_orch.workspace.git import GitError, How
from tui_orch.workspace.of_job import how_of, plot_of
from tui_orch.workspace.places import Plot, own_git_dir
from tui_orch.workspace.reach import branches, contained, kept
from tui_orch.workspace.removal import take_away
from tui_orch.workspace.worktree import would_lose

_OF_TREES = "orch/"


@dataclass(frozen=True, slots=True)
class Finding:
    """A branch with its worktree: removed, or kept for a reason."""

    root_id: int
    job_id: int
    branch: str
    size_bytes: int
    kept_because: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """All that git and the store have of a tree: tips by branch, notes by job, jobs the deepest first."""

    root: Job
    tree: Tree
    jobs: tuple[Job, ...]
    notes: dict[int, Workspace]
    tips: dict[str, str]
    aside: dict[str, str]  # what was put aside of commands that were tried again
    how: How

    def plot(self, store: Store, job: Job) -> Plot:
        """Return where a job's worktree and branch are."""
        return plot_of(store.home, job, self.tree)

    def tip(self, job_id: int) -> str | None:
        """Return where a job's branch stands, None where there is none."""
        return self.tips.get(branch_of(self.tree, job_id))

    def above(self, job: Job) -> str | None:
        """Return the branch into which a job's is merged, None for the person's."""
        by_id = {each.id: each for each in self.jobs}
        parent_id = job.parent_id
        while parent_id is not None:
            if self.tip(parent_id) is not None:
                return branch_of(self.tree, parent_id)
            parent_id = by_id[parent_id].parent_id
        return None


def held(store: Store, root_id: int) -> Held:
    """Look at a tree with worktrees; where its repository is gone, so are its branches. Raises NotFound, GitError."""
    with store.read() as reader:
        root, tree, jobs = get_job(reader, root_id), get_tree(reader, root_id), subtree(reader, root_id)
        notes = {note.job_id: note for note in of_tree(reader, root_id)}
        how = how_of(get_settings(reader))
    jobs.sort(key=lambda job: (-job.depth, job.id))
    repository, prefix = Path(tree.repository or ""), tree.branch_prefix or ""
    is_there = repository.is_dir()
    tips = branches(repository, prefix, how) if is_there else {}
    return Held(root, tree, tuple(jobs), notes, tips, kept(repository, prefix, how) if is_there else {}, how)


def has_left(store: Store, root_id: int) -> bool:
    """Tell whether a tree has a branch or a worktree, as far as the store and its folder say."""
    with store.read() as reader:
        return bool(of_tree(reader, root_id)) or (store.home.root / "worktrees" / str(root_id)).exists()


def tidy(store: Store, root_id: int, now_ms: int, *, dry_run: bool = False) -> Iterator[Finding]:
    """Remove of an ended tree what may go, the deepest first; yield what was found of each branch.

    Nothing is touched of a tree that is opened again meanwhile. Raises GitError where its repository can not be read.
    """
    found = held(store, root_id)
    if found.root.status not in FINAL:
        return
    repository = Path(found.tree.repository or "")
    if not repository.is_dir():
        raise GitError(f"{repository} is not there any more; orch discard {root_id} removes what is left")
    elsewhere = where_checked_out(repository, found.how)
    reached = _reached(found)
    for job in found.jobs:
        plot, tip, note = found.plot(store, job), found.tip(job.id), found.notes.get(job.id)
        if tip is None and note is None and not plot.folder.exists():
            continue
        why = _why_kept(found, job, plot, tip, reached.get(job.id, True))
        if why is None and elsewhere.get(plot.branch, plot.folder) != plot.folder:
            why = f"it is checked out in {elsewhere[plot.branch]}"
        if why is None and not dry_run:
            why = take_away(store, plot, job, tip, found.how, now_ms)
        size = note.size_bytes if note is not None and note.removed_ms is None else 0
        yield Finding(root_id, job.id, plot.branch, size, why)


def _reached(found: Held) -> dict[int, bool]:
    """Tell of each job with a branch whether the branch above holds it: one walk of the history for each of those."""
    below: dict[str | None, list[Job]] = {}
    for job in found.jobs:
        if found.tip(job.id) is not None:
            below.setdefault(found.above(job), []).append(job)
    repository = Path(found.tree.repository or "")
    told = {}
    for above, jobs in below.items():
        tips = {found.tips[branch_of(found.tree, job.id)] for job in jobs}
        into = tips if above is None else contained(repository, tips, f"refs/heads/{above}", found.how)
        for job in jobs:
            tip = found.tips[branch_of(found.tree, job.id)]
            told[job.id] = tip in into if above is not None else _is_persons(found, repository, tip)
    return told


def _is_persons(found: Held, repository: Path, tip: str) -> bool:
    """Tell whether a local branch that is no tree's holds a commit."""
    git = found.how.git(repository)
    names = git.run("for-each-ref", "--format=%(refname:lstrip=2)", "--contains", tip, "refs/heads").split("\n")
    return any(name and not name.startswith(_OF_TREES) for name in names)


def _why_kept(found: Held, job: Job, plot: Plot, tip: str | None, is_reached: bool) -> str | None:
    """Return why a job's worktree and branch stay, None where they may go."""
    own = own_git_dir(plot)
    try:
        loses = None if own is None else would_lose(plot, own, found.how)
    except GitError as error:
        loses = str(error)
    note = found.notes.get(job.id)
    if loses is not None and note is not None and note.conflict_with is not None:
        return f"a conflict with #{note.conflict_with} stands in {plot.folder}"
    if loses is not None:
        return loses
    if tip is None and plot.folder.exists():
        return f"its branch is gone, but {plot.folder} is not"
    return None if is_reached else _why_alone(found, job)


def _why_alone(found: Held, job: Job) -> str:
    if job.id == found.root.id:
        return f"you have not merged it: orch merge {job.id}, or orch discard {job.id}"
    if job.status in (Status.FAILED, Status.CANCELLED):
        return f"it is {job.status}: its work is only on its branch"
    above = found.above(job) or found.tree.base_branch or "no branch of yours"
    return f"its work is only on its branch, {above} does not have it"
