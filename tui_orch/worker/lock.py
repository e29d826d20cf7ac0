"""The lock that tells whether the worker of an attempt lives: alive = locked.

The kernel drops it the moment the process is gone, whatever ended it; a pid, a heartbeat or a clock proves
less. The file also names its holder, for people and for adoption, but that text is never taken as a proof of
life. Below that line a worker without the store leaves its outcome: a file of its own would have to be made and
removed for each short command. The file is never removed: a lock on an unlinked file would exclude nobody.
"""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from store.home import FILE_MODE, private_dir

#: Seconds that a worker goes on trying: a look by `is_held` takes the lock for some microseconds.
PATIENCE_S = 0.5
_RETRY_S = 0.005
_TEXT_BYTES = 32
#: No worker leaves more: what a command can make of its own file is not read into memory.
_LEFT_BYTES = 1_000_000
#: What stands in the file beside, or instead of, its holder's pid.
_BEGUN = " begun"
_CLOSED = "closed"
#: Nothing is there, or what is there is no lock file of ours: a link, a file where a folder was.
_NO_LOCK = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


Standing = Literal["alive", "begun", "never"]


def lock_path(folder: Path) -> Path:
    """Return the lock file of the attempt whose folder this is."""
    return folder / "lock"


class AttemptLock:
    """The worker's side: hold it from the start of the attempt to the end of the process."""

    def __init__(self, folder: Path) -> None:
        self.path = lock_path(folder)
        self._file: int | None = None
        self._first_line = b""

    def hold(self, patience_s: float = PATIENCE_S, *, begin: bool = False) -> bool:
        """Take the lock; False if another process holds it for longer than ``patience_s`` seconds, or it was closed off.

        ``begin`` says in the file that work begins with the lock, and not with a claim in the store.

        The descriptor is closed on exec, so what the worker starts never holds the lock. The folder must
        exist. Raises OSError if the file can not be made or is a link.
        """
        if self._file is not None:
            return True
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
        try:
            if not _lock_within(file, patience_s) or _text(file) == _CLOSED:
                os.close(file)
                return False
            self._first_line = f"{os.getpid()}{_BEGUN if begin else ''}\n".encode()
            with contextlib.suppress(OSError):  # on a full disk the lock holds all the same
                os.ftruncate(file, 0)
                os.pwrite(file, self._first_line, 0)
        except OSError:
            os.close(file)
            raise
        self._file = file
        return True

    def leave(self, line: str) -> None:
        """Write a line for whoever looks when the lock is free. Raises OSError: it is not, or not all, there; call it again."""
        assert self._file is not None
        text, at = self._first_line + line.encode() + b"\n", 0
        while at < len(text):
            at += os.pwrite(self._file, text[at:], at)

    def release(self) -> None:
        """Give the lock back. Ending the process does the same."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_held(folder: Path) -> bool:
    """Tell whether the attempt's worker lives. Where there is no file, none has ever taken the lock."""
    with _opened(lock_path(folder)) as file:
        if file is None:
            return False
        try:
            # Shared, so that two that look at the same time do not take each other for a worker.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def holder_pid(folder: Path) -> int | None:
    """Return the pid that the last holder wrote, or None. It may be dead, and its pid another's by now."""
    with _opened(lock_path(folder)) as file:
        if file is None:
            return None
        text = _text(file)
    pid = text.removesuffix(_BEGUN)
    return int(pid) if pid.isdigit() else None


def line_left(folder: Path) -> str | None:
    """Return what the last holder, one that had begun by its lock, has left; None: nothing, or not all of it.

    Raises ValueError for what is no text.
    """
    with _opened(lock_path(folder)) as file:
        text = b"" if file is None else os.pread(file, _LEFT_BYTES, 0)
    first, _, line = text.partition(b"\n")
    is_whole = first.endswith(_BEGUN.encode()) and line.endswith(b"\n")
    return line.decode().rstrip("\n") if is_whole else None


def close_off(folder: Path, within: Path) -> Standing:
    """See to it that no worker of the attempt begins any more, unless one lives; tell whether one had begun by its lock.

    Whoever has the lock first decides: a worker that comes later finds it closed. Raises OSError: it can not be closed.
    """
    private_dir(folder, within)
    file = os.open(lock_path(folder), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    try:
        if not _lock_within(file, 0):
            return "alive"
        text = _text(file)
        if not text.endswith(_BEGUN) and text != _CLOSED:
            os.pwrite(file, f"{_CLOSED}\n".ljust(_TEXT_BYTES).encode(), 0)
            return "never"
        return "begun" if text.endswith(_BEGUN) else "never"
    finally:
        os.close(file)


def _lock_within(file: int, patience_s: float) -> bool:
    until = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_RETRY_S)
        else:
            return True


def _text(file: int) -> str:
    return os.pread(file, _TEXT_BYTES, 0).decode("ascii", "replace").partition("\n")[0].strip()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in _NO_LOCK:
            raise
        yield None
        return
    try:
        yield file
    finally:
        os.close(file)
