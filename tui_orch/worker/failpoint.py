"""Places at which a process can be made to die by kill -9: for tests of what must survive that, and for nothing else.

``ORCH_FAILPOINT`` names them, by comma: ``after_claim`` dies there each time, ``after_claim=FILE`` only while FILE exists,
and whoever removes it is the one that dies: once. Without the variable nothing happens. Workers see it only where the
user passes it on (``ORCH_ENV_PASS``).
"""

import os
import signal
from pathlib import Path
from typing import Literal

VARIABLE = "ORCH_FAILPOINT"

#: after_start: the attempt is committed, no process exists yet. after_spawn: the worker's process exists.
SUPERVISOR = ("after_start", "after_spawn")
#: after_fork: a forked worker exists, and has done nothing.
#: before_outcome: the work is done, nobody knows yet. after_outcome: it is recorded, the process still lives.
WORKER = ("after_fork", "after_claim", "before_outcome", "after_outcome")

Place = Literal["after_start", "after_spawn", "after_fork", "after_claim", "before_outcome", "after_outcome"]


def reach(place: Place) -> None:
    """Die here if the environment says so."""
    named = os.environ.get(VARIABLE)
    if named is None:
        return
    for each in named.split(","):
        name, _, file = each.partition("=")
        if name == place and (not file or _removed(Path(file))):
            os.kill(os.getpid(), signal.SIGKILL)


def _removed(file: Path) -> bool:
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    return True
