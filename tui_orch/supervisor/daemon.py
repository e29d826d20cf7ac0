"""Starts and stops a supervisor in the background, and tells whether there is one. Never stops a worker."""

import os
import select
import signal
import subprocess
import sys
import time

from store.home import FILE_MODE, Home
from tui_orch.supervisor.ownership import Holder, SupervisorError, holder

__all__ = ["Holder", "SupervisorError", "holder", "start_background", "stop"]

_LOOK_S = 0.01
_LOG_TAIL_BYTES = 2_000


def start_background(
    home: Home, *, exit_when_idle_s: float | None = None, timeout_s: float = 15, launcher: str | None = None
) -> Holder:
    """Start a supervisor that outlives this process, unless there is one. Return who holds the store then.

    ``launcher`` comes before the kind in the store's ``config.toml``. Raises SupervisorError with the last line of its log if it does not come up within ``timeout_s`` seconds.
    """
    found = holder(home)
    if found is not None:
        return found
    idle = "" if exit_when_idle_s is None else str(exit_when_idle_s)
    arguments = [str(home.root), *([idle] if idle or launcher else []), *([launcher] if launcher else [])]
    log = os.open(home.supervisor_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tui_orch.supervisor", *arguments],
            cwd=home.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        found = holder(home)
        if found is not None and found.pid:
            process.returncode = 0  # it is meant to outlive us: no complaint that nobody waited for it
            return found
        if process.poll() is not None and found is None:
            raise SupervisorError(f"the supervisor ended at once: {_last_line(home)}; see {home.supervisor_log}")
        time.sleep(_LOOK_S)
    raise SupervisorError(f"the supervisor did not come up within {timeout_s:g} s; see {home.supervisor_log}")


def stop(home: Home, timeout_s: float = 15) -> bool:
    """End the store's supervisor; False if there was none. Its workers go on. Raises SupervisorError."""
    found = holder(home)
    if found is None:
        return False
    if not found.pid:
        raise SupervisorError(f"the supervisor of {home.root} has not said who it is yet; try again")
    try:
        process = os.pidfd_open(found.pid)
    except ProcessLookupError:
        return holder(home) is not None
    try:
        # With the descriptor in hand: the note still names the process that holds the lock, so it is that one.
        if holder(home) != found:
            return False
        signal.pidfd_send_signal(process, signal.SIGTERM)
        ended = select.poll()
        ended.register(process, select.POLLIN)
        if not ended.poll(timeout_s * 1000):
            raise SupervisorError(f"the supervisor, process {found.pid}, did not end within {timeout_s:g} s")
    finally:
        os.close(process)
    return True


def _last_line(home: Home) -> str:
    with home.supervisor_log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
