"""Supervisors that are wrong on purpose. A storm over one of them must end with broken clauses, or it proves nothing.

``python -P controls.py blind|careless HOME``. Run as a program; it patches nothing but its own process.
"""

import sys
import time
from pathlib import Path

from store import finish
from store.database import Store
from store.home import Home
from store.models import Fence
from store.queue import running_jobs
from store.states import Reason
from tui_orch.supervisor.launcher import Handle, LocalLauncher
from tui_orch.supervisor.main import supervise

BLIND = "blind"
CARELESS = "careless"


def control(name: str) -> tuple[str, ...]:
    """Return the command of a wrong supervisor, to which the store's folder is added."""
    return (sys.executable, "-P", __file__, name)


def requeue_blindly(home: Home) -> None:
    """Recover as many job queues do: whatever was running is queued again, whether its process lives or not."""
    with Store.open(home) as store, store.write() as tx:
        for job in running_jobs(tx):
            finish.release(tx, Fence(job.id, job.attempt), Reason.LOST, time.time_ns() // 1_000_000)


def _nobody_lives(_launcher: LocalLauncher, _job_id: int, _attempt: int) -> bool:
    return False


def _nobody_to_adopt(_launcher: LocalLauncher, _job_id: int, _attempt: int, _pid: int | None) -> Handle | None:
    return None


def _no_sweep(_launcher: LocalLauncher, _job_id: int, _attempt: int) -> int:
    return 0


def main(name: str, root: str) -> int:
    home = Home(Path(root))
    if name == BLIND:
        requeue_blindly(home)
        LocalLauncher.is_alive = _nobody_lives  # type: ignore[method-assign,assignment]
        LocalLauncher.adopt = _nobody_to_adopt  # type: ignore[method-assign,assignment]
    else:
        LocalLauncher.end_leftovers = _no_sweep  # type: ignore[method-assign,assignment]
    return supervise(home, log_to_stderr=False)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
