"""Whatever is done to a store, in whatever order and by whomever, what must be true of it stays true."""

import shutil
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, TypeVar

import apsw
import pytest
from at_store import AtStore
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from invariants import check

from store import asks, claim, control, feed, finish, queue, submit
from store.database import Store
from store.errors import Refused
from store.home import Home
from store.models import Fence, Job, Limits, NewJob, NewTree, Outcome, Usage
from store.rows import JOB_COLUMNS, job
from store.states import FINAL, RETRYABLE, Kind, Reason, Status

T = TypeVar("T")
PICK = st.integers(0, 10_000)
RARELY = st.integers(0, 3).map(lambda n: n == 0)
KINDS = st.sampled_from([Kind.CLAUDE, Kind.COMMAND])
LIMITS = st.builds(
    Limits,
    max_depth=st.integers(0, 4),
    max_jobs=st.integers(4, 20),
    max_children=st.integers(3, 6),
    max_workers=st.integers(1, 4),
    max_attempts=st.integers(1, 3),
    timeouts_s=st.sampled_from([(60.0, 30.0, 20.0), (1.0,), (5.0, 100.0)]),
)
USAGES = st.builds(Usage, cost_usd=st.sampled_from([0.0, 0.1, 0.3, 1e-12]), input_tokens=st.integers(0, 9))


def some(*states: Status, kinds: Collection[Kind] = tuple(Kind)) -> Callable[["Machine"], bool]:
    """Return the condition that a job of these states and kinds is there: a step without one would do nothing."""
    return lambda machine: any(each.status in states and each.kind in kinds for each in machine.jobs.values())


RUNS = some(Status.RUNNING)
QUEUED = some(Status.QUEUED, kinds=(Kind.CLAUDE, Kind.COMMAND))
QUEUED_GROUP = some(Status.QUEUED, kinds=(Kind.GROUP,))
ENDED_BADLY = some(*RETRYABLE)


def few_trees(machine: "Machine") -> bool:
    return sum(each.parent_id is None for each in machine.jobs.values()) < 3


def is_asked(machine: "Machine") -> bool:
    return any(each.open_asks for each in machine.jobs.values())


@pytest.fixture(scope="module", autouse=True)
def empty(tmp_path_factory: pytest.TempPathFactory) -> None:
    """An empty store that each example copies, which is quicker than to make one."""
    with AtStore.create(tmp_path_factory.mktemp("empty")).store as store:
        Machine.empty = store.home


