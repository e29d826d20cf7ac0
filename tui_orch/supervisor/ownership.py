"""One supervisor per store: a lock on the store's folder itself, and a note that says who has it.

The folder is locked and not a file in it, because a file can be deleted under its holder and made anew by the next one.
The note is for people; only the lock decides.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from store.home import Home, write_private


class SupervisorError(Exception):
    """The supervisor can not run, or can not be reached; ``str(error)`` is one line that says why."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The supervisor that has the store. ``pid`` is 0 in the instant before it has said who it is."""

    pid: int
    since_ms: int


@contextmanager
def own(home: Home, now_ms: int) -> Iterator[None]:
    """Hold the store for as long as the block runs. Raises SupervisorError that names the holder."""
    folder = os.open(home.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SupervisorError(f"a supervisor already looks after {home.root}: {_named(_note(home))}") from error
        write_private(home.supervisor_note, json.dumps({"pid": os.getpid(), "since_ms": now_ms}) + "\n")
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


def _note(home: Home) -> Holder:
    try:
        said = json.loads(home.supervisor_note.read_text("utf-8"))
        return Holder(int(said["pid"]), int(said["since_ms"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return Holder(0, 0)


def _named(found: Holder) -> str:
    return f"process {found.pid}; stop it with: orch down" if found.pid else "it is just starting"
