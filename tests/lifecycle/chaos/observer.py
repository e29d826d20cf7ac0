"""What can be seen of a store at work from outside: its change feed, mirrored; what it acknowledged; whose processes live.

Looks and remembers; what it means is for ``clauses``.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from store.database import Reader, Store
from store.feed import changed_since
from store.models import Job
from store.states import FINAL
from tests.lifecycle.chaos.journal import Journal, digest
from tests.store.invariants import check
from tui_orch.worker import lock
from tui_orch.worker.cookie import VARIABLE

#: Seconds that a process of an ended attempt may still be seen: the kernel takes a moment to bury the dead.
BURIAL_S = 6.0


@dataclass(frozen=True, slots=True)
class Alive:
    """A process that belongs to an attempt. ``born`` tells it from a later one with the same number."""

    pid: int
    born: str
    label: str  # JOB.ATTEMPT
    what: str


@dataclass(slots=True)
class Observer:
    """One storm's eyes."""

    store: Store
    journal: Journal
    folder: Path
    mirror: dict[int, Job] = field(default_factory=dict)
    suspects: dict[Alive, float] = field(default_factory=dict)
    _seq: int = 0

    def follow(self) -> int:
        """Take in what the feed tells; log each end that is seen, as acknowledged. Return how many jobs changed."""
        seen = 0
        with self.store.read() as reader:
            while jobs := changed_since(reader, self._seq):
                for job in jobs:
                    self._take_in(job)
                seen += len(jobs)
                self._seq = jobs[-1].seq
        return seen

    def _take_in(self, job: Job) -> None:
        self.mirror[job.id] = job
        if job.status in FINAL:
            self.journal.say(
                "ended", job=job.id, attempt=job.attempt, status=job.status, result=digest(job.result), error=job.error
            )

    def check_invariants(self) -> None:
        """Recount everything from the rows; limits, counters, history. What fails is logged."""
        with self.store.read() as reader:
            try:
                check(reader)
            except AssertionError as error:
                self.journal.say("invariant", error=str(error).splitlines()[0])

    def look_for_the_dead(self, now: float) -> None:
        """Log each process that outlives its attempt, and each older attempt that lives beside a newer one."""
        with self.store.read() as reader:  # first the store, then the processes: who is over now was over then
            over = set(_over(reader))
            running = reader.rows("SELECT id, attempt FROM jobs WHERE status = 'running' AND attempt > 1")
        for job_id, attempt in running:
            if lock.is_held(self.store.home.attempt_dir(job_id, attempt - 1)):
                self.journal.say("two workers", job=job_id, attempt=attempt)
        alive = [each for each in living(self.folder, self.store.store_id) if each.label in over]
        self.suspects = {each: self.suspects.get(each, now) for each in alive}
        for each, since in self.suspects.items():
            if now - since > BURIAL_S:
                self.journal.say("left over", label=each.label, pid=each.pid, process=each.what, born=each.born)
                self.suspects[each] = float("inf")  # told once


def living(folder: Path, store_id: str) -> Iterator[Alive]:
    """Yield every process of any attempt: by its mark, and actors by what they were started with, environment or not."""
    mark = f"{VARIABLE}={store_id}/".encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        place = Path("/proc", pid)
        try:
            argv = (place / "cmdline").read_bytes().split(b"\0")[:-1]
            environ = (place / "environ").read_bytes().split(b"\0")
            born = (place / "stat").read_text(errors="replace").rpartition(")")[2].split()[19]
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if not argv:
            continue  # dead, and not buried yet
        label = next((each[len(mark) :].decode() for each in environ if each.startswith(mark)), None)
        if label is None and str(folder).encode() in argv and len(argv) > 7:
            label = argv[6].decode()  # a lurker: see ``actor.lurk``
        if label is not None:
            yield Alive(int(pid), born, label, " ".join(each[-60:].decode(errors="replace") for each in argv[:8]))


def _over(reader: Reader) -> Iterator[str]:
    for job_id, number in reader.rows("SELECT job_id, number FROM attempts WHERE ended_ms IS NOT NULL"):
        yield f"{job_id}.{number}"