class Machine(RuleBasedStateMachine):
    """People, workers, a supervisor and plain SQL, one step after the other, on a clock of its own."""

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

    # -- trees and children -------------------------------------------------------------------------------------------

    @initialize(limits=LIMITS, kinds=st.lists(KINDS, min_size=2, max_size=4))
    def first_trees(self, limits: Limits, kinds: list[Kind]) -> None:
        """A group, and a root that waits for as many children if its limits let it have them."""
        group = NewTree(self._new(Kind.GROUP), tuple(map(self._new, kinds)), Limits(max_workers=3))
        self._do(submit.submit_tree, group, self.at.now_ms)
        root = self._do(submit.submit_tree, NewTree(self._new(Kind.CLAUDE), limits=limits), self.at.now_ms)
        fence = self._do(claim.start_attempt, root, claim.token_hash("first"), self.at.now_ms)
        assert fence is not None
        self._do(submit.spawn, fence, [self._new(kind) for kind in kinds], self.at.now_ms)
        self._do(finish.suspend, fence, "children", "session", Usage(), self.at.now_ms)

    @precondition(few_trees)
    @rule(kind=KINDS, limits=LIMITS)
    def submits(self, kind: Kind, limits: Limits) -> None:
        self._do(submit.submit_tree, NewTree(self._new(kind), limits=limits), self.at.now_ms)

    @precondition(few_trees)
    @rule(kinds=st.lists(KINDS, min_size=1, max_size=4), limits=LIMITS)
    def submits_a_group(self, kinds: list[Kind], limits: Limits) -> None:
        new = NewTree(self._new(Kind.GROUP), tuple(map(self._new, kinds)), limits)
        self._do(submit.submit_tree, new, self.at.now_ms)

    @precondition(RUNS)
    @rule(pick=PICK, kinds=st.lists(st.sampled_from(list(Kind)), min_size=1, max_size=4))
    def spawns(self, pick: int, kinds: list[Kind]) -> None:
        if parent := self._pick(pick, {Status.RUNNING}):
            self._do(submit.spawn, parent.fence, [self._new(kind) for kind in kinds], self.at.now_ms)

    @rule(pick=PICK, kind=st.sampled_from(list(Kind)))
    def inserts_by_hand(self, pick: int, kind: Kind) -> None:
        parent = self._pick(pick, {Status.RUNNING, Status.WAITING, Status.QUEUED})
        new = self._new(kind)
        self._by_hand(
            "INSERT INTO jobs(parent_id, request, kind) VALUES (?, ?, ?)",
            (parent and parent.id, new.request, new.kind.value),
        )

    @precondition(QUEUED_GROUP)
    @rule(pick=PICK, kinds=st.lists(KINDS, min_size=1, max_size=3))
    def expands(self, pick: int, kinds: list[Kind]) -> None:
        if group := self._pick(pick, {Status.QUEUED}, {Kind.GROUP}):
            self._do(submit.expand_group, group.id, [self._new(kind) for kind in kinds], self.at.now_ms)

    # -- attempts -----------------------------------------------------------------------------------------------------

    @precondition(QUEUED)
    @rule(pick=PICK, claims=st.booleans())
    def starts(self, pick: int, claims: bool) -> None:
        if queued := self._pick(pick, {Status.QUEUED}, {Kind.CLAUDE, Kind.COMMAND}):
            fence = self._do(claim.start_attempt, queued.id, claim.token_hash(f"{pick}"), self.at.now_ms)
            if fence and claims:
                self._do(claim.claim, fence, 4711, self.at.now_ms)

    @precondition(RUNS)
    @rule(
        pick=PICK,
        status=st.sampled_from([Status.COMPLETED, Status.COMPLETED, Status.FAILED, Status.CANCELLED]),
        usage=USAGES,
        retry=st.booleans(),
        reads=st.booleans(),
    )
    def finishes(self, pick: int, status: Status, usage: Usage, retry: bool, reads: bool) -> None:
        if running := self._pick(pick, {Status.RUNNING}):
            outcome = Outcome(status, result=f"found {pick}", data={"n": pick}, usage=usage, retry=retry)
            self._do(finish.finish, running.fence, outcome, self.at.now_ms, self._delivered(running, reads))

    @precondition(RUNS)
    @rule(pick=PICK, waiting_for=st.sampled_from(["children", "ask"]), usage=USAGES, reads=st.booleans())
    def suspends(self, pick: int, waiting_for: Any, usage: Usage, reads: bool) -> None:
        if running := self._pick(pick, {Status.RUNNING}):
            read = self._delivered(running, reads)
            self._do(finish.suspend, running.fence, waiting_for, "session", usage, self.at.now_ms, read)

    @precondition(RUNS)
    @rule(pick=PICK, usage=USAGES)
    def releases(self, pick: int, usage: Usage) -> None:
        if running := self._pick(pick, {Status.RUNNING}):
            self._do(finish.release, running.fence, "api_error", self.at.now_ms, usage=usage)

    @rule(pick=PICK)
    def finishes_too_late(self, pick: int) -> None:
        """An attempt that is over, or was never, writes nothing."""
        if each := self._pick(pick, set(Status)):
            stale = Fence(each.id, each.attempt + (1 if pick % 2 else -1))
            assert self._do(finish.finish, stale, Outcome(Status.COMPLETED, result="late"), self.at.now_ms) is None

    @precondition(RUNS)
    @rule(pick=PICK, verb=st.sampled_from(["lend", "want", "grant"]))
    def lends(self, pick: int, verb: str) -> None:
        if running := self._pick(pick, {Status.RUNNING}):
            if verb == "grant":
                self._do(claim.grant_slot, running.id)
            else:
                self._do(claim.lend_slot if verb == "lend" else claim.want_slot, running.fence)

    @rule(pick=PICK, rarely=RARELY)
    def fails_unstarted(self, pick: int, rarely: bool) -> None:
        if rarely and (each := self._pick(pick, set(Status))):
            self._do(finish.fail_unstarted, each.id, Reason.BAD_REQUEST, "no such folder", self.at.now_ms)

    # -- asks ---------------------------------------------------------------------------------------------------------

    @precondition(RUNS)
    @rule(pick=PICK)
    def asks(self, pick: int) -> None:
        if running := self._pick(pick, {Status.RUNNING}):
            self._do(asks.ask, running.fence, kind="question", question="which?", now_ms=self.at.now_ms)

    @precondition(is_asked)
    @rule(pick=PICK)
    def answers(self, pick: int) -> None:
        with self.store.read() as reader:
            found = asks.open_asks(reader)
        if found:
            self._do(asks.answer, found[pick % len(found)].id, "answered", "this one", self.at.now_ms)

    @precondition(RUNS)
    @rule(pick=PICK)
    def takes_an_answer(self, pick: int) -> None:
        if running := self._pick(pick, {Status.RUNNING}):
            self._do(asks.take_answer, running.fence, "question", None, None, self.at.now_ms)

    # -- people and clocks --------------------------------------------------------------------------------------------

    @rule(pick=PICK, rarely=RARELY)
    def cancels(self, pick: int, rarely: bool) -> None:
        if rarely and (each := self._pick(pick, set(Status) - FINAL)):
            self._do(control.cancel, each.id, self.at.now_ms)

    @rule(pick=PICK)
    def expires(self, pick: int) -> None:
        with self.store.read() as reader:
            overdue = queue.overdue_jobs(reader, self.at.now_ms)
        if overdue:
            self._do(control.expire, overdue[pick % len(overdue)], self.at.now_ms)

    @precondition(ENDED_BADLY)
    @rule(pick=PICK, fresh=st.booleans())
    def retries(self, pick: int, fresh: bool) -> None:
        if each := self._pick(pick, set(RETRYABLE)):
            completed = {other.id for other in self.jobs.values() if other.status is Status.COMPLETED}
            again = self._do(control.retry, each.id, self.at.now_ms, fresh=fresh) or ()
            assert not completed.intersection(again), "what succeeded is not run again"

    @precondition(RUNS)
    @rule(pick=PICK)
    def shuts_down(self, pick: int) -> None:
        if running := self._pick(pick, {Status.RUNNING}):
            self._do(control.request_stop, running.id, Reason.SHUTDOWN, self.at.now_ms)

    @rule(pick=PICK, rarely=RARELY, more=st.integers(0, 2), timeouts_s=st.sampled_from([None, (1.0,), (900.0, 300.0)]))
    def raises_limits(self, pick: int, rarely: bool, more: int, timeouts_s: tuple[float, ...] | None) -> None:
        if rarely and (root := self._pick(pick, set(Status))):
            with self.store.read() as reader:
                (workers, jobs) = reader.rows(
                    "SELECT max_workers, max_jobs FROM trees WHERE root_id = ?", (root.root_id,)
                )[0]
            limits = Limits(max_workers=min(workers + more, 10), max_jobs=jobs + more, timeouts_s=timeouts_s)
            self._do(control.set_limits, root.root_id, limits)

    @rule(pick=PICK, holds=st.booleans(), rarely=RARELY)
    def pauses(self, pick: int, holds: bool, rarely: bool) -> None:
        if not rarely:
            return
        each = self._pick(pick, set(Status))
        root_id = each.root_id if each and pick % 3 else None
        if holds:
            self._do(control.pause, root_id, self.at.now_ms)
        else:
            self._do(control.resume, root_id)

    @rule(
        pick=PICK, status=st.sampled_from([*Status, "done", None]), verb=st.sampled_from(["", "OR REPLACE", "OR FAIL"])
    )
    def moves_by_hand(self, pick: int, status: str | None, verb: str) -> None:
        if each := self._pick(pick, set(Status)):
            self._by_hand(f"UPDATE {verb} jobs SET status = ? WHERE id = ?", (status, each.id))

    @rule(
        pick=PICK,
        tampering=st.sampled_from(
            [
                "UPDATE jobs SET open_children = 0, children = children + 1 WHERE id = ?",
                "UPDATE jobs SET depth = NULL, root_id = NULL WHERE id = ?",
                "UPDATE trees SET jobs = 0 WHERE root_id = ?",
                "UPDATE store SET busy_job = ?",
                "UPDATE status_counts SET jobs = 0 WHERE root_id = ?",
                "UPDATE jobs SET result = 'forged' WHERE status = 'completed' AND id = ?",
                "UPDATE OR REPLACE jobs SET rowid = 1 WHERE id = ?",
            ]
        ),
    )
    def tampers(self, pick: int, tampering: str) -> None:
        if each := self._pick(pick, set(Status)):
            self._by_hand(tampering, (each.id,))

    @rule(seconds=st.sampled_from([0.001, 0.5, 4.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.at.later(seconds)

    # -- how ----------------------------------------------------------------------------------------------------------

    def _new(self, kind: Kind) -> NewJob:
        self.requests += 1
        return NewJob(f"request {self.requests}", kind)

    def _pick(self, pick: int, states: set[Status], kinds: set[Kind] | None = None) -> Job | None:
        found: Sequence[Job] = [
            each for each in self.jobs.values() if each.status in states and (kinds is None or each.kind in kinds)
        ]
        return found[pick % len(found)] if found else None

    def _delivered(self, running: Job, reads: bool) -> list[int]:
        return [each.id for each in self.jobs.values() if each.parent_id == running.id] if reads else []

    def _do(self, verb: Callable[..., T], *args: Any, **named: Any) -> T | None:
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

    def _by_hand(self, sql: str, args: Sequence[Any]) -> None:
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
                self._do(finish.settle, job_id, self.at.now_ms)


@pytest.mark.timeout(900)  # to find the shortest way to a failure takes a while
def test_no_order_of_steps_breaks_an_invariant() -> None:
    """Depth, tree, counters, costs, attempts, history, feed and results are right after every step, and no job is stuck."""
    run = settings(
        max_examples=60,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=False,
        print_blob=True,
    )

    run_state_machine_as_test(Machine, settings=run)
