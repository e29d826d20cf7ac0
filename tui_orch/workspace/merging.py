"""Branches of children merged into the worktree of their parent, one by one and in order.

A note in the worktree's own git folder is there from before the first merge until the last is done or a conflict was
handed over; where a kill leaves it, ``mend`` undoes what was half done and ``merge`` does it again. What is merged
already is told by the history alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tui_orch.workspace.conflict import files_in_conflict
from tui_orch.workspace.git import PLAIN, Git, GitError, How
from tui_orch.workspace.heads import attach, merging
from tui_orch.workspace.places import MERGING, Plot, own_git_dir, write_durably
from tui_orch.workspace.worktree import begin_clean, uncommitted

_TITLE = 120


@dataclass(frozen=True, slots=True)
class Source:
    """A child whose branch is to be merged."""

    job_id: int
    title: str
    branch: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A merge that stands in progress in the worktree, and its files."""

    job_id: int
    branch: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """What is in the worktree's branch now: (job id, commit of its branch) in order; and what stopped it."""

    done: tuple[tuple[int, str], ...]
    conflict: Conflict | None = None


def merge(plot: Plot, sources: Sequence[Source], how: How = PLAIN) -> Merged:
    """Merge the branches in order, each by a merge commit; one that is in already counts as done.

    The worktree must hold nothing uncommitted. A conflict is left in place and returned: note it, then call
    ``handed_over``. Raises GitError for a missing branch or what git refuses; nothing is half done then.
    """
    own = own_git_dir(plot)
    if own is None:
        raise GitError(f"{plot.folder} is no worktree")
    attach(plot, how)
    if merging(plot):
        raise GitError(f"a merge is in progress in {plot.folder}")
    git = how.git(plot.folder)
    tips = [(source, _tip(git, source)) for source in sources]
    if all(_is_in(git, tip) for _, tip in tips):
        return Merged(tuple((source.job_id, tip) for source, tip in tips))
    paths = [path for path in uncommitted(plot, how) if not path.endswith("/")]
    if paths:
        raise GitError(f"{len(paths)} uncommitted in {plot.folder}, the first is {paths[0]!r}")
    write_durably(own / MERGING, "".join(f"{tip} {source.branch}\n" for source, tip in tips))
    done: list[tuple[int, str]] = []
    for source, tip in tips:
        if not _is_in(git, tip):
            files = _merge_one(plot, own, git, source, how)
            if files:
                return Merged(tuple(done), Conflict(source.job_id, source.branch, files))
        done.append((source.job_id, tip))
    handed_over(plot)
    return Merged(tuple(done))


def handed_over(plot: Plot) -> None:
    """Take the note away: the conflict that stands in the worktree is somebody's to resolve now."""
    own = own_git_dir(plot)
    if own is not None:
        (own / MERGING).unlink(missing_ok=True)


def _tip(git: Git, source: Source) -> str:
    commit = git.answer("rev-parse", "-q", "--verify", f"refs/heads/{source.branch}^{{commit}}")
    if commit is None:
        raise GitError(f"branch {source.branch} of job {source.job_id} is gone")
    return commit


def _is_in(git: Git, commit: str) -> bool:
    return git.succeeds("merge-base", "--is-ancestor", commit, "HEAD")


def _merge_one(plot: Plot, own: Path, git: Git, source: Source, how: How) -> tuple[str, ...]:
    """Merge one branch; return the files in conflict, of which there are none when it is done."""
    title = " ".join(source.title.split())[:_TITLE]
    tagged = git.succeeds("show-ref", "--verify", "-q", f"refs/tags/{source.branch}")
    name = f"heads/{source.branch}" if tagged else source.branch
    verify = () if how.ways.hooks else ("--no-verify",)
    words = ("--no-ff", "--no-edit", "--no-squash", "--commit", "--cleanup=whitespace", *verify, "-q")
    try:
        git.run("merge", *words, "-m", f"Merge {source.branch}: {title}", name)
    except GitError:
        files = files_in_conflict(plot, how) if merging(plot) else ()
        if not files:  # refused before it began, by a hook of the repository, or cut short (the disk is full)
            begin_clean(plot, "HEAD", how)
            (own / MERGING).unlink()
            raise
        return files
    return ()
