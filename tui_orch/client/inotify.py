"""File events of one folder as Linux tells them: a descriptor that an event loop can wait for, free while nothing happens.

A few calls of the C library. Libraries that do the same start a program at import to find that library, or wake a thread
every few milliseconds. Knows no event loop, and not what the files are.
"""

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

_MODIFY, _MOVED_TO, _CREATE = 0x2, 0x80, 0x100
_DELETE_SELF, _MOVE_SELF = 0x400, 0x800
_OVERFLOW, _IGNORED = 0x4000, 0x8000
_ONLYDIR = 0x0100_0000
_WANTED = _MODIFY | _MOVED_TO | _CREATE | _DELETE_SELF | _MOVE_SELF | _ONLYDIR
#: Watch, what happened, cookie, bytes of the name that follows.
_HEAD = struct.Struct("iIII")
#: Bytes read at once: some thousand events. More of them wake the loop again.
_PORTION = 65_536
#: What the two limits of the system are called, by the error of reaching one.
_LIMITS = {
    errno.EMFILE: "out of inotify instances (fs.inotify.max_user_instances)",
    errno.ENOSPC: "out of inotify watches (fs.inotify.max_user_watches)",
}


def _library() -> Any:
    """Return the C library if it has inotify, else None."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None, use_errno=True)
    return library if hasattr(library, "inotify_init1") and hasattr(library, "inotify_add_watch") else None


class FolderGone(OSError):
    """The folder was deleted, or its file system unmounted: no more events will come."""


class Inotify:
    """Tells of changes of the files called ``names`` in ``folder``, from the moment it is made; ``close`` it.

    Raises OSError: no folder there, out of instances or watches, no inotify here (see `is_available`).
    """

    def __init__(self, folder: Path, names: Collection[str]) -> None:
        library = _library()
        if library is None:
            raise OSError(errno.ENOSYS, "there is no inotify here")
        self._names = frozenset(os.fsencode(name) for name in names)
        self._fd = _checked(library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        try:
            _checked(library.inotify_add_watch(self._fd, os.fsencode(folder), _WANTED))
        except OSError:
            self.close()
            raise

    @staticmethod
    def is_available() -> bool:
        """Tell whether this system has inotify."""
        return _library() is not None

    def fileno(self) -> int:
        """Return the descriptor: readable when there are events."""
        return self._fd

    def take(self) -> bool:
        """Take the events that are there; tell whether one was of a wanted file, or of the folder itself, or was lost.

        Raises FolderGone.
        """
        try:
            data = os.read(self._fd, _PORTION)
        except BlockingIOError:
            return False
        place, found = 0, False
        while place < len(data):
            _, mask, _, length = _HEAD.unpack_from(data, place)
            place += _HEAD.size + length
            if mask & _IGNORED:
                raise FolderGone(errno.ENOENT, "the folder of the store is gone")
            name = data[place - length : place].rstrip(b"\0")
            found = found or not name or name in self._names or bool(mask & _OVERFLOW)
        return found

    def close(self) -> None:
        """Hear no more; a second time does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, _LIMITS.get(number, os.strerror(number)))
    return result
