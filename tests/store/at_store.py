"""A store for a test, with a clock of its own, short verbs, and the plain `sqlite3` program as the foreign writer."""

import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self

from store import asks, claim, control, finish, submit
from store.database import Store
from store.home import Home
from store.models import Ask, Fence, Job, Limits, NewJob, NewTree, Outcome, Usage
from store.states import Kind, Status
from store.tree import get_job

#: The tables that hold facts, in the order in which a test shows them.
TABLES = (
    *("store", "settings", "trees", "jobs", "attempts", "workspaces", "asks", "rules", "keys", "handed_in", "lends"),
    *("attempt_calls", "changes", "status_counts"),
)


class AtStore:
    """One store and its clock, which stands still unless a test moves it."""

    def __init__(self, store: Store, now_ms: int = 1_000_000) -> None:
        self.store = store
        self.now_ms = now_ms

    @classmethod
    def create(cls, project: Path, *, fast: bool = True) -> Self:
        """Make a store in ``project``; ``fast`` leaves out the wait for the disk."""
        store = Store.open(Home(project / ".orch"), create=True)
        if fast:
            store._connection.pragma("synchronous", "OFF")
        return cls(store)

    @property
    def home(self) -> Home:
        return self.store.home

    def later(self, seconds: float) -> int:
        """Move the clock and return it."""
        self.now_ms += round(seconds * 1000)
        return self.now_ms

    def tree(self, request: str = "the whole thing", kind: Kind = Kind.CLAUDE, **limits: Any) -> int:
        """Submit a root job and return its id."""
        return self.submit(NewTree(NewJob(request, kind), limits=Limits(**limits)))

    def group(self, *items: str, **limits: Any) -> int:
        """Submit a group of commands, which waits for them, and return its id."""
        jobs = tuple(NewJob(item, Kind.COMMAND) for item in items)
        return self.submit(NewTree(NewJob("a group of items", Kind.GROUP), jobs, Limits(**limits)))

    def submit(self, new: NewTree) -> int:
        with self.store.write() as tx:
            return submit.submit_tree(tx, new, self.now_ms)

    def start(self, job_id: int) -> Fence:
        """Start the job's next attempt and claim it, as a supervisor and its worker do."""
        with self.store.write() as tx:
            fence = claim.start_attempt(tx, job_id, claim.token_hash(f"token {job_id}"), self.now_ms)
            claim.claim(tx, fence, 4711, self.now_ms)
        return fence

    def spawn(self, fence: Fence, *tasks: str | NewJob) -> tuple[int, ...]:
        jobs = [NewJob(task, Kind.COMMAND) if isinstance(task, str) else task for task in tasks]
        with self.store.write() as tx:
            return submit.spawn(tx, fence, jobs, self.now_ms).job_ids

    def finish(
        self, fence: Fence, status: Status = Status.COMPLETED, delivered: Collection[int] = (), **told: Any
    ) -> Status:
        """End the attempt. A failure is not tried again unless ``retry=True``."""
        outcome = replace(Outcome(status, retry=False), **told)
        with self.store.write() as tx:
            return finish.finish(tx, fence, outcome, self.now_ms, delivered)

    def suspend(
        self, fence: Fence, waiting_for: Literal["children", "ask"] = "children", delivered: Collection[int] = ()
    ) -> Status:
        with self.store.write() as tx:
            return finish.suspend(tx, fence, waiting_for, "session-1", Usage(), self.now_ms, delivered)

    def release(self, fence: Fence, reason: str = "api_error", **told: Any) -> Status:
        with self.store.write() as tx:
            return finish.release(tx, fence, reason, self.now_ms, **told)

    def run(self, job_id: int, status: Status = Status.COMPLETED, **told: Any) -> Status:
        """Start a job and end it at once."""
        return self.finish(self.start(job_id), status, **told)

    def waiting_parent(self, *tasks: str | NewJob, **limits: Any) -> tuple[int, tuple[int, ...]]:
        """Return a root that waits for the children it spawned, and the children."""
        root = self.tree(**limits)
        fence = self.start(root)
        children = self.spawn(fence, *tasks)
        self.suspend(fence)
        return root, children

    def lend(self, fence: Fence, name: str | None = None) -> None:
        with self.store.write() as tx:
            claim.lend_slot(tx, fence, name)

    def ask(self, fence: Fence, question: str = "which colour?", **told: Any) -> int:
        with self.store.write() as tx:
            return asks.ask(tx, fence, **{"kind": "question", "question": question, "now_ms": self.now_ms} | told)

    def answer(
        self, ask_id: int, verdict: Literal["allow", "deny", "answered"], text: str | None = None, **scope: Any
    ) -> Ask:
        with self.store.write() as tx:
            return asks.answer(tx, ask_id, verdict, text, self.now_ms, **scope)

    def cancel(self, job_id: int) -> control.Stopped:
        with self.store.write() as tx:
            return control.cancel(tx, job_id, self.now_ms)

    def expire(self, job_id: int) -> control.Stopped:
        with self.store.write() as tx:
            return control.expire(tx, job_id, self.now_ms)

    def retry(self, job_id: int, *, fresh: bool = False) -> tuple[int, ...]:
        with self.store.write() as tx:
            return control.retry(tx, job_id, self.now_ms, fresh=fresh)

    def job(self, job_id: int) -> Job:
        with self.store.read() as reader:
            return get_job(reader, job_id)

    def states(self, *job_ids: int) -> list[str]:
        """Return what the jobs are, each with its reason where it has one: ``failed (timeout)``."""
        jobs = [self.job(job_id) for job_id in job_ids]
        return [f"{job.status} ({job.reason})" if job.reason else str(job.status) for job in jobs]

    def rows(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        with self.store.read() as reader:
            return reader.rows(sql, args)

    def value(self, sql: str, *args: Any) -> Any:
        with self.store.read() as reader:
            return reader.value(sql, args)

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every table."""
        with self.store.read() as reader:
            return {table: reader.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES}

    def shell(self, sql: str, *before: str) -> "subprocess.CompletedProcess[str]":
        """Run ``sql`` in the system's `sqlite3`, with commands to give ``before`` it."""
        return sqlite3(self.home.database, sql, *before)


def sqlite3(database: Path | str, sql: str, *before: str) -> "subprocess.CompletedProcess[str]":
    """Run the system's `sqlite3` on a file; it stops at the first error, with a code other than 0."""
    commands = [part for line in (".timeout 10000", *before) for part in ("-cmd", line)]
    return subprocess.run(
        ["sqlite3", "-batch", "-bail", *commands, str(database), sql],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextmanager
def at_store(project: Path, *, fast: bool = True) -> Iterator[AtStore]:
    """Open a store for a block."""
    at = AtStore.create(project, fast=fast)
    with at.store:
        yield at
