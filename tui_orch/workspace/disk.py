"""A worktree's folder as files on the disk: what it takes, and how it goes. Knows no git, and follows no link."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

#: Of the folders that a store makes for worktrees: its user's alone.
MODE = 0o700


def size_bytes(folder: Path, most: int = 200_000) -> int:
    """Return what the files of a folder take on the disk, of at most ``most`` entries; links are not followed."""
    size = 0
    left = most
    folders = [str(folder)]
    while folders and left > 0:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    left -= 1
                    if left < 0:
                        break
                    with suppress(FileNotFoundError):  # workers delete while this looks
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
    return size


def clear(folder: Path) -> None:
    """Remove a folder with all in it, also folders that a worker made unreadable or unwritable for itself."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    if not folder.exists():
        return
    try:
        shutil.rmtree(folder)
    except PermissionError:
        folder.chmod(MODE)
        for top, _, _ in os.walk(folder):
            for name in os.listdir(top):
                path = os.path.join(top, name)
                if not os.path.islink(path) and os.path.isdir(path):
                    os.chmod(path, MODE)
        shutil.rmtree(folder)
