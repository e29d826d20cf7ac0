"""Work on a node in processes of which none outlives the engine's, the lease or each other, however they end. Linux only.

    front        the process that the engine knows, and may end in any way; it waits here
    backstop     out of the front's tree, group and session, where no engine looks for it
      guard      ends the worker and all below it when the front or the backstop has gone, or the lease is about to end
        worker   does the work, in a session of its own; the kernel kills it when the guard dies

The guard and the backstop are subreapers: whatever hides below the worker becomes the guard's child when the worker dies,
and the backstop's when the guard does, which then ends it in its place. Only who kills both of them at once leaves processes
behind, and of the worker itself not even then.

The front's end is seen at the line between it and the guard, of which nobody else may keep the front's side. Nothing here
knows a store, an API or an engine; what the worker is to do, and when its lease ends, has to be told.
"""

import ctypes
import math
import os
import select
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tui_orch.worker.pidfd import has_ended, open_pidfd
from tui_orch.worker.stop_signal import StopSignal
from tui_orch.worker.subreaper import become_subreaper, children_of, end_descendants, living_children, prepare

#: Seconds that a worker has from SIGTERM to its end when a stop was asked for, or its front has gone. Ray kills after 3.
STOP_GRACE_S = 2.0
#: Seconds before the lease's end at which all is killed, and before that, in which the worker is asked to end by itself.
KILL_S = 1.0
LEASE_GRACE_S = 1.0
#: The exit code of a worker that was killed, as a shell would tell it.
KILLED = 128 + signal.SIGKILL

#: The guard looks at its clock this often: a wait that the machine slept through would last longer than it should.
_TURN_S = 1.0
_HELD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_CODE = struct.Struct("!i")
_WORD = struct.Struct("!cd")
_LEASE, _DELIVERING = b"L", b"D"


class GuardError(Exception):
    """The worker can not be guarded, or its guards are no more. ``str(error)`` says why in one line."""


class GuardLine:
    """What the worker tells its guard. Any thread of it may; nothing is waited for."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def lease_until(self, monotonic_s: float) -> None:
        """Have all of this worker dead before then (`time.monotonic`), unless another time is told first."""
        self._tell(_LEASE, monotonic_s)

    def delivering(self, until_monotonic_s: float) -> None:
        """Live until then instead, to hand in an outcome: past the lease only while nothing lives below the worker."""
        self._tell(_DELIVERING, until_monotonic_s)

    def _tell(self, what: bytes, monotonic_s: float) -> None:
        with suppress(ConnectionError):  # the guard is dead, and so is this process in a moment
            self._line.send(_WORD.pack(what, _now_s() + monotonic_s - time.monotonic()))


def run_guarded(work: Callable[[GuardLine], int]) -> int:
    """Run ``work`` in a process of its own; return its exit code (``KILLED``: killed) when nothing of it is left.

    SIGTERM and SIGINT of this process ask it to end, with ``STOP_GRACE_S`` to do so. Call this in the main thread, before
    there is any other. Raises GuardError where there is no guarding, or both who guarded were killed.
    """
    if sys.platform != "linux":
        raise GuardError("a worker beyond this machine needs Linux: nothing else ends all that it may have started")
    prepare()
    sys.stdout.flush()
    sys.stderr.flush()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)  # the guards hold them for good, the worker does not
    try:
        with ours:
            with theirs:
                charge = _Charge(work, theirs, mask)
                os.waitpid(_fork(lambda: _start(charge, ours)), 0)
            with StopSignal() as stop:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                code = _wait(ours, stop)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    if code is None:
        raise GuardError("both guards of the worker were killed, or never began; look for what it has left running")
    return code


def _wait(line: socket.socket, stop: StopSignal) -> int | None:
    """Return the code that was told when both guards have gone. To be asked to stop is to seem gone."""
    events = select.poll()
    events.register(line, select.POLLIN)
    events.register(stop, select.POLLIN)
    code = None
    while True:
        ready = {fd for fd, _ in events.poll()}
        if stop.fileno() in ready:
            events.unregister(stop)
            line.shutdown(socket.SHUT_WR)
        if line.fileno() in ready:
            told = line.recv(_CODE.size)
            if not told:
                return code
            code = _CODE.unpack(told)[0] if code is None else code


@dataclass(frozen=True, slots=True)
class _Charge:
    """What the guards were given: the work, their side of the line to the front, and the signals that a worker holds."""

    work: Callable[[GuardLine], int]
    front: socket.socket
    mask: set[int]

    def tell(self, code: int) -> None:
        with suppress(ConnectionError):  # the front was killed
            self.front.send(_CODE.pack(code))


def _start(charge: _Charge, other_side: socket.socket) -> int:
    """Have the backstop as a child and end, so that it is nobody's."""
    other_side.close()
    _fork(lambda: _be_backstop(charge))
    return 0


