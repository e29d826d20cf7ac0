"""Takes a job's worktree and branch away, for good: in git first, then in the store's notes.

The folder is put aside and the branch deleted in the transaction that sees the tree ended, so that no retry can begin work
in between; what was put aside is removed after it. Every step can be done again after ``kill -9``.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from store.database import Store
from store.home import Home
from store.models import Job
from store.states import FINAL
from store.tree import get_job
from store.workspaces import note_deleted, note_removed
from tui_orch.workspace.git import GitError, How
from tui_orch.workspace.worktree import Plot, delete_branch, entries_of

_ASIDE = "removed-"
_MODE = 0o700
OPENED = "it was tried again meanwhile"


def take_away(store: Store, plot: Plot, job: Job, tip: str | None, how: How, now_ms: int) -> str | None:
    """Remove the worktree of a job and its branch at ``tip``, whatever is in them; or return why not.

    ``job`` is as it was when it was found that it may go: nothing is touched where its tree was opened again since.
    """
    with store.write() as tx:
        if get_job(tx, job.root_id).status not in FINAL or get_job(tx, job.id).attempt != job.attempt:
            return OPENED
        put_aside(store.home, plot, how)
        try:
            if tip is not None:
                delete_branch(plot, tip, how)
        except GitError as error:
            note_removed(tx, job.id, now_ms)
            return str(error)
        note_deleted(tx, job.id, now_ms)
    return None


def put_aside(home: Home, plot: Plot, how: How) -> None:
    """Take a worktree's folder, and what earlier tries to make or remove it left, out of everybody's way."""
    there = [
        path
        for path in (plot.folder, *(plot.folder.with_name(f"{plot.folder.name}.{end}") for end in ("gone", "new")))
        if os.path.lexists(path)
    ]
    entries = entries_of(plot, how) if plot.repository.is_dir() else []
    if there:
        aside = tempfile.mkdtemp(prefix=_ASIDE, dir=home.root / "worktrees")
        for path in there:
            path.rename(os.path.join(aside, path.name))
    for entry in entries:
        shutil.rmtree(entry)
    with suppress(OSError):  # others of the tree are still there, or it is gone already
        plot.folder.parent.rmdir()


def clear(home: Home) -> None:
    """Remove all that was put aside, also by one that was killed. Raises OSError."""
    for folder in (home.root / "worktrees").glob(f"{_ASIDE}*"):
        shutil.rmtree(folder, onerror=_again)


def _again(do: object, path: str, found: tuple[type[BaseException], BaseException, TracebackType]) -> None:
    """Go on after a folder that a worker made unreadable for itself, or that somebody else has just removed."""
    error = found[1]
    if isinstance(error, FileNotFoundError):
        return
    folder = Path(path) if do in (os.open, os.scandir, os.listdir) else Path(path).parent
    if not isinstance(error, PermissionError) or folder.stat().st_mode & _MODE == _MODE:
        raise error
    folder.chmod(_MODE)
    if Path(path).is_dir() and not Path(path).is_symlink():
        shutil.rmtree(path, onerror=_again)
    else:
        Path(path).unlink()
