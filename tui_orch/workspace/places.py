"""Where the parts of one job's worktree are: its folder, git's own folder for it, the locks that a killed git leaves.

Reads and names files; runs no git.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

#: Written into the worktree's own git folder when it is checked out whole.
MADE = "orch-made"
#: Written there before merges begin, taken away when they are done or handed over.
MERGING = "orch-merge"
#: Holds the commit that branch and files are being put back to: what was there beyond it is kept elsewhere already.
BEGINNING = "orch-begin"
#: The folder of a store: never part of a commit, never cleaned away.
STORE_FOLDER = ".orch"
#: What Claude Code writes beside a file before it takes the file's place (2.1.330): name, process id, 6 random bytes.
_HALF_WRITTEN = re.compile(r".\.tmp\.\d+\.[0-9a-f]{12}\Z")


@dataclass(frozen=True, slots=True)
class Plot:
    """A job's own piece of a repository: ``folder`` is its worktree, ``branch`` the short name of its branch."""

    repository: Path
    folder: Path
    branch: str

    @property
    def ref(self) -> str:
        """The branch's full name."""
        return f"refs/heads/{self.branch}"


def own_git_dir(plot: Plot) -> Path | None:
    """Return git's folder for this worktree alone, or None where there is none (any more)."""
    return git_dir(plot.folder)


def git_dir(top: Path) -> Path | None:
    """Return git's folder for the checkout at ``top``: ``.git`` itself, or what the file ``.git`` names if it is there."""
    try:
        text = (top / ".git").read_text(errors="surrogateescape")
    except IsADirectoryError:
        return top / ".git"
    except (FileNotFoundError, NotADirectoryError):
        return None
    folder = (top / text.removeprefix("gitdir: ").rstrip("\n")).absolute()
    return folder if text.startswith("gitdir: ") and folder.is_dir() else None


def common_dir(own: Path) -> Path:
    """Return the folder that all worktrees of the repository share."""
    try:
        return (own / (own / "commondir").read_text(errors="surrogateescape").rstrip("\n")).resolve()
    except FileNotFoundError:  # it is no linked worktree's
        return own.resolve()


def write_durably(path: Path, text: str) -> None:
    """Write a small file so that a power cut leaves all of it or none."""
    new = path.with_name(f"{path.name}.new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def of_store(path: str) -> bool:
    """Return whether a path inside the worktree belongs to a store."""
    return STORE_FOLDER in path.split("/")


def is_half_written(path: str) -> bool:
    """Return whether a file that git does not know was being written by Claude Code, or was left so by a kill."""
    return _HALF_WRITTEN.search(path) is not None
