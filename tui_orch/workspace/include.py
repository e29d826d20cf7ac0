"""Files outside version control that workers need too (``.env`` and the like): named by ``.worktreeinclude``, copied.

Only what git ignores, in the person's checkout and in the worktree, is copied, so that it can never be committed.
"""

import os
import shutil
import stat
from pathlib import Path

from tui_orch.workspace.git import PLAIN, Git, How
from tui_orch.workspace.places import of_store

FILE = ".worktreeinclude"


def copy_included(repository: Path, folder: Path, how: How = PLAIN) -> int:
    """Copy regular files that match ``.worktreeinclude`` (as ``.gitignore`` is written) and are ignored; return how many.

    Links are not followed and not copied; a file that is in the worktree already stays as it is.
    """
    listed = repository / FILE
    if listed.is_symlink() or not listed.is_file():
        return 0
    source = how.git(repository)
    named = source.lines("ls-files", "--others", "--ignored", f"--exclude-from={FILE}", "-z")
    files = [path for path in named if not path.endswith("/") and not of_store(path) and not _linked(folder, path)]
    paths = _ignored(how.git(folder), _ignored(source, files))
    return sum(_copy(repository, folder, path) for path in paths)


def _ignored(git: Git, paths: list[str]) -> list[str]:
    if not paths:
        return []
    given = "".join(f"{path}\0" for path in paths)
    said = git.lines("check-ignore", "-z", "--stdin", "--verbose", "--non-matching", input=given, fine=(0, 1))
    return [path for pattern, path in zip(said[2::4], said[3::4], strict=True) if pattern and pattern[0] != "!"]


def _copy(repository: Path, folder: Path, path: str) -> bool:
    """Copy one file whole or not at all; return whether it was."""
    source, target = repository / path, folder / path
    if os.path.lexists(target) or not _below(source.parent, repository):
        return False
    try:
        file = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # a link, a socket, or it was removed meanwhile
        return False
    with os.fdopen(file, "rb") as reading:
        mode = os.fstat(file).st_mode
        if not stat.S_ISREG(mode):
            return False
        if not next(parent for parent in target.parents if os.path.lexists(parent)).is_dir():
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        new = folder.with_name(f"{folder.name}.include")  # outside the worktree: what a kill leaves is never committed
        try:
            with open(new, "wb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, 0o600)) as writing:
                shutil.copyfileobj(reading, writing)
            new.chmod(stat.S_IMODE(mode) & 0o777)
            new.replace(target)
        finally:
            new.unlink(missing_ok=True)
    return True


def _linked(folder: Path, path: str) -> bool:
    """Return whether a folder on the way to the file is a link in the worktree."""
    return any((folder / parent).is_symlink() for parent in Path(path).parents if parent.name)


def _below(path: Path, top: Path) -> bool:
    return path.resolve().is_relative_to(top.resolve())
