"""What makes a forked child a worker like any other: a session, an environment, a log of its own, and nothing inherited.

Runs in the child alone, between its fork and its first line of an attempt's code.
"""

import fcntl
import os
import sys
import time
import traceback
from collections.abc import Callable

from store.home import Home
from tui_orch.worker.failpoint import reach
from tui_orch.worker.fork_messages import Request
from tui_orch.worker.start_block import show_arguments, show_mark

#: The exit code of a child that was never told to begin: it has done nothing.
NEVER_BEGAN = 75
#: What a child keeps beside the standard ones.
_GO, _SUPERVISOR = 3, 4
_LAST_DESCRIPTOR = 2**31 - 1

#: What a worker does, given the pidfd of the process that its forker serves. Returns the exit code.
Run = Callable[[Home, Request, int], int]


def live(request: Request, home: Home, log: int, go: int, supervisor: int, run: Run) -> None:
    """Be the worker of a request, in a child just forked, and end this process. Never returns.

    ``log``: where it prints to. ``go``: it begins when a byte comes from there; at the end of it, it ends instead.
    """
    code = 1
    try:
        os.setsid()
        _take_descriptors(log, go, supervisor)
        show_mark(request.mark)
        show_arguments(
            sys.executable, "-m", "tui_orch.worker", str(home.root), str(request.job_id), str(request.attempt)
        )
        os.environ.clear()
        os.environ.update(request.env)
        if "TZ" in request.env:
            time.tzset()
        began = os.read(_GO, 1)
        os.close(_GO)
        reach("after_fork")
        code = run(home, request, _SUPERVISOR) if began else NEVER_BEGAN
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


def _take_descriptors(log: int, go: int, supervisor: int) -> None:
    """Keep the standard ones, with both outputs in the log, and two more; close the rest."""
    for output in (1, 2):
        os.dup2(log, output)
    go, supervisor = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _SUPERVISOR + 1) for fd in (go, supervisor))
    os.dup2(go, _GO, inheritable=False)
    os.dup2(supervisor, _SUPERVISOR, inheritable=False)
    os.closerange(_SUPERVISOR + 1, _LAST_DESCRIPTOR)
