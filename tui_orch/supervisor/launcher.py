"""The seam between deciding that a worker runs and running it: a narrow protocol, and this machine's filling.

A launcher starts, finds again, stops and buries worker processes. It never touches the store, never decides
who runs, and knows nothing of an event loop: a handle has a file descriptor that becomes readable when its
worker has ended. Workers are not its own: they outlive it, and those that an earlier supervisor started are
taken over as they are.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from store.home import FILE_MODE, Home, private_dir
from tui_orch.worker import cookie, lock
from tui_orch.worker.pidfd import has_ended, open_pidfd
from tui_orch.worker.subreaper import end_descendants, living_children, own_children

#: The program of a worker, before the store's folder, the job and the attempt. It runs in the project's folder:
#: -P, because that folder's own `store` or `asyncio.py` must not become ours.
WORKER = (sys.executable, "-P", "-m", "tui_orch.worker")
WORKER_LOG = "worker.log"

#: Seconds that ending what a killed worker left behind may take; the supervisor does nothing else meanwhile.
LEFTOVERS_LIMIT_S = 5.0


class LaunchError(Exception):
    """The worker could not be started; nothing of it is left. ``str(error)`` says why in one line."""


@dataclass(frozen=True, slots=True)
class Handle:
    """A worker that was started or adopted. Good until it is buried."""

    job_id: int
    attempt: int
    pid: int  # for the log and the screen; signals never go by it
    fd: int

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the worker has ended, and stays so."""
        return self.fd


class Launcher(Protocol):
    """What the supervisor needs of the place where workers run."""

    def start(self, job_id: int, attempt: int, env: Mapping[str, str]) -> Handle:
        """Start the attempt's worker with exactly this environment. Raises LaunchError."""
        ...

    def adopt(self, job_id: int, attempt: int, pid: int | None) -> Handle | None:
        """Take over a worker that runs already; None if it does not live. Raises OSError where that is unknown."""
        ...

    def is_alive(self, job_id: int, attempt: int) -> bool:
        """Tell whether a worker of the attempt lives, started by whomever."""
        ...

    def has_ended(self, handle: Handle) -> bool:
        """Tell whether the worker has ended, without waiting."""
        ...

    def stop(self, handle: Handle, *, kill: bool) -> None:
        """Ask the worker to end, or with ``kill`` end it at once. Nothing happens if it has ended."""
        ...

    def bury(self, handle: Handle) -> int | None:
        """Let go of a worker that has ended; the handle is void then.

        Returns its exit code (-9: by signal 9), or None where only its parent could know: it was adopted.
        """
        ...

    def end_leftovers(self, job_id: int, attempt: int) -> int:
        """End what a worker that was killed has left behind, before the job is tried again; return how many."""
        ...

    def close(self) -> None:
        """Let go of all handles. The workers go on."""
        ...


class LocalLauncher:
    """Workers as processes of this machine."""

    def __init__(self, home: Home, store_id: str, worker: Sequence[str] = WORKER) -> None:
        self._worker = worker
        self._home = home
        self._store_id = store_id
        self._handles: dict[int, Handle] = {}
        # Whoever called exec on us may have left us children of its own. They are no leftovers of a worker.
        self._inherited = frozenset(own_children())

    def start(self, job_id: int, attempt: int, env: Mapping[str, str]) -> Handle:
        """Start the attempt's worker in a session of its own; see `Launcher.start`."""
        arguments = (str(self._home.root), str(job_id), str(attempt))
        try:
            log = _open_log(private_dir(self._home.attempt_dir(job_id, attempt), self._home.root) / WORKER_LOG)
            try:
                process = subprocess.Popen(
                    [*self._worker, *arguments],
                    cwd=self._home.project,
                    env=dict(env),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    close_fds=True,
                    start_new_session=True,
                )
            finally:
                os.close(log)
        except OSError as error:
            raise LaunchError(f"cannot start a worker for #{job_id}: {error}") from error
        return self._keep(Handle(job_id, attempt, process.pid, _pidfd_of(process, job_id)))

    def adopt(self, job_id: int, attempt: int, pid: int | None) -> Handle | None:
        """Take over the worker with this pid, or, if none is known yet, with the pid in the attempt's lock file."""
        folder = self._home.attempt_dir(job_id, attempt)
        candidate = pid or lock.holder_pid(folder)
        if candidate is None:
            return None
        process = open_pidfd(candidate)
        if process is None:
            return None
        # The descriptor comes first: what is found to be true now is true of the process that it holds.
        mark = cookie.cookie(self._store_id, job_id, attempt)
        if not (cookie.is_marked(candidate, mark) and lock.is_held(folder) and not has_ended(process)):
            os.close(process)
            return None
        return self._keep(Handle(job_id, attempt, candidate, process))

    def is_alive(self, job_id: int, attempt: int) -> bool:
        """Tell by the attempt's lock whether its worker lives."""
        return lock.is_held(self._home.attempt_dir(job_id, attempt))

    def has_ended(self, handle: Handle) -> bool:
        """Tell whether the worker has ended, without waiting."""
        return has_ended(handle.fd)

    def stop(self, handle: Handle, *, kill: bool) -> None:
        """Send SIGTERM or SIGKILL through the descriptor, never by the pid."""
        with suppress(ProcessLookupError):  # it has ended, which is what was wanted
            signal.pidfd_send_signal(handle.fd, signal.SIGKILL if kill else signal.SIGTERM)

    def bury(self, handle: Handle) -> int | None:
        """Reap the worker, if it is our child, and close its descriptor. Raises ValueError if it lives."""
        if not has_ended(handle.fd):
            raise ValueError(f"worker {handle.pid} of #{handle.job_id} has not ended")
        try:
            end = os.waitid(os.P_PIDFD, handle.fd, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            end = None
        self._let_go(handle)
        if end is None:
            return None
        return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status

    def end_leftovers(self, job_id: int, attempt: int) -> int:
        """Kill what became ours when the worker died, then all that carries the attempt's cookie."""
        workers = {handle.pid for handle in self._handles.values()}
        strangers = reap_strangers(workers | self._inherited)
        mark = cookie.cookie(self._store_id, job_id, attempt)
        return strangers + cookie.sweep(mark, exclude=workers, limit_s=LEFTOVERS_LIMIT_S)

    def close(self) -> None:
        """Close all descriptors. The workers go on, and the next supervisor adopts them."""
        for handle in list(self._handles.values()):
            self._let_go(handle)

    def _keep(self, handle: Handle) -> Handle:
        self._handles[handle.fd] = handle
        return handle

    def _let_go(self, handle: Handle) -> None:
        if self._handles.pop(handle.fd, None) is not None:
            os.close(handle.fd)


def reap_strangers(known_pids: Collection[int]) -> int:
    """Kill and reap this process's unknown children and all below them; return how many children there were.

    In a subreaper these are what killed workers have left. Known ones, ended or not, and all below them stay
    untouched.
    """
    strangers = len(living_children(keep=known_pids))
    end_descendants(0, keep=known_pids, limit_s=LEFTOVERS_LIMIT_S)
    return strangers


def _open_log(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)


def _pidfd_of(process: "subprocess.Popen[bytes]", job_id: int) -> int:
    """Return the descriptor of a process just started, and take it out of subprocess's hands: `bury` reaps it."""
    try:
        fd = os.pidfd_open(process.pid)
    except OSError as error:
        process.kill()
        process.wait()
        raise LaunchError(f"cannot watch the worker of #{job_id}: {error}") from error
    process.returncode = 0  # else its destructor complains about a process that is meant to outlive it
    return fd
