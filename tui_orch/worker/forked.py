"""What makes a forked child a worker like any other: a session, an environment, a log of its own, and nothing inherited.

Runs in the child alone, between its fork and its first line of an attempt's code. A child with a line of its own is a guard:
what it ran without the store and has left an outcome of is followed by another attempt, which finds it as if it were new.
Nothing that an attempt has started lives on then; its lock is free, and nothing shows its mark.
"""

import fcntl
import os
import select
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping

from store.home import Home
from tui_orch.worker.failpoint import reach
from tui_orch.worker.fork_messages import Request, receive_request, send_done
from tui_orch.worker.start_block import show_arguments, show_mark
from tui_orch.worker.worker_log import open_worker_log

#: The exit code of a child that was never told to begin: it has done nothing.
NEVER_BEGAN = 75
#: What a child keeps beside the standard ones.
_GO, _SUPERVISOR, _LINE = 3, 4, 5
_LAST_DESCRIPTOR = 2**31 - 1

#: Seconds for which a guard waits for another attempt.
IDLE_S = 2.0
_NO_MARK = "none"

#: What a worker does, given the pidfd of the process that its forker serves. Returns the exit code; None: its outcome is
#: left for that process, and it could do the same for another attempt.
Run = Callable[[Home, Request, int], int | None]


def live(request: Request, home: Home, log: int, go: int, supervisor: int, line: int | None, run: Run) -> None:
    """Be the worker of a request, in a child just forked, and end this process. Never returns.

    ``log``: where it prints to. ``go``: it begins when a byte comes from there; at the end of it, it ends instead.
    ``line``: where a guard is asked for more.
    """
    code = 1
    try:
        os.setsid()
        _take_descriptors(log, go, supervisor, line)
        _dress(request, home, None)
        began = os.read(_GO, 1)
        os.close(_GO)
        reach("after_fork")
        ended = run(home, request, _SUPERVISOR) if began else NEVER_BEGAN
        if ended is None:
            ended = _take_turns(home, run, request.env) if line is not None else 0
        code = ended
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - the end of the process: as Python does, tell it and end with 1
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            # Not sys.exit: what the forker's own interpreter wants to do at its end is not for its children.
            os._exit(code)


def _take_turns(home: Home, run: Run, worn: Mapping[str, str]) -> int:
    """Work on one attempt after the other, until there is none for a while; return the exit code.

    ``worn``: this process's environment, that of the attempt before.
    """
    with socket.socket(fileno=_LINE) as line:
        while True:
            show_mark(_NO_MARK)
            sys.stdout.flush()
            sys.stderr.flush()
            try:
                send_done(line)
            except OSError:  # whoever asked has gone; the outcome is where its successor looks for it
                return 0
            request = _next(line)
            if request is None:
                return 0
            os.chdir(home.project)
            log = open_worker_log(home, request.job_id, request.attempt)
            _print_to(log)
            os.close(log)
            _dress(request, home, worn)
            worn = request.env
            reach("after_fork")
            code = run(home, request, _SUPERVISOR)
            if code is not None:
                return code


def _next(line: socket.socket) -> Request | None:
    """Return the next request, or None where there is none in time, and will be none: who sends one now is told so."""
    wait = select.poll()
    wait.register(line, select.POLLIN)
    if not wait.poll(IDLE_S * 1000):
        line.shutdown(socket.SHUT_RD)  # a request that is on its way already is still read
    try:
        return receive_request(line)
    except ConnectionResetError:
        return None


def _dress(request: Request, home: Home, worn: Mapping[str, str] | None) -> None:
    """Look like the worker of a request, and have its environment instead of ``worn`` (None: whatever is there)."""
    show_mark(request.mark)
    show_arguments(sys.executable, "-m", "tui_orch.worker", str(home.root), str(request.job_id), str(request.attempt))
    if worn is None:
        os.environ.clear()
        worn = {}
    for name in worn.keys() - request.env.keys():
        del os.environ[name]
    for name, value in request.env.items():
        if worn.get(name) != value:  # of two attempts nearly all is the same, and each change is a call of its own
            os.environ[name] = value
    if request.env.get("TZ") != worn.get("TZ"):
        time.tzset()


def _print_to(log: int) -> None:
    for output in (1, 2):
        os.dup2(log, output)


def _take_descriptors(log: int, go: int, supervisor: int, line: int | None) -> None:
    """Keep the standard ones, with both outputs in the log, and two or three more; close the rest."""
    _print_to(log)
    kept = [go, supervisor] if line is None else [go, supervisor, line]
    copies = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _LINE + 1) for fd in kept]
    for copy, place in zip(copies, (_GO, _SUPERVISOR, _LINE), strict=False):
        os.dup2(copy, place, inheritable=False)
    os.closerange(_GO + len(kept), _LAST_DESCRIPTOR)
