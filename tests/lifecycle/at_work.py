"""A store at work for a test: a real supervisor process, real workers, and waiting on conditions."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from store.database import Reader, Store
from store.home import Home
from store.models import Job, Limits, NewJob, NewTree
from store.settings import set_setting
from store.states import FINAL, Kind
from store.submit import submit_tree
from store.tree import attempts, get_job, store_state, subtree
from tui_orch.client.poll import wait_for_change
from tui_orch.supervisor.ownership import holder
from tui_orch.worker.cookie import VARIABLE

T = TypeVar("T")
PATIENCE_S = 60.0
_LOG_LINE = re.compile(r"(?P<at>\S+)Z INFO #(?P<job>\d+)\.(?P<attempt>\d+): (?P<what>started|process ended)")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class ProcessLife:
    """From the start of a worker process to the moment at which the supervisor had seen it gone (ms)."""

    job_id: int
    attempt: int
    start_ms: float
    end_ms: float


class AtWork:
    """One store, its supervisor and what to ask about them."""

    def __init__(self, project: Path, env: Mapping[str, str]) -> None:
        self.project = project
        self.env = dict(env)
        self.store = Store.open(Home(project / ".orch"), create=True)
        self.home = self.store.home
        self.supervisors: list[subprocess.Popen[bytes]] = []

    def set(self, name: str, value: object) -> None:
        with self.store.write() as tx:
            set_setting(tx, name, value)

    def submit(self, request: str, kind: Kind = Kind.COMMAND, **limits: object) -> int:
        return self.submit_tree(NewTree(NewJob(request, kind), limits=Limits(**limits), work_dir=str(self.project)))  # type: ignore[arg-type]

    def submit_tree(self, new: NewTree) -> int:
        with self.store.write() as tx:
            return submit_tree(tx, new, now_ms())

    def supervise(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tui_orch.supervisor", str(self.home.root)], env=self.env
        )
        self.supervisors.append(process)
        self.wait_for(lambda: (found := holder(self.home)) is not None and found.pid == process.pid, "a supervisor")
        return process

    def orch(self, *arguments: str, code: int | None = 0) -> "subprocess.CompletedProcess[str]":
        """Run the command line as a person would, in the project's folder."""
        done = subprocess.run(
            [str(Path(sys.executable).parent / "orch"), *arguments],
            cwd=self.project,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert code is None or done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def job(self, job_id: int) -> Job:
        with self.store.read() as reader:
            return get_job(reader, job_id)

    def jobs(self, root_id: int) -> list[Job]:
        with self.store.read() as reader:
            return subtree(reader, root_id)

    def until(self, look: Callable[[Reader], T | None], what: str, timeout_s: float = PATIENCE_S) -> T:
        """Wait until ``look`` finds something in the store; it is asked again at every change."""
        end = time.monotonic() + timeout_s
        while True:
            seen = self.store.data_version()
            with self.store.read() as reader:
                found = look(reader)
            if found:
                return found
            left_s = end - time.monotonic()
            assert left_s > 0, f"never came: {what}\n{self.describe()}"
            wait_for_change(self.store.data_version, seen, min(left_s, 1.0))

    def worker_pid(self, job_id: int) -> int:
        """Return the process of a job's first attempt, once the store knows it."""
        return self.until(
            lambda reader: next((each.pid for each in attempts(reader, job_id)), None), f"the pid of #{job_id}"
        )

    def until_ended(self, job_id: int, timeout_s: float = PATIENCE_S) -> Job:
        def ended(reader: Reader) -> Job | None:
            job = get_job(reader, job_id)
            return job if job.status in FINAL else None

        return self.until(ended, f"the end of #{job_id}", timeout_s)

    def wait_for(self, condition: Callable[[], object], what: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait for something outside the store: a file, a process."""
        end = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end, f"never came: {what}\n{self.describe()}"
            time.sleep(0.01)

    def store_is_paused(self) -> bool:
        with self.store.read() as reader:
            return store_state(reader).paused_ms is not None

    def describe(self) -> str:
        with self.store.read() as reader:
            lines = [row[0] for row in reader.rows("SELECT line || coalesce(' ' || reason, '') FROM job_tree")]
            jobs = [str(job) for root in reader.rows("SELECT root_id FROM trees") for job in subtree(reader, root[0])]
        alive = [f"process {pid}: {_shown(pid)}" for pid in self.processes()]
        log = self.home.supervisor_log
        return "\n".join([*lines, *jobs[:10], *alive, *(log.read_text().splitlines()[-30:] if log.exists() else [])])

    def lives(self) -> list[ProcessLife]:
        """Return the life of every worker process from the supervisors' log of starts and ends."""
        starts: dict[tuple[int, int], float] = {}
        lives = []
        for found in _LOG_LINE.finditer(self.home.supervisor_log.read_text()):
            at_ms = datetime.fromisoformat(found["at"]).replace(tzinfo=UTC).timestamp() * 1000
            key = int(found["job"]), int(found["attempt"])
            if found["what"] == "started":
                starts[key] = at_ms
            elif key in starts:
                lives.append(ProcessLife(*key, starts.pop(key), at_ms))
        assert not starts, f"processes without an end in the log: {starts}"
        return lives

    def processes(self) -> list[int]:
        """Return every living process that any attempt of this store has started."""
        mark = f"{VARIABLE}={self.store.store_id}/".encode()
        return [pid for pid in (int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()) if _marked(pid, mark)]

    def end(self) -> None:
        """Stop the supervisors of this test and kill what it left running, by pid."""
        for process in self.supervisors:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                process.wait(PATIENCE_S)
        while left := self.processes():
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.01)
        self.store.close()


def _shown(pid: int) -> str:
    """Return what a process is called, and what it waits for."""
    try:
        folder = Path(f"/proc/{pid}")
        return f"{(folder / 'cmdline').read_bytes()[-200:]!r} in {(folder / 'wchan').read_text()}"
    except OSError as error:
        return str(error)


def most_at_once(lives: list[ProcessLife]) -> int:
    """Return how many processes lived at the same time at most."""
    edges = sorted([(life.start_ms, 1) for life in lives] + [(life.end_ms, -1) for life in lives])
    most = now = 0
    for _, step in edges:
        now += step
        most = max(most, now)
    return most


@contextmanager
def at_work(project: Path, env: Mapping[str, str]) -> Iterator[AtWork]:
    project.mkdir(parents=True, exist_ok=True)
    running = AtWork(project, env)
    try:
        yield running
    finally:
        running.end()


def _marked(pid: int, mark: bytes) -> bool:
    try:
        return any(entry.startswith(mark) for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
