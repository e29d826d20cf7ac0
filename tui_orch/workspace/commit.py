"""What a worker left uncommitted becomes a commit on its branch, or is put aside where a try begins anew.

Files are listed and staged one by one, so that a store's files, files that Claude Code has written by half, and
repositories nested inside the worktree are never part of a commit. A nested repository's files stay where they are (``nested`` names them, ``remove`` keeps their folder).
"""

import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui_orch.workspace.conflict import unresolved
from tui_orch.workspace.git import PLAIN, Git, GitError, How
from tui_orch.workspace.heads import attach, commit_of, merging
from tui_orch.workspace.places import Plot, common_dir, is_half_written, of_store, own_git_dir

__all__ = ["Diffstat", "Unresolved", "diffstat", "keep_aside", "nested", "save", "unresolved"]

_GITLINK = "160000"
_NAMES = 10_000


class Unresolved(Exception):
    """Files of a merge in progress are still in conflict: ``files``, as git names them."""

    def __init__(self, files: tuple[str, ...]) -> None:
        super().__init__(f"{len(files)} files are still in conflict: {', '.join(files[:5])}")
        self.files = files


@dataclass(frozen=True, slots=True)
class Diffstat:
    """How much two commits differ."""

    files: int
    insertions: int
    deletions: int


def save(plot: Plot, message: str, how: How = PLAIN, noted: Sequence[str] = ()) -> str:
    """Commit all that is uncommitted and return the branch's tip; without a change there is no commit.

    A merge in progress is concluded. Raises Unresolved while files are in conflict; ``noted`` names files of a conflict
    handed over before, so that markers which were committed or staged as they stood are seen too. GitError otherwise.
    """
    attach(plot, how)
    left = unresolved(plot, how, noted)
    if left:
        raise Unresolved(left)
    git = how.git(plot.folder)
    _stage(git, None)
    if merging(plot) or not git.succeeds("diff-index", "--cached", "--quiet", "HEAD", "--"):
        verify = () if how.ways.hooks else ("--no-verify",)
        git.run("commit", "-q", "--cleanup=whitespace", "--allow-empty-message", *verify, "-F", "-", input=message)
    return git.run("rev-parse", "--verify", "HEAD^{commit}")


def nested(plot: Plot, how: How = PLAIN) -> tuple[str, ...]:
    """Return the repositories that a worker made inside its worktree; their files are part of no commit."""
    return tuple(path.rstrip("/") for path in _others(how.git(plot.folder)) if path.endswith("/"))


def diffstat(folder: Path, start: str, head: str, how: How = PLAIN) -> Diffstat:
    """Return how two commits of the repository at ``folder`` differ; a rename counts as one file."""
    said = how.git(folder).run("diff-tree", "-r", "-M", "--shortstat", "--no-ext-diff", "--no-textconv", start, head)
    files, insertions, deletions = (
        int(found.group(1)) if (found := re.search(rf"(\d+) {word}", said)) else 0
        for word in ("file", "insertion", "deletion")
    )
    return Diffstat(files, insertions, deletions)


def keep_aside(plot: Plot, start: str, name: str, message: str, how: How = PLAIN) -> str | None:
    """Keep what stands in the worktree beyond ``start`` under ``refs/orch/kept/<name>``; branch and files stay as they are.

    Returns the commit, or None where there is nothing beyond ``start``. A name that holds something else already gets
    ``-2``, ``-3``, ... after it.
    """
    git = how.git(plot.folder)
    own = own_git_dir(plot)
    head = commit_of(plot, "HEAD", how)
    if own is None or head is None:
        raise GitError(f"{plot.folder} has no worktree with a commit")
    tip = commit_of(plot, plot.ref, how)
    index = own / "orch-kept-index"
    shutil.copy2(own / "index", index)  # with its time: git tells by it what may have changed since
    lock = index.with_name(f"{index.name}.lock")
    lock.unlink(missing_ok=True)  # left by a kill
    try:
        _stage(git, index)
        tree = git.run("write-tree", index=index)
    finally:
        index.unlink()
        lock.unlink(missing_ok=True)
    parents = [head]
    if tip is not None and not git.succeeds("merge-base", "--is-ancestor", tip, head):
        parents.append(tip)
    if len(parents) == 1 and tree == git.run("rev-parse", f"{head}^{{tree}}"):
        kept = head
        if git.succeeds("merge-base", "--is-ancestor", head, start):
            return None
    else:
        said = [word for parent in parents for word in ("-p", parent)]
        kept = git.run("commit-tree", tree, *said, "-F", "-", input=message)
    return _keep(git, common_dir(own), f"refs/orch/kept/{name}", kept)


def _keep(git: Git, common: Path, ref: str, kept: str) -> str:
    for number in range(1, _NAMES):
        name = ref if number == 1 else f"{ref}-{number}"
        (common / f"{name}.lock").unlink(missing_ok=True)  # the name is this job's alone: a lock was left by a kill
        if not git.succeeds("show-ref", "--verify", "-q", name):
            git.run("update-ref", name, kept, "")
            return kept
        there = git.run("rev-parse", name)
        if _same(git, there, kept):
            return there
    raise GitError(f"{ref} is taken {_NAMES} times")


def _same(git: Git, one: str, other: str) -> bool:
    return git.run("show", "-s", "--format=%T %P", one) == git.run("show", "-s", "--format=%T %P", other)


def _stage(git: Git, index: Path | None) -> None:
    """Put what the files are into the index, other than a store's and nested repositories."""
    said = git.lines("diff-files", "--name-status", "-z", "--ignore-submodules=dirty", index=index)
    status = dict(zip(said[1::2], said[::2], strict=True))
    gone = {path: None for path, letter in status.items() if letter == "D" or not _is_there(git.folder, path)}
    others = [path for path in _others(git, index) if not path.endswith("/")]
    there = [path for path in dict.fromkeys([*status, *others]) if path not in gone]
    for paths, way in ((gone, ("--force-remove",)), (there, ("--add", "--remove", "--replace"))):
        mine = [path for path in paths if not of_store(path)]
        if mine:
            git.run("update-index", *way, "-z", "--stdin", input=_joined(mine), index=index)
    _drop(git, _strangers(git, index), index)


def _is_there(top: Path, path: str) -> bool:
    """Return whether a file or a link is at the path itself, not behind a link that has taken its folder's place."""
    return os.path.lexists(top / path) and (top / path).parent.resolve().is_relative_to(
        top.resolve() / Path(path).parent
    )


def _others(git: Git, index: Path | None = None) -> list[str]:
    found = git.lines("ls-files", "--others", "--exclude-standard", "-z", index=index)
    return [path for path in found if not is_half_written(path)]


def _strangers(git: Git, index: Path | None) -> list[tuple[str, str, str]]:
    """Return (mode, object, path) as HEAD has it of staged entries that may not be: a store's files, new nested ones."""
    words = git.lines("diff-index", "--cached", "-z", "--no-renames", "--no-abbrev", "HEAD", index=index)
    found = []
    for said, path in zip(words[::2], words[1::2], strict=True):
        was, now, old, *_ = said.removeprefix(":").split(" ")
        if of_store(path) or (now == _GITLINK and was != _GITLINK):
            found.append((was, old, path))
    return found


def _drop(git: Git, strangers: list[tuple[str, str, str]], index: Path | None) -> None:
    if strangers:
        said = (f"{was if int(was) else '0'} {old}\t{path}" for was, old, path in strangers)
        git.run("update-index", "-z", "--index-info", input=_joined(said), index=index)


def _joined(words: Iterable[str]) -> str:
    return "".join(f"{word}\0" for word in words)
