"""The lock file at which writers queue: the kernel serves them in turn, and patience ends.

Without an end one stopped process (SIGSTOP, a frozen container) that holds it would hold up every other for good.
Knows nothing of SQLite.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.errors import StoreBusy
from store.home import FILE_MODE

#: Seconds to stand in the queue. A write takes milliseconds.
PATIENCE_S = 30.0


@contextmanager
def in_turn(path: Path, descriptor: int) -> Iterator[None]:
    """Hold the lock for as long as the block runs. ``descriptor``: of ``path``, open for good. Raises StoreBusy."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        descriptor = _stand_in_line(path)
        try:
            yield
        finally:
            os.close(descriptor)
        return
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def open_lock(path: Path) -> int:
    """Return a descriptor of the lock file, which is made where it is missing. The caller closes it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)


def _stand_in_line(path: Path) -> int:
    """Return a descriptor that holds the lock. Raises StoreBusy when its turn does not come within `PATIENCE_S`."""
    place = _Place(open_lock(path))
    threading.Thread(target=place.wait, name="store-write-queue", daemon=True).start()
    return place.taken(path, PATIENCE_S)


class _Place:
    """A place in the queue: a thread stands in it, since the kernel's queue knows no time limit."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._came = threading.Event()
        self._left = False
        self._lock = threading.Lock()
        self._error: OSError | None = None

    def wait(self) -> None:
        """Stand in the queue; whoever has left meanwhile takes nothing."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            self._error = error
        with self._lock:
            self._came.set()
            if self._left:
                os.close(self._descriptor)

    def taken(self, path: Path, patience_s: float) -> int:
        """Return the descriptor with the lock on it. Raises StoreBusy, OSError."""
        try:
            self._came.wait(patience_s)
        except BaseException:  # a signal's handler may raise here: nobody must be left holding the lock
            if self._has_come():
                os.close(self._descriptor)
            raise
        if not self._has_come():
            raise StoreBusy(
                f"{path} is held by another process for more than {patience_s:g} s; nothing was written, try again"
            )
        if self._error is not None:
            os.close(self._descriptor)
            raise self._error
        return self._descriptor

    def _has_come(self) -> bool:
        """Tell whether our turn has come; if not, it is given up for good."""
        with self._lock:
            self._left = not self._came.is_set()
            return not self._left
