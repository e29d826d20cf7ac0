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
from typing import Protocol

from store.home import Home
from store.needs import Needs
from store.states import Kind
from tui_orch.supervisor.forkers import FORKER, Forker
from tui_orch.supervisor.guards import Guards
from tui_orch.worker import cookie, lock
from tui_orch.worker.brief import Brief
from tui_orch.worker.fork_messages import Refused, Request, Started
from tui_orch.worker.pidfd import has_ended, open_pidfd
from tui_orch.worker.subreaper import end_descendants, living_children, own_children
from tui_orch.worker.worker_log import open_worker_log

#: The program of a worker, before the store's folder, the job and the attempt. It runs in the project's folder:
#: -P, because that folder's own `store` or `asyncio.py` must not become ours.
WORKER = (sys.executable, "-P", "-m", "tui_orch.worker")
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
    is_brief: bool = False  # its claim is to be noted, and its outcome may be in its file alone: see ``worker.brief``

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the worker has ended, and stays so."""
        return self.fd


@dataclass(frozen=True, slots=True)
class Order:
    """A worker to be started, with exactly this environment."""

    job_id: int
    attempt: int
    env: Mapping[str, str]
    kind: Kind = Kind.COMMAND
    brief: Brief | None = None  # given, the worker may do without the store
    needs: Needs | None = None  # of the machine; only for launchers that have more than one


class Launcher(Protocol):
    """What the supervisor needs of the place where workers run."""

    def is_prepared(self, kind: Kind) -> bool:
        """Tell whether workers of this kind can be started now; False: soon, ask again."""
        ...

    def start(self, orders: Sequence[Order]) -> list[Handle | LaunchError]:
        """Start workers; for each return it, or why it could not be started."""
        ...

    def adopt(self, job_id: int, attempt: int, pid: int | None) -> Handle | None:
        """Take over a worker that runs already; None if it does not live. Raises OSError where that is unknown."""
        ...

    def is_alive(self, job_id: int, attempt: int) -> bool:
        """Tell whether a worker of the attempt lives, started by whomever."""
        ...

    def close_off(self, job_id: int, attempt: int) -> lock.Standing:
        """See to it that no worker of an attempt begins any more, unless one lives. Raises OSError: that can not be."""
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

    def holds_back(self) -> str | None:
        """Return why nothing at all can be started now, in one line; None: it can."""
        ...

    def refusal(self, job_id: int, attempt: int) -> str | None:
        """Return why a worker of a buried attempt can never be started, in one line; None: nobody has said so."""
        ...

    def lived_ms(self, job_id: int, attempt: int, at_most_ms: int) -> int | None:
        """Return for how long the worker of a buried attempt has lived; None: none ever did, so it has not failed."""
        ...

    def close(self) -> None:
        """Let go of all handles. The workers go on."""
        ...


class LocalLauncher:
    """Workers as processes of this machine: forked from one that has imported all they need, or, without it, started anew."""

    def __init__(
        self,
        home: Home,
        store_id: str,
        worker: Sequence[str] = WORKER,
        forker: Sequence[str] | None = None,
    ) -> None:
        """``worker`` and ``forker`` are programs. The usual worker has its forker; any other, none if none is given."""
        self._worker = worker
        program = forker or (FORKER if worker == WORKER else ())
        kinds = (Kind.COMMAND, Kind.CLAUDE) if program and sys.platform == "linux" else ()
        self._forkers = {kind: Forker(home, kind, program) for kind in kinds}
        self._home = home
        self._store_id = store_id
        self._guards = Guards()
        self._handles: dict[int, Handle] = {}
        # Whoever called exec on us may have left us children of its own. They are no leftovers of a worker.
        self._inherited = frozenset(own_children())

    def is_prepared(self, kind: Kind) -> bool:
        """Tell whether workers of this kind can be started now: not Claude's while a forker imports the Agent SDK for them.

        A command starts anew as soon as the imports of its forker would be done.
        """
        return kind is not Kind.CLAUDE or not self.is_getting_ready(kind)

    def is_getting_ready(self, kind: Kind) -> bool:
        """Tell whether the forker of this kind still imports what its workers need; it is started if there is none."""
        forker = self._forkers.get(_forked_as(kind))
        return forker is not None and forker.is_getting_ready()

    def start(self, orders: Sequence[Order]) -> list[Handle | LaunchError]:
        """Start each worker in a session of its own; see `Launcher.start`. Guards that are free come first."""
        self._reap_guards()
        found: list[Handle | LaunchError | None] = [self._guarded(order) for order in orders]
        for kind, forker in self._forkers.items():
            places = [
                place for place, order in enumerate(orders) if found[place] is None and _forked_as(order.kind) is kind
            ]
            if places and not forker.is_getting_ready():
                answers = forker.ask([self._request(orders[place]) for place in places])
                for place, answer in zip(places, answers, strict=True):
                    found[place] = self._forked(orders[place], answer)
        return [self._started_anew(order) if each is None else each for order, each in zip(orders, found, strict=True)]

    def _guarded(self, order: Order) -> Handle | None:
        guard = self._guards.ask(self._request(order)) if order.brief is not None else None
        if guard is None:
            return None
        return self._keep(Handle(order.job_id, order.attempt, guard.pid, guard.fileno(), is_brief=True))

    def _request(self, order: Order) -> Request:
        mark = cookie.cookie(self._store_id, order.job_id, order.attempt)
        return Request(order.job_id, order.attempt, mark, order.env, order.brief)

    def _forked(self, order: Order, answer: Started | Refused | None) -> Handle | LaunchError | None:
        if isinstance(answer, Started):
            is_brief = order.brief is not None
            fd = answer.fd if answer.line < 0 else self._guards.add(answer.pid, answer.fd, answer.line)
            return self._keep(Handle(order.job_id, order.attempt, answer.pid, fd, is_brief))
        if isinstance(answer, Refused):
            return LaunchError(f"cannot fork a worker for #{order.job_id}: {answer.why}")
        return None

    def _started_anew(self, order: Order) -> Handle | LaunchError:
        arguments = (str(self._home.root), str(order.job_id), str(order.attempt))
        try:
            log = open_worker_log(self._home, order.job_id, order.attempt)
            try:
                process = subprocess.Popen(
                    [*self._worker, *arguments],
                    cwd=self._home.project,
                    env=dict(order.env),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    close_fds=True,
                    start_new_session=True,
                )
            finally:
                os.close(log)
            fd = _pidfd_of(process)
        except OSError as error:
            return LaunchError(f"cannot start a worker for #{order.job_id}: {error}")
        return self._keep(Handle(order.job_id, order.attempt, process.pid, fd))

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

    def close_off(self, job_id: int, attempt: int) -> lock.Standing:
        """Close the attempt's lock to whoever would take it from now on."""
        return lock.close_off(self._home.attempt_dir(job_id, attempt), self._home.root)

    def has_ended(self, handle: Handle) -> bool:
        """Tell whether the worker has ended, without waiting."""
        return has_ended(handle.fd)

    def stop(self, handle: Handle, *, kill: bool) -> None:
        """Send SIGTERM or SIGKILL through the descriptor, never by the pid."""
        number = signal.SIGKILL if kill else signal.SIGTERM
        with suppress(ProcessLookupError):  # it has ended, which is what was wanted
            if self._guards.is_guard(handle.fd):
                self._guards.signal(handle.fd, number)
            else:
                signal.pidfd_send_signal(handle.fd, number)

    def bury(self, handle: Handle) -> int | None:
        """Reap the worker, if it is our child, and close its descriptor. Raises ValueError if it lives.

        A guard that is free again has ended, too, as far as its attempt goes: with 0.
        """
        if not has_ended(handle.fd):
            raise ValueError(f"worker {handle.pid} of #{handle.job_id} has not ended")
        process = handle.fd
        if self._guards.is_guard(handle.fd):
            del self._handles[handle.fd]
            if self._guards.take_back(handle.fd):
                return 0
            process = self._guards.gone(handle.fd).process
        told = [code for code in (forker.code_of(handle.pid) for forker in self._forkers.values()) if code is not None]
        try:
            end = os.waitid(os.P_PIDFD, process, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            end = None
        self._handles.pop(handle.fd, None)
        os.close(process)
        if end is None:
            return told[0] if told else None
        return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status

    def end_leftovers(self, job_id: int, attempt: int) -> int:
        """Kill what became ours when the worker died, then all that carries the attempt's cookie."""
        workers = {handle.pid for handle in self._handles.values()} | self._guards.pids()
        forkers = {forker.pid for forker in self._forkers.values() if forker.pid is not None}
        strangers = reap_strangers(workers | forkers | self._inherited)
        mark = cookie.cookie(self._store_id, job_id, attempt)
        return strangers + cookie.sweep(mark, exclude=workers, limit_s=LEFTOVERS_LIMIT_S)

    def holds_back(self) -> str | None:
        """Nothing does: a process that can not be made fails by itself."""
        return None

    def refusal(self, job_id: int, attempt: int) -> str | None:
        """Nothing is refused for good."""
        return None

    def lived_ms(self, job_id: int, attempt: int, at_most_ms: int) -> int | None:
        """A worker lives from its start on."""
        return at_most_ms

    def close(self) -> None:
        """Close all descriptors. The workers go on, and the next supervisor adopts them."""
        for fd in self._handles:
            if not self._guards.is_guard(fd):
                os.close(fd)
        self._handles.clear()
        self._guards.close()
        for forker in self._forkers.values():
            forker.close()

    def _keep(self, handle: Handle) -> Handle:
        self._handles[handle.fd] = handle
        return handle

    def _reap_guards(self) -> None:
        for pid in self._guards.reap():
            for forker in self._forkers.values():
                forker.forget(pid)


def reap_strangers(known_pids: Collection[int]) -> int:
    """Kill and reap this process's unknown children and all below them; return how many children there were.

    In a subreaper these are what killed workers have left. Known ones, ended or not, and all below them stay
    untouched.
    """
    strangers = len(living_children(keep=known_pids))
    end_descendants(0, keep=known_pids, limit_s=LEFTOVERS_LIMIT_S)
    return strangers


def _forked_as(kind: Kind) -> Kind:
    """Return the kind of workers whose forker has imported what this kind needs."""
    return Kind.CLAUDE if kind is Kind.CLAUDE else Kind.COMMAND


def _pidfd_of(process: "subprocess.Popen[bytes]") -> int:
    """Return the descriptor of a process just started, and take it out of subprocess's hands: `bury` reaps it."""
    try:
        fd = os.pidfd_open(process.pid)
    except OSError:
        process.kill()
        process.wait()
        raise
    process.returncode = 0  # else its destructor complains about a process that is meant to outlive it
    return fd
