"""Where a storm takes place: a store, its supervisor, and ways to find and to hit their processes.

Starts and signals processes; it decides nothing. Signals go through descriptors, to processes that carry the store's mark.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from store.claim import open_attempts
from store.database import Store
from store.home import Home
from store.settings import set_setting
from tests.lifecycle.chaos.journal import Journal
from tests.lifecycle.chaos.observer import living
from tests.lifecycle.chaos.workload import SLOTS
from tui_orch.supervisor.ownership import holder
from tui_orch.worker import cookie, failpoint
from tui_orch.worker.pidfd import open_pidfd
from tui_orch.worker.subreaper import children_of

SUPERVISOR = (sys.executable, "-P", "-m", "tui_orch.supervisor")
PATIENCE_S = 60.0
SETTINGS = {
    "slots": SLOTS,
    "retry_base_s": 0.05,
    "grace_s": 2.0,
    "output_cap_mb": 1.0,
    "min_free_memory_mb": 0,
}


class Stage:
    """One storm's place. ``folder`` is for the log, the plans and the locks; ``project`` holds the store."""

    def __init__(
        self, folder: Path, project: Path, env: Mapping[str, str], supervisor: Sequence[str] = SUPERVISOR
    ) -> None:
        self.folder = folder
        self.project = project
        self.journal = Journal(folder / "journal")
        self.points = folder / "failpoints"
        self.points.mkdir()
        named = [f"{name}={self.points / name}" for name in (*failpoint.SUPERVISOR, *failpoint.WORKER)]
        self.env = {**env, failpoint.VARIABLE: ",".join(named), "ORCH_ENV_PASS": failpoint.VARIABLE}
        self.store = Store.open(Home(project / ".orch"), create=True)
        with self.store.write() as tx:
            for name, value in SETTINGS.items():
                set_setting(tx, name, value)
        self.home = self.store.home
        self.supervisor: subprocess.Popen[bytes] | None = None
        self._argv = [*supervisor, str(self.home.root)]

    def start_supervisor(self) -> "subprocess.Popen[bytes]":
        """Start one and wait until it holds the store, or has ended."""
        process = self.another_supervisor()
        until = time.monotonic() + PATIENCE_S
        while process.poll() is None and ((found := holder(self.home)) is None or found.pid != process.pid):
            assert time.monotonic() < until, "the supervisor did not come up"
            time.sleep(0.01)
        self.supervisor = process
        return process

    def another_supervisor(self) -> "subprocess.Popen[bytes]":
        with (self.folder / "supervisor.err").open("ab") as said:
            return subprocess.Popen(self._argv, env=self.env, stderr=said, stdout=said)

    def supervisor_said(self) -> str:
        lines = (self.folder / "supervisor.err").read_text("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def hit_supervisor(self, number: int) -> bool:
        """Signal the supervisor; False if there is none."""
        if self.supervisor is None or self.supervisor.poll() is not None:
            return False
        self.supervisor.send_signal(number)
        return True

    def workers(self) -> list[tuple[int, str]]:
        """Return (pid, JOB.ATTEMPT) of every attempt that has a worker process, as the store says."""
        with self.store.read() as reader:
            return [(each.pid, f"{each.job_id}.{each.number}") for each in open_attempts(reader) if each.pid]

    def programs(self, part: str) -> list[tuple[int, str]]:
        """Return (pid, JOB.ATTEMPT) of the processes of attempts whose command line holds ``part``."""
        return [(each.pid, each.label) for each in living(self.folder, self.store.store_id) if part in each.what]

    def kill_forker(self, choose: Callable[[Sequence[int]], int]) -> int | None:
        """Kill one of the supervisor's forkers with signal 9 and return its pid; None if there is none."""
        forkers = [pid for pid in self._children_of_supervisor() if _is_forker(pid)]
        if not forkers:
            return None
        pid = choose(forkers)
        process = open_pidfd(pid)
        if process is None:
            return None
        with _gone_is_fine(process):
            if not _is_forker(pid):  # looked at again with the descriptor in hand
                return None
            signal.pidfd_send_signal(process, signal.SIGKILL)
        return pid

    def _children_of_supervisor(self) -> list[int]:
        return [] if self.supervisor is None or self.supervisor.poll() is not None else children_of(self.supervisor.pid)

    def hit(self, pid: int, label: str, number: int) -> bool:
        """Signal a process of that attempt; False if it is gone, or is another one by now."""
        process = open_pidfd(pid)
        if process is None:
            return False
        try:
            job_id, attempt = (int(part) for part in label.split("."))
            if not cookie.is_marked(pid, cookie.cookie(self.store.store_id, job_id, attempt)):
                return False
            signal.pidfd_send_signal(process, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(process)
        return True

    def end(self) -> None:
        """Stop the supervisor, kill whatever is left, by pid, and close the store."""
        if self.hit_supervisor(signal.SIGCONT) and self.supervisor is not None:
            self.supervisor.kill()
            self.supervisor.wait()
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and (left := list(living(self.folder, self.store.store_id))):
            for each in left:
                process = open_pidfd(each.pid)
                if process is not None:
                    with _gone_is_fine(process):
                        signal.pidfd_send_signal(process, signal.SIGKILL)
            time.sleep(0.05)
        self.store.close()
        self.journal.close()


def _is_forker(pid: int) -> bool:
    try:
        return b"tui_orch.worker.forker" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def _gone_is_fine(process: int) -> Iterator[None]:
    try:
        yield
    except ProcessLookupError:
        return
    finally:
        os.close(process)


def wait_for(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> bool:
    """Wait; tell whether it came."""
    until = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= until:
            return False
        time.sleep(0.02)
    return True
