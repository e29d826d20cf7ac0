"""A store that a state machine of hypothesis changes, and what must be true of it after every step, whatever that was."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import apsw
from at_store import AtStore
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
)
from invariants import check

from store import feed, finish, queue
from store.database import Store
from store.errors import Refused
from store.home import Home
from store.models import Job, NewJob
from store.rows import JOB_COLUMNS, job
from store.states import Kind, Status

T = TypeVar("T")


class StoreMachine(RuleBasedStateMachine):
    """A store with a clock of its own, what must stay true of it after every step, and how a step is done."""

    empty: Home

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=self.empty.root.parent))
        shutil.copytree(self.empty.root, self.folder / ".orch")
        self.store = Store.open(Home(self.folder / ".orch"))
        self.store._connection.pragma("synchronous", "OFF")
        self.plain = apsw.Connection(str(self.store.home.database))
        self.plain.pragma("synchronous", "OFF")
        self.at = AtStore(self.store)
        self.jobs: dict[int, Job] = {}
        self.mirror: dict[int, Job] = {}
        self.seq = 0
        self.requests = 0
        self.ended: dict[int, tuple[Any, ...]] = {}

    def teardown(self) -> None:
        assert self.at.value("PRAGMA integrity_check") == "ok"
        assert self.at.rows("PRAGMA foreign_key_check") == []
        assert self.store.schema_differences() == []
        self.plain.close()
        self.store.close()
        shutil.rmtree(self.folder)

    # -- what must stay true ------------------------------------------------------------------------------------------

    @invariant()
    def what_must_be_true_is(self) -> None:
        with self.store.read() as reader:
            check(reader)
            self.jobs = {row[0]: job(row) for row in reader.rows(f"SELECT {JOB_COLUMNS} FROM jobs")}
            while changed := feed.changed_since(reader, self.seq, limit=3):
                self.mirror |= {each.id: each for each in changed}
                self.seq = changed[-1].seq
            assert queue.jobs_to_settle(reader) == []
        assert self.mirror == self.jobs, "who follows the feed sees what is there"
        for each in self.jobs.values():
            if each.status is Status.COMPLETED:
                said = (each.result, each.error, each.data, each.reason, each.ended_ms, each.own_status)
                assert self.ended.setdefault(each.id, said) == said, f"the result of #{each.id} never changes"

    # -- how ----------------------------------------------------------------------------------------------------------

    def new(self, kind: Kind) -> NewJob:
        self.requests += 1
        return NewJob(f"request {self.requests}", kind)

    def pick(self, pick: int, states: set[Status], kinds: set[Kind] | None = None) -> Job | None:
        found: Sequence[Job] = [
            each for each in self.jobs.values() if each.status in states and (kinds is None or each.kind in kinds)
        ]
        return found[pick % len(found)] if found else None

    def delivered(self, running: Job, reads: bool) -> list[int]:
        return [each.id for each in self.jobs.values() if each.parent_id == running.id] if reads else []

    def do(self, verb: Callable[..., T], *args: Any, **named: Any) -> T | None:
        """Do one thing; what is refused has changed nothing."""
        before = feed.newest_seq
        with self.store.read() as reader:
            seq = before(reader)
        try:
            with self.store.write() as tx:
                return verb(tx, *args, **named)
        except Refused:
            with self.store.read() as reader:
                assert before(reader) == seq
            return None

    def by_hand(self, sql: str, args: Sequence[Any]) -> None:
        """Run plain SQL, as anyone may; then do what a supervisor does when it wakes up."""
        try:
            self.plain.execute(sql, args).fetchall()
        except apsw.Error:
            assert not self.plain.in_transaction
        while True:
            with self.store.read() as reader:
                left = queue.jobs_to_settle(reader)
            if not left:
                return
            for job_id in left:
                self.do(finish.settle, job_id, self.at.now_ms)
