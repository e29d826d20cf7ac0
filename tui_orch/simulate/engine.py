"""Runs imagined trees to their end: the supervisor's ``plan`` on a virtual clock that jumps from event to event.

Counts what a person would ask of it. Times of the real clock are only taken around ``plan``, for what a decision costs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from time import perf_counter_ns

from store.states import Kind, Status
from tui_orch.simulate.figures import Costs, Figures, Peaks
from tui_orch.simulate.memory_store import MemoryStore, Order, SimJob, TreeLimits
from tui_orch.simulate.shape import Shape, chance, salted
from tui_orch.supervisor.plan import Action, Expand, Expire, Launch, plan
from tui_orch.supervisor.snapshot import Snapshot

#: Memory where none is given (MB): as much as anyone wants.
BOUNDLESS_MB = 1 << 40

#: The order of the product, and the one to compare it with: in which the queued jobs of one tree start.
ORDERS: dict[str, Order] = {
    "deepest first": lambda job: (-job.depth, job.id),
    "first come": lambda job: (job.id,),
}
DEEPEST_FIRST = "deepest first"


class Stuck(Exception):
    """Open jobs are left, and nothing will ever move them."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is run: ``trees`` trees of one shape, all handed in at once."""

    shape: Shape
    limits: TreeLimits
    slots: int
    trees: int = 1
    start_s: float = 0.0  # that a worker takes before it works
    memory_mb: int | None = None  # free for workers; None = any
    retry_base_s: float = 2.0
    seed: int = 1


def simulate(
    scenario: Scenario, order: str = DEEPEST_FIRST, tell: Callable[[MemoryStore], None] | None = None
) -> Figures:
    """Run it to its end; ``tell`` is called after each moment. Raises Stuck, which would be a defect of ``plan``."""
    return _Run(scenario, ORDERS[order]).to_the_end(tell)


class _Run:
    def __init__(self, scenario: Scenario, order: Order) -> None:
        self._scenario = scenario
        self._memory_mb = BOUNDLESS_MB if scenario.memory_mb is None else scenario.memory_mb
        self._start_ms = round(scenario.start_s * 1000)
        self._store = MemoryStore(scenario.slots, order, round(scenario.retry_base_s * 1000))
        self._ends: list[tuple[int, int, int, SimJob]] = []  # when, id, turn
        self._work_ms = 0
        self._peaks = Peaks()
        self._costs = Costs()

    def to_the_end(self, tell: Callable[[MemoryStore], None] | None) -> Figures:
        scenario, store = self._scenario, self._store
        for number in range(scenario.trees):
            store.submit(scenario.shape, scenario.limits, salted(scenario.seed, number))
        now_ms, wake_ms = 0, self._settle_down(0)
        while store.open_jobs:
            now_ms = self._next_ms(now_ms, wake_ms)
            self._end_turns(now_ms)
            store.end_back_offs(now_ms)
            wake_ms = self._settle_down(now_ms)
            if tell is not None:
                tell(store)
        return self._figures(now_ms)

    def _next_ms(self, now_ms: int, wake_ms: int | None) -> int:
        while self._ends and self._ends[0][2] != self._ends[0][3].turn:
            heappop(self._ends)
        times = [time for time in (self._ends[0][0] if self._ends else None, wake_ms) if time is not None]
        if not times or (not self._ends and min(times) <= now_ms):
            raise Stuck(f"{self._store.open_jobs} jobs are open after {now_ms / 1000:g} s and nothing moves them")
        return max(now_ms, min(times))

    def _settle_down(self, now_ms: int) -> int | None:
        """Plan and act as the supervisor does, until nothing follows any more. Return when to look again (ms)."""
        store = self._store
        while True:
            snapshot = Snapshot(
                slots=self._scenario.slots,
                grace_ms=0,
                free_memory_mb=self._memory_mb - store.used_mb,
                min_free_memory_mb=0,
                held=None,
                queued=store.trees(),
                workers=store.workers(),
                overdue=store.overdue(now_ms),
                next_time_ms=store.next_time_ms(),
            )
            began = perf_counter_ns()
            planned = plan(now_ms, snapshot)
            self._costs.add(store.queued_jobs, len(snapshot.queued), perf_counter_ns() - began)
            self._peaks.queued(store.queued_jobs)
            again = [self._carry_out(action, now_ms) for action in planned.actions]
            self._peaks.look(len(store.running), store.waiting[Kind.CLAUDE], store.used_mb)
            if not any(again):  # what was launched changes nothing before the clock moves, but deadlines came with it
                times = (planned.wake_ms, store.next_time_ms())
                return min((time for time in times if time is not None), default=None)

    def _carry_out(self, action: Action, now_ms: int) -> bool:
        """Do it; tell whether anything more may follow at once."""
        match action:
            case Launch(job_id) | Expand(job_id) if not self._store.is_queued(job_id):
                pass  # as a store refuses it: an action before this one has ended the job
            case Launch(job_id):
                self._begin(self._store.start(job_id, now_ms), now_ms)
                return False
            case Expand(job_id):
                self._store.expand(job_id, now_ms)
            case Expire(job_id):
                self._store.expire(job_id)
            case _:
                raise AssertionError(f"nothing here could ask for {action}")
        return True

    def _begin(self, job: SimJob, now_ms: int) -> None:
        level = job.tree.shape.levels[job.depth]
        self._work(job, now_ms + self._start_ms, level.after_s if job.own_over else level.before_s)

    def _work(self, job: SimJob, from_ms: int, seconds: float) -> None:
        spread = job.tree.shape.spread
        if spread:
            seconds *= 1 + spread * (2 * chance(salted(job.salt, job.attempt)) - 1)
        took_ms = round(seconds * 1000)
        job.turn_ms = took_ms
        job.turn += 1
        heappush(self._ends, (from_ms + took_ms, job.id, job.turn, job))

    def _end_turns(self, now_ms: int) -> None:
        ends, store = self._ends, self._store
        while ends and ends[0][0] <= now_ms:
            _, _, turn, job = heappop(ends)
            if turn != job.turn:
                continue  # its time was up before
            job.own_ms += job.turn_ms
            self._work_ms += job.turn_ms
            shape = job.tree.shape
            if job.own_over or not shape.children(job.depth):
                store.finish(job, now_ms)
            elif not store.hand_in(job):  # refused: it does that work itself
                job.own_over = True
                self._work(job, now_ms, shape.rest_s(job.depth))

    def _figures(self, now_ms: int) -> Figures:
        scenario, store = self._scenario, self._store
        at_once = min(scenario.slots, scenario.trees * scenario.limits.max_workers)
        return Figures(
            jobs=store.created,
            ended={status.value: store.ended[status] for status in Status if store.ended[status]},
            makespan_s=now_ms / 1000,
            work_s=self._work_ms / 1000,
            longest_path_s=store.longest_path_ms / 1000,
            ideal_s=max(self._work_ms / at_once, store.longest_path_ms) / 1000,
            peaks=self._peaks.found(),
            costs=self._costs.rows(),
        )
