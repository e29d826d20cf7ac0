"""A worker's stand-in for the tests of the launcher: ``python standin.py HOME JOB ATTEMPT``, told by STANDIN what to do.

Takes the attempt's lock like the real one, writes what it sees of itself to its output, makes ``ready``, and
then: ``report``: ends with code 7; ``stay``: waits; ``stubborn``: waits and ignores SIGTERM; ``hide``: waits,
and has left a process in a session of its own, orphaned and without an environment; ``unlocked``: waits
without the lock.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from store.home import Home
from tui_orch.worker.lock import AttemptLock
from tui_orch.worker.subreaper import become_subreaper

LIFE_S = 60.0


def descriptors() -> list[int]:
    """Return what is open here (the last one is the look itself)."""
    return sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1]


def main() -> None:
    """Play the part."""
    part = os.environ["STANDIN"]
    folder = Home(Path(sys.argv[1])).attempt_dir(int(sys.argv[2]), int(sys.argv[3]))
    report = {
        "argv": sys.argv[1:],
        "cwd": os.getcwd(),
        "env": dict(os.environ),
        "fds": descriptors(),
        "leads_session": os.getsid(0) == os.getpid(),
        "stdin": os.readlink("/proc/self/fd/0"),
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    }
    print(json.dumps(report), flush=True)
    print("and this on stderr", file=sys.stderr, flush=True)
    lock = AttemptLock(folder)
    if part != "unlocked":
        assert lock.hold()
    if part == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if part == "hide":
        hide(folder)
    (folder / "ready").touch()
    if part == "report":
        sys.exit(7)
    time.sleep(LIFE_S)


def hide(folder: Path) -> None:
    """Leave an orphan behind, and wait until it is there. Like a worker, this is where its orphans come to."""
    assert become_subreaper()
    hostile = Path(__file__).parents[1] / "worker" / "hostile.py"
    hidden = folder / "hidden"
    subprocess.run([sys.executable, hostile, "empty_environment", hidden, hidden], check=True)
    while not hidden.exists():
        time.sleep(0.01)


if __name__ == "__main__":
    main()
