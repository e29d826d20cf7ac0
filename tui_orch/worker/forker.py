"""``python -m tui_orch.worker.forker DESCRIPTOR HOME KIND``: a process that has imported what workers need, and forks them.

Started by a launcher, and ends when that closes its end of the socket, or with its process; workers go on. It has one
thread, never opens the store, and has an environment without anything in it: each request brings a worker's whole one.
It reaps its workers and tells how they ended. It is no subreaper: what a killed worker leaves goes up to the supervisor.

A child begins only when its launcher has been told of it, so that killed at any point the forker leaves no worker that
nobody knows: the child sees the end of its pipe, and ends.
"""

import gc
import json
import os
import select
import socket
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from store.home import Home
from store.models import Outcome
from store.states import Kind, Status
from tui_orch.worker.fork_messages import Ended, Ready, Refused, Request, Started, pair, receive_request, send_answer
from tui_orch.worker.forked import Run, live
from tui_orch.worker.masking import Mask
from tui_orch.worker.start_block import check_mark, show_arguments
from tui_orch.worker.subreaper import prepare
from tui_orch.worker.work import Finished
from tui_orch.worker.worker_log import open_worker_log

#: Seconds without a request or a living worker after which a forker that takes much memory ends by itself.
IDLE_S = 60.0


class Forker:
    """Forks workers until the launcher is gone."""

    def __init__(self, launcher: socket.socket, home: Home, run: Run, idle_s: float | None) -> None:
        self._launcher = launcher
        self._home = home
        self._run = run
        self._idle_s = idle_s
        # A request comes from a process that lives after this: so it is this one.
        self._supervisor = os.pidfd_open(os.getppid())
        self._pids: dict[int, int] = {}  # by pidfd
        self._poll = select.poll()
        self._poll.register(launcher, select.POLLIN)

    def serve(self) -> None:
        """Take requests one after the other; return when there will be no more."""
        while True:
            patience_ms = self._idle_s * 1000 if self._idle_s is not None and not self._pids else None
            ready = [fd for fd, _ in self._poll.poll(patience_ms)]
            if not ready:
                return
            for fd in ready:
                if fd in self._pids:
                    self._reap(fd)
            if self._launcher.fileno() in ready:
                request = receive_request(self._launcher)
                if request is None:
                    return
                self._fork(request)

    def _fork(self, request: Request) -> None:
        try:
            if _threads() != 1:
                raise OSError("the forker has threads")
            os.chdir(self._home.project)
            log = open_worker_log(self._home, request.job_id, request.attempt)
        except OSError as error:
            send_answer(self._launcher, Refused(str(error)))
            return
        try:
            self._fork_with(request, log)
        finally:
            os.close(log)

    def _fork_with(self, request: Request, log: int) -> None:
        waits, go = os.pipe()
        ends: tuple[socket.socket, ...] = ()
        try:
            if request.brief is not None:  # its worker is a guard, to which the launcher has a line
                ends = pair()
            pid = os.fork()
            if pid == 0:
                line = ends[1].fileno() if ends else None
                live(request, self._home, log, waits, self._supervisor, line, self._run)
            fd = os.pidfd_open(pid)
        except OSError as error:  # a child that is there already sees the end of its pipe
            send_answer(self._launcher, Refused(str(error)))
            return
        else:
            self._pids[fd] = pid
            self._poll.register(fd, select.POLLIN)
            send_answer(self._launcher, Started(pid, fd, ends[0].fileno() if ends else -1))
            os.write(go, b"!")
        finally:
            os.close(waits)
            os.close(go)
            for end in ends:
                end.close()

    def _reap(self, fd: int) -> None:
        pid = self._pids.pop(fd)
        self._poll.unregister(fd)
        os.close(fd)
        _, status = os.waitpid(pid, 0)
        send_answer(self._launcher, Ended(pid, os.waitstatus_to_exitcode(status)))


def serve(descriptor: int, home: Home, run: Run, idle_s: float | None = None) -> None:
    """Fork workers that do ``run``, until there are no more requests, or none came for ``idle_s`` seconds."""
    with socket.socket(fileno=descriptor) as launcher:
        os.set_inheritable(descriptor, False)
        _warm_up()
        gc.collect()
        gc.freeze()  # else a collection in a child would write to, and so copy, all that was imported
        with suppress(ConnectionError):  # the launcher is gone, which is the end of it
            forker = Forker(launcher, home, run, idle_s)
            send_answer(launcher, Ready())
            forker.serve()


def _warm_up() -> None:
    """Do once what each child would have to do first, and pay for, all over again: look up, import, compile, remember."""
    prepare()
    ending = Mask.of({"A_TOKEN": "x" * 40}).of_any(Finished(Outcome(Status.COMPLETED, result="")))
    json.dumps(asdict(ending))


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _prepared(kind: Kind) -> Run:
    """Import all that a worker of this kind comes to need, so that no child has to. Return what it does."""
    from store import schema  # noqa: PLC0415 - here, not above, is the place where a forker's imports are chosen
    from tui_orch.worker import worktree  # noqa: F401, PLC0415
    from tui_orch.worker.attempt import run_attempt  # noqa: PLC0415
    from tui_orch.worker.brief import run_brief  # noqa: PLC0415

    schema.migrations()
    if kind is Kind.CLAUDE:
        from tui_orch.worker.claude import session  # noqa: F401, PLC0415

    def run(home: Home, request: Request, supervisor: int) -> int | None:
        if request.brief is not None:
            return run_brief(home, request.fence, request.brief, request.env, supervisor)
        os.close(supervisor)
        return run_attempt(home, request.fence, os.environ)

    return run


if __name__ == "__main__":
    descriptor, root, kind, *_ = sys.argv[1:]
    check_mark()
    show_arguments(*sys.orig_argv[:-1])
    serve(int(descriptor), Home(Path(root)), _prepared(Kind(kind)), IDLE_S if kind == Kind.CLAUDE else None)
