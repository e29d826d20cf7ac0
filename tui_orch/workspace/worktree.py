"""One job's worktree: made, put in order after a kill, removed when nothing would be lost. Never touches another's.

Every step can be done again after ``kill -9`` at any point. A worktree counts as made only by a note in git's own folder
for it, written after its files were checked out; a folder without that note was never handed to a worker.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tui_orch.workspace.disk import MODE, clear
from tui_orch.workspace.git import PLAIN, GitError, How, Stopped
from tui_orch.workspace.heads import attach, commit_of, head_ref, rebasing
from tui_orch.workspace.places import (
    BEGINNING,
    MADE,
    MERGING,
    STORE_FOLDER,
    Plot,
    common_dir,
    git_dir,
    is_half_written,
    of_store,
    own_git_dir,
    write_durably,
)

__all__ = [
    "Plot",
    "begin_again",
    "begin_clean",
    "delete_branch",
    "is_made",
    "make",
    "mend",
    "remove",
    "uncommitted",
]

_LOCK_LOOK_S = 0.05
#: Others hold the lock of a branch for milliseconds (``git pack-refs``); one that stays this long was left by a kill.
_REF_LOCK_S = 1.0
_INDEX_HEAD = b"DIRC"


def is_made(plot: Plot) -> bool:
    """Return whether the worktree is there, checked out whole, and known to the repository."""
    own = own_git_dir(plot)
    if own is None or not (own / MADE).exists() or not _points_at(own, plot.folder):
        return False
    persons = git_dir(plot.repository)
    return persons is not None and common_dir(own) == common_dir(persons)


def make(plot: Plot, start: str, how: How = PLAIN) -> None:
    """Make the worktree on its branch; a new branch begins at ``start``, one that exists is taken as it is.

    What an earlier try left is used or cleared; a folder whose entry in the repository was pruned by someone gets a
    new entry and keeps its files. Raises GitError, or Stopped (call it again then).
    """
    if is_made(plot):
        return
    for folder in (plot.folder.parent.parent, plot.folder.parent):  # a store's own folders: its user's alone
        folder.mkdir(mode=MODE, parents=True, exist_ok=True)
    with _locked(plot.folder.parent.parent / "lock", how):
        clear(_gone(plot))
        has_files = _enter(plot, start, how)
    own = own_git_dir(plot)
    if own is None:
        raise GitError(f"git worktree add in {plot.repository}: {plot.folder} was not made")
    _unlock(plot, own, common_dir(own))
    git = how.git(plot.folder)
    git.run("reset", "-q", "--mixed" if has_files else "--hard")
    write_durably(own / MADE, f"{plot.branch}\n")


def mend(plot: Plot, how: How = PLAIN) -> None:
    """Put the worktree in order after its processes were killed; none of them may live any more.

    Stale locks go, an index cut short is read anew, merges of ours that were not handed over are undone, and HEAD
    stands on the branch again (see ``attach``). Uncommitted work stays. Does nothing where no worktree is made.
    """
    own = own_git_dir(plot)
    if own is None or not is_made(plot):
        return
    _unlock(plot, own, common_dir(own))
    index = own / "index"
    if not _is_index(index):
        index.unlink(missing_ok=True)
        how.git(plot.folder).run("reset", "-q", "--mixed")
    if (own / BEGINNING).exists():
        begin_again(plot, (own / BEGINNING).read_text().strip(), how)
    if (own / MERGING).exists():
        begin_clean(plot, "HEAD", how)
        (own / MERGING).unlink()
    attach(plot, how)


def begin_again(plot: Plot, start: str, how: How = PLAIN) -> None:
    """Put branch, index and files back to ``start``; what is worth keeping was kept before (``keep_aside``).

    Ignored files stay. Where a kill comes between, ``mend`` does the rest.
    """
    own = own_git_dir(plot)
    if own is None:
        raise GitError(f"{plot.folder} is no worktree")
    write_durably(own / BEGINNING, f"{start}\n")
    how.git(plot.folder).run("symbolic-ref", "-m", "orch: begins again", "HEAD", plot.ref)
    begin_clean(plot, start, how)
    for name in (BEGINNING, MERGING):
        (own / name).unlink(missing_ok=True)


def begin_clean(plot: Plot, commit: str, how: How = PLAIN) -> None:
    """Make branch, index and files what ``commit`` holds; ignored files, nested repositories and stores stay."""
    git = how.git(plot.folder)
    git.run("reset", "-q", "--hard", commit)
    if rebasing(plot):
        git.run("rebase", "--quit")
    git.run("clean", "-q", "-fd", "-e", STORE_FOLDER)


def uncommitted(plot: Plot, how: How = PLAIN) -> list[str]:
    """Return the paths that are changed, staged, unmerged or untracked; a nested repository is one that ends with ``/``.

    Left out are ignored files, a store's, and what Claude Code had written by half when it was killed.
    """
    entries = how.git(plot.folder).lines(
        "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=none"
    )
    kept = [entry for entry in entries if not (entry.startswith("??") and is_half_written(entry))]
    return [entry[3:] for entry in kept if not of_store(entry[3:].rstrip("/"))]


def remove(plot: Plot, how: How = PLAIN, *, force: bool = False) -> str | None:
    """Remove the worktree's folder and git's entry for it, or return why not; the branch always stays.

    Without ``force`` it is kept while anything in it is uncommitted, or committed to where no branch keeps it.
    """
    own = own_git_dir(plot)
    if not force and own is not None and is_made(plot):
        try:
            why = would_lose(plot, own, how)
        except GitError as error:
            why = str(error)
        if why:
            return why
    elif not force and own is None and _has_files(plot.folder):
        return f"{plot.folder} is not known to git as a worktree"
    if not plot.folder.parent.is_dir():
        return None
    with _locked(plot.folder.parent.parent / "lock", how):
        gone = _gone(plot)
        clear(gone)
        entries = entries_of(plot, how)
        with suppress(FileNotFoundError):
            plot.folder.rename(gone)
        for entry in entries:
            shutil.rmtree(entry)
        clear(gone)
    return None


def delete_branch(plot: Plot, commit: str, how: How = PLAIN) -> None:
    """Delete the branch if its tip still is ``commit`` (a branch that is gone already is fine); GitError if it moved."""
    git = how.git(plot.repository)
    if git.succeeds("show-ref", "--verify", "-q", plot.ref):
        git.run("update-ref", "-d", plot.ref, commit)


def _enter(plot: Plot, start: str, how: How) -> bool:
    """Make git know the worktree; return whether its folder holds files that must stay."""
    entries = entries_of(plot, how)
    if len(entries) == 1 and own_git_dir(plot) == entries[0] and _is_whole(plot, entries[0], how):
        return False
    for entry in entries:  # half made, or its folder is gone
        shutil.rmtree(entry)
    if _has_files(plot.folder):
        _adopt(plot, start, how)
        return True
    clear(plot.folder)
    _add(plot, plot.folder, start, how)
    return False


def _is_whole(plot: Plot, entry: Path, how: How) -> bool:
    """Return whether git wrote the entry to its end: only the checkout is to be done again."""
    locked = entry / "locked"
    if locked.exists():
        if locked.read_text(errors="replace").rstrip("\n") != "initializing":
            raise GitError(f"{plot.folder} is locked: git worktree unlock {entry.name}")
        return False
    try:
        return head_ref(plot, how) == plot.ref and commit_of(plot, plot.ref, how) is not None
    except GitError:
        return False


def _add(plot: Plot, folder: Path, start: str, how: How) -> None:
    git = how.git(plot.repository)
    _free_branch(plot, Path(git.run("rev-parse", "--path-format=absolute", "--git-common-dir")))
    if git.succeeds("show-ref", "--verify", "-q", plot.ref):
        git.run("worktree", "add", "-q", "--no-checkout", str(folder), plot.branch)
    else:
        git.run("worktree", "add", "-q", "--no-checkout", "--no-track", "-b", plot.branch, str(folder), start)


def _adopt(plot: Plot, start: str, how: How) -> None:
    """Give a folder with a worker's files a new entry: someone pruned the old one."""
    beside = plot.folder.with_name(f"{plot.folder.name}.new")
    for entry in entries_of(Plot(plot.repository, beside, plot.branch), how):
        shutil.rmtree(entry)
    clear(beside)
    _add(plot, beside, start, how)
    made = own_git_dir(Plot(plot.repository, beside, plot.branch))
    if made is None:
        raise GitError(f"git worktree add in {plot.repository}: {beside} was not made")
    write_durably(made / "gitdir", f"{plot.folder}/.git\n")
    (beside / ".git").replace(plot.folder / ".git")
    clear(beside)


