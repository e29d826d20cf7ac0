"""A project folder, and what supervisor and workers do to the store in it, without them: for tests of the ways in."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from store import asks, claim, finish, submit
from store.database import Store
from store.home import Home
from store.models import Fence, Job, Limits, NewJob, NewTree, Outcome
from store.states import Kind, Status
from store.tree import get_job, subtree
from tui_orch.client.poll import wait_for_change

PATIENCE_S = 30.0


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class ByHand:
    """The store is made when a test asks for it first."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.home = Home(project / ".orch")
        self._store: Store | None = None

    @property
    def store(self) -> Store:
        """The store of the project."""
        if self._store is None:
            self._store = Store.open(self.home, create=True)
        return self._store

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def tree(self, request: str = "build it", kind: Kind = Kind.CLAUDE, title: str | None = None, **limits: Any) -> int:
        return self.submit(NewTree(NewJob(request, kind, title), limits=Limits(**limits), work_dir=str(self.project)))

    def submit(self, new: NewTree) -> int:
        with self.store.write() as tx:
            return submit.submit_tree(tx, new, now_ms())

    def start(self, job_id: int) -> Fence:
        with self.store.write() as tx:
            fence = claim.start_attempt(tx, job_id, claim.token_hash(f"token of {job_id}"), now_ms())
            claim.claim(tx, fence, os.getpid(), now_ms())
        return fence

    def worker(self, fence: Fence) -> dict[str, str]:
        """Return what a worker of this attempt has in its environment."""
        return {
            "ORCH_HOME": str(self.home.root),
            "ORCH_JOB_ID": str(fence.job_id),
            "ORCH_ATTEMPT_ID": f"{fence.job_id}.{fence.attempt}",
            "ORCH_TOKEN": f"token of {fence.job_id}",
            "ORCH_COOKIE": f"{self.store.store_id}/{fence.job_id}.{fence.attempt}",
        }

    def spawn(self, fence: Fence, *tasks: str | NewJob) -> tuple[int, ...]:
        jobs = [NewJob(task, Kind.COMMAND) if isinstance(task, str) else task for task in tasks]
        with self.store.write() as tx:
            return submit.spawn(tx, fence, jobs, now_ms()).job_ids

    def finish(self, fence: Fence, status: Status = Status.COMPLETED, **told: Any) -> Status:
        with self.store.write() as tx:
            return finish.finish(tx, fence, replace(Outcome(status, retry=False), **told), now_ms())

    def run(self, job_id: int, status: Status = Status.COMPLETED, **told: Any) -> Status:
        """Start a job and end it at once."""
        return self.finish(self.start(job_id), status, **told)

    def ask(self, fence: Fence, **told: Any) -> int:
        with self.store.write() as tx:
            return asks.ask(tx, fence, **{"kind": "question", "question": "which colour?", "now_ms": now_ms()} | told)

    def job(self, job_id: int) -> Job:
        with self.store.read() as reader:
            return get_job(reader, job_id)

    def jobs(self, root_id: int) -> list[Job]:
        with self.store.read() as reader:
            return subtree(reader, root_id)

    def count(self) -> int:
        with self.store.read() as reader:
            return int(reader.value("SELECT count(*) FROM jobs"))

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until ``condition`` holds; it is asked again at every change of the store."""
        end = time.monotonic() + PATIENCE_S
        while True:
            seen = self.store.data_version()
            if condition():
                return
            assert time.monotonic() < end, f"never came: {what}"
            wait_for_change(self.store.data_version, seen, 0.5)
