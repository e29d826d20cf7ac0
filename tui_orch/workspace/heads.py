"""Keeps a worktree's HEAD on its own branch, whatever a worker did with it, without losing a commit."""

from tui_orch.workspace.git import PLAIN, GitError, How
from tui_orch.workspace.places import Plot, own_git_dir


def attach(plot: Plot, how: How = PLAIN) -> None:
    """Put HEAD back on the branch of ``plot``.

    Where HEAD has gone on from the branch (another branch, or none), the branch is moved forward to it; files and
    index stay as they are. Where HEAD is behind it, the branch is checked out. Where they went apart, GitError names
    both and nothing is changed. A branch that was deleted while HEAD stands elsewhere is made again at HEAD.
    """
    git = how.git(plot.folder)
    on = head_ref(plot, how)
    ours = commit_of(plot, plot.ref, how)
    if on == plot.ref:
        if ours is None:
            raise GitError(f"branch {plot.branch} of {plot.folder} is gone, and nothing there names its commit")
        return
    head = commit_of(plot, "HEAD", how)
    if head is None:  # an orphan branch without a commit: what it holds is in the files
        if ours is None:
            raise GitError(f"branch {plot.branch} of {plot.folder} is gone, and HEAD has no commit")
    elif ours is None or (head != ours and git.succeeds("merge-base", "--is-ancestor", ours, head)):
        git.run("update-ref", "-m", "orch: HEAD had gone on", plot.ref, head, ours or "0" * len(head))
    elif head != ours:
        if git.succeeds("merge-base", "--is-ancestor", head, ours):
            git.run("checkout", "-q", "--no-guess", plot.branch, "--")
            return
        where = on.removeprefix("refs/heads/") if on else "no branch"
        doing = " in the middle of a rebase" if rebasing(plot) else ""
        raise GitError(
            f"{plot.folder} stands on {where} at {head[:12]}{doing}, apart from its own branch {plot.branch} "
            f"at {ours[:12]}; both are kept"
        )
    git.run("symbolic-ref", "-m", "orch: back on its branch", "HEAD", plot.ref)


def head_ref(plot: Plot, how: How = PLAIN) -> str | None:
    """Return the full name of the branch that HEAD stands on, None for a detached one."""
    return how.git(plot.folder).answer("symbolic-ref", "-q", "HEAD")


def commit_of(plot: Plot, name: str, how: How = PLAIN) -> str | None:
    """Return the commit that a full name or HEAD stands for, or None."""
    return how.git(plot.folder).answer("rev-parse", "-q", "--verify", f"{name}^{{commit}}")


def merging(plot: Plot) -> bool:
    """Return whether a merge is in progress."""
    own = own_git_dir(plot)
    return own is not None and (own / "MERGE_HEAD").exists()


def rebasing(plot: Plot) -> bool:
    """Return whether a rebase is in progress."""
    own = own_git_dir(plot)
    return own is not None and any((own / name).exists() for name in ("rebase-merge", "rebase-apply"))