def entries_of(plot: Plot, how: How) -> list[Path]:
    """Return git's folders for worktrees that say they are at ``plot.folder``."""
    shared = Path(how.git(plot.repository).run("rev-parse", "--path-format=absolute", "--git-common-dir"))
    try:
        folders = sorted((shared / "worktrees").iterdir())
    except FileNotFoundError:
        return []
    return [entry for entry in folders if _points_at(entry, plot.folder)]


def _points_at(entry: Path, folder: Path) -> bool:
    try:
        said = (entry / "gitdir").read_text(errors="surrogateescape").rstrip("\n")
    except (FileNotFoundError, NotADirectoryError):
        return False
    return said == f"{folder}/.git" or said == f"{folder.resolve()}/.git"


def would_lose(plot: Plot, own: Path, how: How) -> str | None:
    """Return what would be lost with the worktree's folder, None for nothing. ``own``: git's folder for it."""
    if (own / "locked").exists():
        return f"{plot.folder} is locked: git worktree unlock {plot.folder}"
    paths = uncommitted(plot, how)
    if paths:
        return f"{len(paths)} uncommitted in {plot.folder}, the first is {paths[0]!r}"
    if (own / "MERGE_HEAD").exists() or rebasing(plot):
        return f"a merge or a rebase is in progress in {plot.folder}"
    if head_ref(plot, how) is None:
        held = how.git(plot.folder).run("for-each-ref", "--count=1", "--contains", "HEAD", "refs/heads", "refs/orch")
        if not held:
            return f"{plot.folder} stands on a commit that no branch holds"
    return None


