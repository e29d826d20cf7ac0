"""One supervisor per store: a lock on the store's folder itself, and a note that says who has it.

The folder is locked and not a file in it, because a file can be deleted under its holder and made anew by the next one.
The note is for people; only the lock decides.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from store.home import Home, write_private

#: Seconds that a supervisor goes on trying: a look by `holder` takes the lock for some microseconds.
PATIENCE_S = 0.5
_RETRY_S = 0.005


class SupervisorError(Exception):
    """The supervisor can not run, or can not be reached; ``str(error)`` is one line that says why."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The supervisor that has the store. ``pid`` is 0 in the instant before it has said who it is.

    ``held``: why it starts nothing new now, in one line.
    """

    pid: int
    since_ms: int
    held: str | None = None


@contextmanager
def own(home: Home, now_ms: int) -> Iterator[None]:
    """Hold the store for as long as the block runs. Raises SupervisorError: another has it, or nothing can be written."""
    folder = os.open(home.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not _lock_within(folder, PATIENCE_S):
            raise SupervisorError(f"a supervisor already looks after {home.root}: {_named(_note(home))}")
        _write_note(home, now_ms)
        try:
            yield
        finally:
            home.supervisor_note.unlink(missing_ok=True)
    finally:
        os.close(folder)


def holder(home: Home) -> Holder | None:
    """Return the supervisor that holds the store, or None if none does."""
    try:
        folder = os.open(home.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _note(home)
    finally:
        os.close(folder)
    return None


def say_held(home: Home, held: str | None) -> None:
    """Say in this process's note why nothing new starts; None: it does again. Raises OSError."""
    note = _note(home)
    if note.pid == os.getpid():
        _put_note(home, replace(note, held=held))


def _lock_within(folder: int, patience_s: float) -> bool:
    until = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_RETRY_S)
        else:
            return True


def _write_note(home: Home, now_ms: int) -> None:
    try:
        _put_note(home, Holder(os.getpid(), now_ms))
    except OSError as error:
        raise SupervisorError(
            f"the supervisor can not write in {home.root}: {error.strerror}; mend that, then: orch up"
        ) from error


def _put_note(home: Home, note: Holder) -> None:
    write_private(home.supervisor_note, json.dumps(asdict(note)) + "\n", durable=False)


def _note(home: Home) -> Holder:
    try:
        said = json.loads(home.supervisor_note.read_text("utf-8"))
        return Holder(int(said["pid"]), int(said["since_ms"]), said.get("held"))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return Holder(0, 0)


def _named(found: Holder) -> str:
    return f"process {found.pid}; stop it with: orch down" if found.pid else "it is just starting"
