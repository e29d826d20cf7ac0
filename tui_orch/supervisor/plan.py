"""Decides who starts, goes on, stops or is given up: a pure function of one moment. Does nothing itself.

Order of starting: trees share the slots fairly (the tree with the fewest workers first); within a tree by priority, then
the deepest first (what has begun is finished), then first come. A worker that wants its lent slot back comes before any new
one. A slot counts a process that works: waiting jobs have none, lending ones hold none.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from store.queue import QueuedJob, QueuedTree
from store.states import Kind
from tui_orch.supervisor.snapshot import Snapshot

#: What one Claude Code process takes, measured 195 to 400 MiB: kept free for each that starts.
CLAUDE_MEMORY_MB = 400
#: How long to wait before looking at the memory again, when it is what holds jobs back.
MEMORY_LOOK_MS = 2_000


@dataclass(frozen=True, slots=True)
class Settle:
    """Move on a waiting job that plain SQL has left behind."""

    job_id: int


@dataclass(frozen=True, slots=True)
class Expire:
    """Fail a job whose deadline has passed, with all below it."""

    job_id: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The process of an attempt is gone, but its outcome is not in the store."""

    job_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Ask a worker to end, or kill it."""

    job_id: int
    attempt: int
    kill: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """Give a slot back to a worker that lent its own."""

    job_id: int


@dataclass(frozen=True, slots=True)
class Expand:
    """Give a group its children."""

    job_id: int


@dataclass(frozen=True, slots=True)
class Launch:
    """Start the next attempt of a queued job."""

    job_id: int


Action = Settle | Expire | GiveUp | Stop | Grant | Expand | Launch


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, and when to look again if nothing else happens (ms; None: no clock is needed)."""

    actions: tuple[Action, ...]
    wake_ms: int | None


def plan(now_ms: int, now: Snapshot) -> Plan:
    """Return what follows from this moment."""
    stops, kill_times = _stops(now_ms, now)
    starts, wait_for_memory = _starts(now)
    actions: list[Action] = [*stops]  # first: they need no store that can be written
    actions += [Settle(job_id) for job_id in now.to_settle]
    actions += [Expire(job_id) for job_id in now.overdue]
    actions += [GiveUp(worker.job.id, worker.job.attempt) for worker in now.workers if not worker.alive]
    actions += starts
    times = [*kill_times, *([now.next_time_ms] if now.next_time_ms is not None else [])]
    if wait_for_memory:
        times.append(now_ms + MEMORY_LOOK_MS)
    return Plan(tuple(actions), min(times, default=None))


def _stops(now_ms: int, now: Snapshot) -> tuple[list[Action], list[int]]:
    stops: list[Action] = []
    kill_times = []
    for worker in now.workers:
        if not worker.alive or worker.job.stop_reason is None or worker.killed:
            continue
        if worker.asked_ms is None:
            stops.append(Stop(worker.job.id, worker.job.attempt, kill=False))
            kill_times.append(now_ms + now.grace_ms)
        elif now_ms >= worker.asked_ms + now.grace_ms:
            stops.append(Stop(worker.job.id, worker.job.attempt, kill=True))
        else:
            kill_times.append(worker.asked_ms + now.grace_ms)
    return stops, kill_times


@dataclass(slots=True)
class _Slots:
    """How many are free while a plan is made."""

    free: int
    used: Counter[int]
    limit: dict[int, int] = field(default_factory=dict)

    def has_room(self, root_id: int) -> bool:
        return self.free > 0 and self.used[root_id] < self.limit.get(root_id, self.free + self.used[root_id])

    def take(self, root_id: int) -> None:
        self.free -= 1
        self.used[root_id] += 1


def _starts(now: Snapshot) -> tuple[list[Action], bool]:
    holders = [worker.job.root_id for worker in now.workers if not worker.job.lending]
    holders += [process.root_id for process in now.lingering]
    slots = _Slots(now.slots - len(holders), Counter(holders), {tree.root_id: tree.max_workers for tree in now.queued})
    starts: list[Action] = []
    back = [worker.job for worker in now.workers if worker.alive and worker.job.wants_slot and worker.job.lending]
    for job in sorted(back, key=lambda job: (-job.priority, -job.depth, job.id)):
        if slots.has_room(job.root_id):
            slots.take(job.root_id)
            starts.append(Grant(job.id))
    if now.held is not None:
        return starts, False
    launches, wait_for_memory = _launches(now, slots)
    return starts + launches, wait_for_memory


def _launches(now: Snapshot, slots: _Slots) -> tuple[list[Action], bool]:
    gone_soon = {process.job_id for process in now.lingering}
    # The tree with the fewest workers comes next; of equals the one with the more urgent job, then the older.
    heads: list[tuple[int, int, int, QueuedJob, Iterator[QueuedJob]]] = []

    def put_next(root_id: int, jobs: Iterator[QueuedJob]) -> None:
        job = next(jobs, None)
        if job is not None:
            heappush(heads, (slots.used[root_id], -job.priority, root_id, job, jobs))

    for tree in now.queued:
        if not tree.paused and not tree.over_budget:
            put_next(tree.root_id, _startable(tree, gone_soon))
    running = len(now.workers) + len(now.lingering)
    memory_mb = now.free_memory_mb - now.min_free_memory_mb
    worktrees_left = now.worktrees_left
    starts: list[Action] = []
    short_of_memory = False
    while heads:
        *_, root_id, job, jobs = heappop(heads)
        needs_mb = CLAUDE_MEMORY_MB if job.kind is Kind.CLAUDE else 0
        needs_worktree = job.needs_worktree and worktrees_left is not None
        if job.kind is Kind.GROUP and not job.merges:
            starts.append(Expand(job.id))
        elif not slots.has_room(root_id):
            continue
        # One worker may always run: with none, no memory would come free by waiting, and no worktree be merged and removed.
        elif running and needs_mb and memory_mb < needs_mb:
            short_of_memory = True
        elif not (running and needs_worktree and (worktrees_left or 0) <= 0):
            if needs_worktree and worktrees_left is not None:
                worktrees_left -= 1
            slots.take(root_id)
            running += 1
            memory_mb -= needs_mb
            starts.append(Launch(job.id))
        put_next(root_id, jobs)
    return starts, short_of_memory


def _startable(tree: QueuedTree, gone_soon: set[int]) -> Iterator[QueuedJob]:
    return (job for job in tree.queued if job.id not in gone_soon)