def _be_backstop(charge: _Charge) -> int:
    os.setsid()
    _adopt_orphans()
    backstop = os.pidfd_open(os.getpid())
    _, status = os.waitpid(_fork(lambda: _be_guard(charge, backstop)), 0)
    _end_all()
    if status:
        charge.tell(KILLED)
    return 0


def _be_guard(charge: _Charge, backstop: int) -> int:
    _adopt_orphans()
    guard = os.getpid()
    heard, told = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def be_worker() -> int:
        _die_with(guard)
        os.setsid()
        heard.close()
        charge.front.close()
        os.close(backstop)
        signal.pthread_sigmask(signal.SIG_SETMASK, charge.mask)
        return charge.work(GuardLine(told))

    worker = _fork(be_worker)
    told.close()
    try:
        _Watch(worker, charge.front, heard, backstop).until_over()
    finally:
        os.kill(worker, signal.SIGKILL)  # not reaped yet, so the number is still its own
        _, status = os.waitpid(worker, 0)
        _end_all()
    code = os.waitstatus_to_exitcode(status)
    charge.tell(code if code >= 0 else 128 - code)
    return 0


class _Watch:
    """What the guard knows of the others: who still lives, what was asked for, and how long the worker may live."""

    def __init__(self, worker: int, front: socket.socket, heard: socket.socket, backstop: int) -> None:
        self._worker = worker
        self._heard = heard
        self._lease_s = math.inf
        self._delivering_s: float | None = None
        self._stopped_s: float | None = None
        self._asked = False
        self._end = os.pidfd_open(worker)
        self._events = select.poll()
        self._sources = {front.fileno(): self._stop, backstop: self._stop, heard.fileno(): self._hear}
        for fd in (*self._sources, self._end):
            self._events.register(fd, select.POLLIN)

    def until_over(self) -> None:
        """Return when the worker has ended, or has to be killed with all below it; ask it to end in time before."""
        ready: set[int] = set()
        while self._end not in ready:
            for fd in ready:
                self._sources[fd](fd)
            living_children(keep=(self._worker,))  # orphans that have ended are reaped
            until_s, now_s = self._until_s(), _now_s()
            asks_s, kills_s = until_s - KILL_S - LEASE_GRACE_S, until_s - KILL_S
            if self._stopped_s is not None:
                kills_s = min(kills_s, self._stopped_s + STOP_GRACE_S)
            if now_s >= kills_s:
                return
            if now_s >= asks_s and not self._asked:
                self._ask()
            next_s = kills_s if self._asked else min(asks_s, kills_s)
            ready = {fd for fd, _ in self._events.poll(math.ceil(min(next_s - now_s, _TURN_S) * 1000))}

    def _stop(self, fd: int) -> None:
        """The front or the backstop has gone, or the front wants to seem so."""
        self._events.unregister(fd)
        if self._stopped_s is None:
            self._stopped_s = _now_s()
            self._ask()

    def _hear(self, fd: int) -> None:
        word = self._heard.recv(_WORD.size)
        if not word:  # the worker has closed its side
            self._events.unregister(fd)
            return
        what, until_s = _WORD.unpack(word)
        if what == _LEASE:
            self._lease_s = until_s
        else:
            self._delivering_s = until_s

    def _ask(self) -> None:
        self._asked = True
        os.kill(self._worker, signal.SIGTERM)  # not reaped yet, so the number is still its own

    def _until_s(self) -> float:
        """Return when all must be dead."""
        if self._delivering_s is None or not self._is_alone():
            return self._lease_s
        return self._delivering_s

    def _is_alone(self) -> bool:
        """Tell whether nothing lives but the worker itself."""
        below = [*children_of(self._worker), *living_children(keep=(self._worker,))]
        return not any(_lives(pid) for pid in below)


def _fork(body: Callable[[], int]) -> int:
    """Return the pid of a child that ends with what ``body`` returns, and does nothing else."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        code = body()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - the end of the process: as Python does, tell it and end with 1
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            # Not sys.exit: what the front's own interpreter wants to do at its end is not for its children.
            os._exit(code & 0xFF)


def _adopt_orphans() -> None:
    if not become_subreaper():
        raise GuardError("this kernel has no child subreapers (Linux has them since 3.4)")


def _die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent dies."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "can not be killed when the guard dies")
    if os.getppid() != parent:  # it was faster
        os._exit(KILLED)


def _end_all() -> None:
    while end_descendants(0):
        pass  # in the kernel's hands, or another user's: what lives of the worker has not ended


def _lives(pid: int) -> bool:
    process = open_pidfd(pid)
    if process is None:
        return False
    try:
        return not has_ended(process)
    finally:
        os.close(process)


def _now_s() -> float:
    """Seconds on a clock that goes on while the machine sleeps, as the lease does."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
