"""The person's own checkout: where they stand in it, and the merge that they ask for. Theirs are hooks and signing there.

Leaves the checkout as it was or with the merge commit, never with half of it.
"""

from dataclasses import dataclass
from pathlib import Path

from tui_orch.workspace.git import PLAIN, Git, GitError, How, Stopped

_UNDER_WAY = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "BISECT_LOG": "bisect",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """``branch`` is None at a detached HEAD; ``under_way`` is what someone has begun and not ended; ``changed`` tracked files."""

    branch: str | None
    commit: str
    under_way: str | None
    changed: tuple[str, ...]


class Conflicts(Exception):
    """The branches do not go together: ``files``. The merge was taken back."""

    def __init__(self, files: tuple[str, ...]) -> None:
        super().__init__(f"conflict in {', '.join(files)}")
        self.files = files


def standing(repository: Path, how: How = PLAIN) -> Standing:
    """Look at a checkout. Raises GitError where there is none."""
    git = how.git(repository)
    own = Path(git.run("rev-parse", "--absolute-git-dir"))
    branch = git.run("symbolic-ref", "-q", "HEAD") if git.succeeds("symbolic-ref", "-q", "HEAD") else None
    entries = git.lines("status", "--porcelain", "-z", "--no-renames", "--untracked-files=no")
    return Standing(
        None if branch is None else branch.removeprefix("refs/heads/"),
        git.run("rev-parse", "--verify", "HEAD^{commit}"),
        next((word for name, word in _UNDER_WAY.items() if (own / name).exists()), None),
        tuple(entry[3:] for entry in entries),
    )


def merge_here(repository: Path, commit: str, message: str, how: How) -> str:
    """Merge a commit into the branch that the checkout stands on, always with a commit of its own; return that.

    Raises Conflicts, or GitError for what git or a hook refuses; nothing is changed then.
    """
    git = how.git(repository)
    try:
        git.run("merge", "--no-ff", "--no-edit", "--no-squash", "--commit", "-q", "-m", message, commit)
    except (GitError, Stopped, KeyboardInterrupt):
        files = _in_conflict(git)
        if git.succeeds("rev-parse", "-q", "--verify", "MERGE_HEAD"):
            git.run("merge", "--abort")
        if files:
            raise Conflicts(files) from None
        raise
    return git.run("rev-parse", "--verify", "HEAD^{commit}")


def where_checked_out(repository: Path, how: How = PLAIN) -> dict[str, Path]:
    """Return by branch the folder in which it is checked out."""
    found: dict[str, Path] = {}
    folder = repository
    for line in how.git(repository).run("worktree", "list", "--porcelain").split("\n"):
        name, _, value = line.partition(" ")
        if name == "worktree":
            folder = Path(value)
        elif name == "branch":
            found[value.removeprefix("refs/heads/")] = folder
    return found


def _in_conflict(git: Git) -> tuple[str, ...]:
    return tuple(git.lines("diff", "--name-only", "--diff-filter=U", "-z"))