def _unlock(plot: Plot, own: Path, common: Path) -> None:
    for name in ("index.lock", "HEAD.lock", "MERGE_HEAD.lock", "ORIG_HEAD.lock", "AUTO_MERGE.lock"):
        (own / name).unlink(missing_ok=True)
    _free_branch(plot, common)


def _free_branch(plot: Plot, common: Path) -> None:
    """Take the branch's lock away that a killed git has left: the branch is this job's alone."""
    lock = common / f"{plot.ref}.lock"
    end = time.monotonic() + _REF_LOCK_S
    while lock.exists():
        if time.monotonic() > end:
            lock.unlink(missing_ok=True)
            return
        time.sleep(_LOCK_LOOK_S)


def _is_index(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_INDEX_HEAD)) == _INDEX_HEAD
    except FileNotFoundError:
        return False


def _gone(plot: Plot) -> Path:
    return plot.folder.with_name(f"{plot.folder.name}.gone")


def _has_files(folder: Path) -> bool:
    try:
        return any(path.name != ".git" for path in folder.iterdir())
    except FileNotFoundError:
        return False


@contextmanager
def _locked(path: Path, how: How) -> Iterator[None]:
    """Hold a store's lock on the list of worktrees; waits for others, heeds a stop."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if how.stopped():
                    raise Stopped from None
                time.sleep(_LOCK_LOOK_S)
        yield
    finally:
        os.close(file)
