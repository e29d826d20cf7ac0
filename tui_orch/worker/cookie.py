"""The mark in the environment of all that an attempt starts, and the sweep that ends what still carries it.

For the one case that a subreaper can not cover: the worker itself was killed, and whoever took its orphans is
not us. The supervisor sweeps before the job is queued again. What empties or overwrites its environment
escapes this, and so may a chain of processes that fork and die within a millisecond.
"""

import os
import signal
import time
from collections.abc import Collection
from pathlib import Path

from tui_orch.worker.pidfd import has_ended, open_pidfd

VARIABLE = "ORCH_COOKIE"

#: Seconds that a sweep may take; what is left then can be seen with `marked_pids`.
LIMIT_S = 5.0

#: Looks that must find nothing, one after the other: a process may fork behind a single look's back.
_QUIET_LOOKS = 2
_WAIT_S = 0.2

#: Seconds that a process may take to get from its old environment to the one that it was started with.
_EXEC_S = 0.1
_EXEC_PAUSE_S = 0.001


def cookie(store_id: str, job: int, attempt: int) -> str:
    """Return the mark of one attempt; ``store_id`` keeps the jobs of two stores on one machine apart."""
    return f"{store_id}/{job}.{attempt}"


def is_marked(pid: int, mark: str) -> bool:
    """Tell whether the process was started with exactly this mark; False for the dead and other users' ones."""
    return f"{VARIABLE}={mark}".encode() in _environment(pid).split(b"\0")


def marked_pids(mark: str) -> list[int]:
    """Return the living processes that carry the mark, the youngest first."""
    # Highest number first: in a chain of processes that fork and die, the last one is the one to catch.
    pids = sorted((int(name) for name in os.listdir("/proc") if name.isdigit()), reverse=True)
    return [pid for pid in pids if is_marked(pid, mark)]


def sweep(mark: str, exclude: Collection[int] = (), limit_s: float = LIMIT_S) -> int:
    """Kill all that carries the mark, but for ``exclude`` and this process, until none is left; return how many.

    Gives up after ``limit_s`` seconds: a process in the kernel's hands can not be killed.
    """
    spared = {*exclude, os.getpid()}
    until = time.monotonic() + limit_s
    killed: set[int] = set()
    quiet = 0
    while quiet < _QUIET_LOOKS and time.monotonic() < until:
        found = [pid for pid in marked_pids(mark) if pid not in spared]
        killed.update(pid for pid in found if _kill(pid, mark))
        quiet = 0 if found else quiet + 1
    return len(killed)


def _environment(pid: int) -> bytes:
    """Return what the process was started with; empty if it is gone, not ours to read, or was started with nothing.

    It looks empty too for the moment in which the kernel sets the program up: first its arguments, then this.
    """
    environment = _read(pid, "environ")
    until = time.monotonic() + _EXEC_S
    is_set_up = False
    while not environment and not is_set_up and _has_program(pid) and time.monotonic() < until:
        is_set_up = bool(_read(pid, "cmdline"))
        time.sleep(_EXEC_PAUSE_S)
        environment = _read(pid, "environ")
    return environment


def _has_program(pid: int) -> bool:
    """Tell a process from a kernel thread, a zombie, and one that is gone."""
    try:
        Path(f"/proc/{pid}/exe").readlink()
    except OSError:
        return False
    return True


def _read(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def _kill(pid: int, mark: str) -> bool:
    """Kill the process and see it end; False if it is gone, or is another one by now."""
    process = open_pidfd(pid)
    if process is None:
        return False
    try:
        # Looked at again with the descriptor in hand: if the number had gone to a stranger, this is the
        # stranger's environment; if it goes to one only now, the signal finds the old process, which is dead.
        if not is_marked(pid, mark):
            return False
        signal.pidfd_send_signal(process, signal.SIGKILL)
        has_ended(process, _WAIT_S)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        os.close(process)
    return True
