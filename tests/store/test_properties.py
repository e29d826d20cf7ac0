"""Whatever is done to a store, in whatever order and by whomever, what must be true of it stays true."""

from collections.abc import Callable, Collection
from typing import Any

import pytest
from at_store import AtStore
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from store_machine import StoreMachine

from store import asks, claim, control, finish, queue, submit
from store.models import Fence, Limits, NewTree, Outcome, Usage
from store.states import FINAL, RETRYABLE, Kind, Reason, Status

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


class Machine(StoreMachine):
    """People, workers, a supervisor and plain SQL, one step after the other."""

    # -- trees and children -------------------------------------------------------------------------------------------

    @initialize(limits=LIMITS, kinds=st.lists(KINDS, min_size=2, max_size=4))
    def first_trees(self, limits: Limits, kinds: list[Kind]) -> None:
        """A group, and a root that waits for as many children if its limits let it have them."""
        group = NewTree(self.new(Kind.GROUP), tuple(map(self.new, kinds)), Limits(max_workers=3))
        self.do(submit.submit_tree, group, self.at.now_ms)
        root = self.do(submit.submit_tree, NewTree(self.new(Kind.CLAUDE), limits=limits), self.at.now_ms)
        fence = self.do(claim.start_attempt, root, claim.token_hash("first"), self.at.now_ms)
        assert fence is not None
        self.do(submit.spawn, fence, [self.new(kind) for kind in kinds], self.at.now_ms)
        self.do(finish.suspend, fence, "children", "session", Usage(), self.at.now_ms)

    @precondition(few_trees)
    @rule(kind=KINDS, limits=LIMITS)
    def submits(self, kind: Kind, limits: Limits) -> None:
        self.do(submit.submit_tree, NewTree(self.new(kind), limits=limits), self.at.now_ms)

    @precondition(few_trees)
    @rule(kinds=st.lists(KINDS, min_size=1, max_size=4), limits=LIMITS)
    def submits_a_group(self, kinds: list[Kind], limits: Limits) -> None:
        new = NewTree(self.new(Kind.GROUP), tuple(map(self.new, kinds)), limits)
        self.do(submit.submit_tree, new, self.at.now_ms)

    @precondition(RUNS)
    @rule(pick=PICK, kinds=st.lists(st.sampled_from(list(Kind)), min_size=1, max_size=4))
    def spawns(self, pick: int, kinds: list[Kind]) -> None:
        if parent := self.pick(pick, {Status.RUNNING}):
            self.do(submit.spawn, parent.fence, [self.new(kind) for kind in kinds], self.at.now_ms)

    @rule(pick=PICK, kind=st.sampled_from(list(Kind)))
    def inserts_by_hand(self, pick: int, kind: Kind) -> None:
        parent = self.pick(pick, {Status.RUNNING, Status.WAITING, Status.QUEUED})
        new = self.new(kind)
        self.by_hand(
            "INSERT INTO jobs(parent_id, request, kind) VALUES (?, ?, ?)",
            (parent and parent.id, new.request, new.kind.value),
        )

    @precondition(QUEUED_GROUP)
    @rule(pick=PICK, kinds=st.lists(KINDS, min_size=1, max_size=3))
    def expands(self, pick: int, kinds: list[Kind]) -> None:
        if group := self.pick(pick, {Status.QUEUED}, {Kind.GROUP}):
            self.do(submit.expand_group, group.id, [self.new(kind) for kind in kinds], self.at.now_ms)

    # -- attempts -----------------------------------------------------------------------------------------------------

    @precondition(QUEUED)
    @rule(pick=PICK, claims=st.booleans())
    def starts(self, pick: int, claims: bool) -> None:
        if queued := self.pick(pick, {Status.QUEUED}, {Kind.CLAUDE, Kind.COMMAND}):
            fence = self.do(claim.start_attempt, queued.id, claim.token_hash(f"{pick}"), self.at.now_ms)
            if fence and claims:
                self.do(claim.claim, fence, 4711, self.at.now_ms)

    @precondition(RUNS)
    @rule(
        pick=PICK,
        status=st.sampled_from([Status.COMPLETED, Status.COMPLETED, Status.FAILED, Status.CANCELLED]),
        usage=USAGES,
        retry=st.booleans(),
        reads=st.booleans(),
    )
    def finishes(self, pick: int, status: Status, usage: Usage, retry: bool, reads: bool) -> None:
        if running := self.pick(pick, {Status.RUNNING}):
            outcome = Outcome(status, result=f"found {pick}", data={"n": pick}, usage=usage, retry=retry)
            self.do(finish.finish, running.fence, outcome, self.at.now_ms, self.delivered(running, reads))

    @precondition(RUNS)
    @rule(pick=PICK, waiting_for=st.sampled_from(["children", "ask"]), usage=USAGES, reads=st.booleans())
    def suspends(self, pick: int, waiting_for: Any, usage: Usage, reads: bool) -> None:
        if running := self.pick(pick, {Status.RUNNING}):
            read = self.delivered(running, reads)
            self.do(finish.suspend, running.fence, waiting_for, "session", usage, self.at.now_ms, read)

    @precondition(RUNS)
    @rule(pick=PICK, usage=USAGES)
    def releases(self, pick: int, usage: Usage) -> None:
        if running := self.pick(pick, {Status.RUNNING}):
            self.do(finish.release, running.fence, "api_error", self.at.now_ms, usage=usage)

    @rule(pick=PICK)
    def finishes_too_late(self, pick: int) -> None:
        """An attempt that is over, or was never, writes nothing."""
        if each := self.pick(pick, set(Status)):
            stale = Fence(each.id, each.attempt + (1 if pick % 2 else -1))
            assert self.do(finish.finish, stale, Outcome(Status.COMPLETED, result="late"), self.at.now_ms) is None

    @precondition(RUNS)
    @rule(pick=PICK, verb=st.sampled_from(["lend", "want", "grant"]))
    def lends(self, pick: int, verb: str) -> None:
        if running := self.pick(pick, {Status.RUNNING}):
            if verb == "grant":
                self.do(claim.grant_slot, running.id)
            else:
                self.do(claim.lend_slot if verb == "lend" else claim.want_slot, running.fence)

    @rule(pick=PICK, rarely=RARELY)
    def fails_unstarted(self, pick: int, rarely: bool) -> None:
        if rarely and (each := self.pick(pick, set(Status))):
            self.do(finish.fail_unstarted, each.id, Reason.BAD_REQUEST, "no such folder", self.at.now_ms)

    # -- asks ---------------------------------------------------------------------------------------------------------

    @precondition(RUNS)
    @rule(pick=PICK)
    def asks(self, pick: int) -> None:
        if running := self.pick(pick, {Status.RUNNING}):
            self.do(asks.ask, running.fence, kind="question", question="which?", now_ms=self.at.now_ms)

    @precondition(is_asked)
    @rule(pick=PICK)
    def answers(self, pick: int) -> None:
        with self.store.read() as reader:
            found = asks.open_asks(reader)
        if found:
            self.do(asks.answer, found[pick % len(found)].id, "answered", "this one", self.at.now_ms)

    @precondition(RUNS)
    @rule(pick=PICK)
    def takes_an_answer(self, pick: int) -> None:
        if running := self.pick(pick, {Status.RUNNING}):
            self.do(asks.take_answer, running.fence, "question", None, None, self.at.now_ms)

    # -- people and clocks --------------------------------------------------------------------------------------------

    @rule(pick=PICK, rarely=RARELY)
    def cancels(self, pick: int, rarely: bool) -> None:
        if rarely and (each := self.pick(pick, set(Status) - FINAL)):
            self.do(control.cancel, each.id, self.at.now_ms)

    @rule(pick=PICK)
    def expires(self, pick: int) -> None:
        with self.store.read() as reader:
            overdue = queue.overdue_jobs(reader, self.at.now_ms)
        if overdue:
            self.do(control.expire, overdue[pick % len(overdue)], self.at.now_ms)

    @precondition(ENDED_BADLY)
    @rule(pick=PICK, fresh=st.booleans())
    def retries(self, pick: int, fresh: bool) -> None:
        if each := self.pick(pick, set(RETRYABLE)):
            completed = {other.id for other in self.jobs.values() if other.status is Status.COMPLETED}
            again = self.do(control.retry, each.id, self.at.now_ms, fresh=fresh) or ()
            assert not completed.intersection(again), "what succeeded is not run again"

    @precondition(RUNS)
    @rule(pick=PICK)
    def shuts_down(self, pick: int) -> None:
        if running := self.pick(pick, {Status.RUNNING}):
            self.do(control.request_stop, running.id, Reason.SHUTDOWN, self.at.now_ms)

    @rule(pick=PICK, rarely=RARELY, more=st.integers(0, 2), timeouts_s=st.sampled_from([None, (1.0,), (900.0, 300.0)]))
    def raises_limits(self, pick: int, rarely: bool, more: int, timeouts_s: tuple[float, ...] | None) -> None:
        if rarely and (root := self.pick(pick, set(Status))):
            with self.store.read() as reader:
                (workers, jobs) = reader.rows(
                    "SELECT max_workers, max_jobs FROM trees WHERE root_id = ?", (root.root_id,)
                )[0]
            limits = Limits(max_workers=min(workers + more, 10), max_jobs=jobs + more, timeouts_s=timeouts_s)
            self.do(control.set_limits, root.root_id, limits)

    @rule(pick=PICK, holds=st.booleans(), rarely=RARELY)
    def pauses(self, pick: int, holds: bool, rarely: bool) -> None:
        if not rarely:
            return
        each = self.pick(pick, set(Status))
        root_id = each.root_id if each and pick % 3 else None
        if holds:
            self.do(control.pause, root_id, self.at.now_ms)
        else:
            self.do(control.resume, root_id)

    @rule(
        pick=PICK, status=st.sampled_from([*Status, "done", None]), verb=st.sampled_from(["", "OR REPLACE", "OR FAIL"])
    )
    def moves_by_hand(self, pick: int, status: str | None, verb: str) -> None:
        if each := self.pick(pick, set(Status)):
            self.by_hand(f"UPDATE {verb} jobs SET status = ? WHERE id = ?", (status, each.id))

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
        if each := self.pick(pick, set(Status)):
            self.by_hand(tampering, (each.id,))

    @rule(seconds=st.sampled_from([0.001, 0.5, 4.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.at.later(seconds)


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
