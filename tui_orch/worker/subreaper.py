"""Ending every process that this one has started, however it hides: no group, session, environment is trusted.

A child subreaper becomes the parent of all below it whose own parent dies. So killing the direct children
until there is none left kills everything: a child can not leave the tree, and a pid that is still ours to
reap is never reused. Whoever calls this must be the only one in the process that waits for children at that
time: it reaps them all.

Never used here: PR_SET_PDEATHSIG. Workers must outlive the supervisor that started them.
"""

import ctypes
import functools
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from tui_orch.worker.pidfd import open_pidfd

#: Seconds that killing may take before what is left is given up and reported (a process in the kernel's
#: hands).
LIMIT_S = 10.0

_PR_SET_CHILD_SUBREAPER = 36
_PAUSE_S = 0.002
_GRACE_PAUSE_S = 0.01


def become_subreaper() -> bool:
    """Let orphans below this process become its children for as long as it lives; False where that can not be."""
    if sys.platform != "linux":
        return False
    result: int = _libc().prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return result == 0


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def prepare() -> None:
    """Look up what the functions here need, for children that are forked from this process."""
    _libc().prctl  # noqa: B018 - a look is what finds it
    _kernel_lists_children()


def own_children() -> list[int]:
    """Return the pids of this process's direct children, dead ones that nobody has reaped yet included."""
    return children_of(os.getpid())


def living_children(keep: Collection[int] = ()) -> list[int]:
    """Reap the dead children and return the living, both without those to keep."""
    return [pid for pid in own_children() if pid not in keep and not _reaped(pid)]


def end_descendants(grace_s: float, keep: Collection[int] = (), limit_s: float = LIMIT_S) -> list[int]:
    """End and reap all below this process; return the direct children that SIGKILL did not end (normally none).

    SIGTERM to all of them, ``grace_s`` seconds, then SIGKILL round after round until none is left, for at
    most ``limit_s`` seconds. ``keep`` names direct children that are left alone with all below them.
    """
    if not keep and _is_alone(keep):
        return []
    if grace_s > 0:
        _ask_to_end(grace_s, keep)
    return _kill(keep, limit_s)


def ask_descendants() -> None:
    """Send SIGTERM once to all below this process, without waiting for any."""
    _ask_to_end(0, ())


def children_of(pid: int) -> list[int]:
    """Return the pids of a process's direct children; empty if it is gone."""
    if not _kernel_lists_children():
        return _children_by_psutil(pid)
    found: list[int] = []
    for task in _entries(Path(f"/proc/{pid}/task")):
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended meanwhile
            found.extend(int(child) for child in (task / "children").read_text().split())
    return found


def _ask_to_end(grace_s: float, keep: Collection[int]) -> None:
    """Send SIGTERM once to each descendant, new ones too, until none is left or time is up."""
    until = time.monotonic() + grace_s
    asked: set[int] = set()
    while living_children(keep) or not _is_alone(keep):
        for parent, pid in _descendants(os.getpid(), keep):
            if pid not in asked and _terminate(pid, parent):
                asked.add(pid)
        if time.monotonic() >= until:
            return
        time.sleep(_GRACE_PAUSE_S)


def _kill(keep: Collection[int], limit_s: float) -> list[int]:
    until = time.monotonic() + limit_s
    killed: set[int] = set()
    while True:
        left = living_children(keep)
        if not left and _is_alone(keep):
            return []
        if time.monotonic() >= until:
            return left
        killed.intersection_update(left)
        fresh = [pid for pid in left if pid not in killed]
        for pid in fresh:
            # A child of ours keeps its pid until we reap it, so this can hit nobody else. One that runs as
            # another user refuses the signal; it is reported as left over.
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        killed.update(fresh)
        # Never pause while new ones turn up: a chain of processes that fork and die must be outrun.
        if not fresh:
            time.sleep(_PAUSE_S)


def _is_alone(keep: Collection[int]) -> bool:
    """Tell for sure that no child but those to keep is left; True means that there was a moment with none."""
    if keep:
        # waitpid(-1) might reap a kept one. The list is complete all the same: only we take entries from it.
        return all(pid in keep for pid in own_children())
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


def _reaped(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _descendants(top: int, keep: Collection[int]) -> Iterator[tuple[int, int]]:
    """Yield (parent, pid) of all below ``top``, parents first."""
    parents = deque([top])
    while parents:
        parent = parents.popleft()
        for pid in children_of(parent):
            if pid not in keep:
                yield parent, pid
                parents.append(pid)


def _terminate(pid: int, parent: int) -> bool:
    """Send SIGTERM if ``pid`` still is the process found below ``parent``; False if it has to be looked up again."""
    process = open_pidfd(pid)
    if process is None:
        return False
    try:
        # Not our child, so its number may have gone to a stranger since. From here on the descriptor holds it
        # fast.
        if _parent_of(pid) not in {parent, os.getpid()}:
            return False
        signal.pidfd_send_signal(process, signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        os.close(process)
    return True


def _parent_of(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[1])  # the name before it may hold blanks and parentheses


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []


@functools.cache
def _kernel_lists_children() -> bool:
    """Tell whether the kernel was built with /proc/.../children (most are)."""
    return Path(f"/proc/self/task/{os.getpid()}/children").exists()


def _children_by_psutil(pid: int) -> list[int]:
    import psutil  # noqa: PLC0415 - 20 ms that only a kernel without the list has to pay

    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:
        return []
