"""The job tree as plain Python, standing for what ``store/queue.py`` reads and ``store/finish.py`` writes: no file, no process.

Forgets a job once it has ended, so that a million need no more room than those that are open at once.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from store.finish import back_off_ms
from store.queue import QueuedJob, QueuedTree, RunningJob
from store.rollup import roll_up
from store.states import Kind, Status
from tui_orch.request.estimate import WORKER_MB
from tui_orch.simulate.front import Front, Key
from tui_orch.simulate.shape import Shape, chance, salted
from tui_orch.supervisor.snapshot import Worker

Order = Callable[["SimJob"], Key]
#: What a running worker takes (MB); a command's own is what is measured of `sleep`, its work may take any.
KIND_MB = {Kind.CLAUDE: WORKER_MB, Kind.COMMAND: 5, Kind.GROUP: 0}
#: Ends of jobs that a worker's turn may bring.
_GOOD, _BAD = Status.COMPLETED, Status.FAILED


@dataclass(frozen=True, slots=True)
class TreeLimits:
    """What a tree may do, as in a row of ``trees``."""

    max_workers: int
    max_jobs: int
    max_children: int
    max_attempts: int
    timeouts_s: tuple[float, ...]  # () = none


@dataclass(slots=True, eq=False)
class SimTree:
    """A tree with its queued jobs, those in front in order."""

    root_id: int
    shape: Shape
    limits: TreeLimits
    queue: Front
    jobs: int = 0
    view: QueuedTree | None = None  # what a snapshot shows; None = to be made again


@dataclass(slots=True, eq=False)
class SimJob:
    """An open job."""

    id: int
    tree: SimTree
    parent: "SimJob | None"
    depth: int
    kind: Kind
    salt: int
    status: Status = Status.QUEUED
    attempt: int = 0
    tries: int = 0
    own_over: bool = False  # it has handed in its children
    open: set["SimJob"] | None = None
    child_ends: set[Status] = field(default_factory=set)
    deadline_ms: int | None = None
    own_ms: int = 0  # that it has worked so far
    below_ms: int = 0  # of its child with the longest path
    turn_ms: int = 0  # that what it does now takes
    turn: int = 0  # counts what it does; an end of an earlier turn is void
    queued: QueuedJob | None = None

    @property
    def path_ms(self) -> int:
        """Return the time that it and its longest chain of jobs below have worked, one after the other."""
        return self.own_ms + self.below_ms


class MemoryStore:
    """All open jobs. Every time is in ms of the virtual clock."""

    def __init__(self, slots: int, order: Order, retry_base_ms: int) -> None:
        self._slots = slots
        self._order = order
        self._retry_base_ms = retry_base_ms
        self._next_id = 1
        self._jobs: dict[int, SimJob] = {}
        self._queued_trees: dict[int, SimTree] = {}
        self._retries: list[tuple[int, int]] = []
        self._deadlines: list[tuple[int, int]] = []
        self.running: dict[int, tuple[SimJob, Worker]] = {}
        self.used_mb = 0
        self.queued_jobs = 0
        self.waiting = Counter[Kind]()
        self.ended = Counter[Status]()
        self.created = 0
        self.longest_path_ms = 0

    def submit(self, shape: Shape, limits: TreeLimits, salt: int) -> None:
        """Add a tree."""
        tree = SimTree(self._next_id, shape, limits, Front(self._slots))
        self._add(tree, None, 0, salt)

    @property
    def open_jobs(self) -> int:
        """Return how many have not ended."""
        return len(self._jobs)

    def trees(self) -> tuple[QueuedTree, ...]:
        """Return each tree with queued jobs and the first of them, as ``store.queue.queued_trees`` does."""
        return tuple(tree.view or _view(tree, self._jobs) for tree in self._queued_trees.values())

    def workers(self) -> tuple[Worker, ...]:
        """Return every running job; its process lives."""
        return tuple(worker for _, worker in self.running.values())

    def overdue(self, now_ms: int) -> tuple[int, ...]:
        """Return open jobs whose deadline has passed."""
        found: list[int] = []
        while self._deadlines and self._deadlines[0][0] <= now_ms:
            _, job_id = heappop(self._deadlines)
            if job_id in self._jobs:
                found.append(job_id)
        return tuple(found)

    def next_time_ms(self) -> int | None:
        """Return when the clock alone changes something: a deadline, or the end of a back-off."""
        while self._deadlines and self._deadlines[0][1] not in self._jobs:
            heappop(self._deadlines)
        times = [times[0][0] for times in (self._deadlines, self._retries) if times]
        return min(times, default=None)

    def end_back_offs(self, now_ms: int) -> None:
        """Queue what is to be tried again by now."""
        while self._retries and self._retries[0][0] <= now_ms:
            _, job_id = heappop(self._retries)
            job = self._jobs.get(job_id)
            if job is not None:
                self._queue(job)

    def is_queued(self, job_id: int) -> bool:
        """Tell whether a job can be started still."""
        return job_id in self._jobs and self._jobs[job_id].queued is not None

    def start(self, job_id: int, now_ms: int) -> SimJob:
        """Begin a job's next attempt."""
        job = self._jobs[job_id]
        self._unqueue(job)
        job.attempt += 1
        job.status = Status.RUNNING
        if job.attempt == 1:
            self._set_deadline(job, now_ms)
        shown = RunningJob(
            job.id, job.tree.root_id, job.attempt, job.kind, False, False, None, None, None, None, job.depth, 0
        )
        self.running[job.id] = (job, Worker(shown, alive=True))
        self.used_mb += KIND_MB[job.kind]
        return job

    def expand(self, job_id: int, now_ms: int) -> None:
        """Give a group its children; it fails where it has none or a limit refuses them."""
        job = self._jobs[job_id]
        self._unqueue(job)
        self._set_deadline(job, now_ms)
        if not (job.tree.shape.children(job.depth) and self.hand_in(job)):
            self._end(job, _BAD)

    def hand_in(self, job: SimJob) -> bool:
        """Add a job's children, all or none, and let it wait for them. False where a limit of its tree refuses them."""
        count = job.tree.shape.children(job.depth)
        limits = job.tree.limits
        if count > limits.max_children or job.tree.jobs + count > limits.max_jobs:
            return False
        if job.id in self.running:
            self._stop_running(job)
        job.own_over = True
        job.status = Status.WAITING
        self.waiting[job.kind] += 1
        job.open = set()
        for place in range(count):
            job.open.add(self._add(job.tree, job, job.depth + 1, salted(job.salt, place)))
        return True

    def finish(self, job: SimJob, now_ms: int) -> None:
        """End a turn whose job has nothing more to do, or that has failed."""
        self._stop_running(job)
        shape = job.tree.shape
        if shape.failing and chance(salted(job.salt, -job.attempt)) < shape.failing:
            job.tries += 1
            if job.tries < job.tree.limits.max_attempts and not (job.own_over and job.kind is Kind.COMMAND):
                job.status = Status.QUEUED
                heappush(self._retries, (now_ms + back_off_ms(self._retry_base_ms, job.tries - 1), job.id))
            else:
                self._end(job, _BAD)
        else:
            self._end(job, roll_up(_GOOD, job.child_ends)[0])

    def expire(self, job_id: int) -> None:
        """Fail a job whose time is up, and cancel all below it."""
        job = self._jobs.get(job_id)
        if job is not None:  # it may have gone with one above it
            self._stop_below(job)
            self._leave(job)
            self._end(job, _BAD)

    def _stop_below(self, top: SimJob) -> None:
        for job in sorted(top.open or (), key=lambda job: job.id):
            self._stop_below(job)
            self._leave(job)
            self._forget(job, Status.CANCELLED)
        top.open = None

    def _leave(self, job: SimJob) -> None:
        """Take a job out of wherever it is."""
        if job.status is Status.WAITING:
            self.waiting[job.kind] -= 1
        elif job.status is Status.RUNNING:
            self._stop_running(job)
        elif job.queued is not None:  # else it is about to be tried again
            self._unqueue(job)
        job.turn += 1

    def _stop_running(self, job: SimJob) -> None:
        del self.running[job.id]
        self.used_mb -= KIND_MB[job.kind]

    def _add(self, tree: SimTree, parent: SimJob | None, depth: int, salt: int) -> SimJob:
        job = SimJob(self._next_id, tree, parent, depth, tree.shape.levels[depth].kind, salt)
        self._next_id += 1
        self.created += 1
        tree.jobs += 1
        self._jobs[job.id] = job
        self._queue(job)
        return job

    def _queue(self, job: SimJob) -> None:
        job.status = Status.QUEUED
        job.queued = QueuedJob(job.id, job.tree.root_id, job.depth, job.kind, 0)
        self.queued_jobs += 1
        if job.tree.queue.add(self._order(job)):
            job.tree.view = None
        self._queued_trees[job.tree.root_id] = job.tree

    def _unqueue(self, job: SimJob) -> None:
        job.queued = None
        self.queued_jobs -= 1
        if job.tree.queue.remove(self._order(job)):
            job.tree.view = None
        if not len(job.tree.queue):
            del self._queued_trees[job.tree.root_id]

    def _set_deadline(self, job: SimJob, now_ms: int) -> None:
        above = None if job.parent is None else job.parent.deadline_ms
        timeouts_s = job.tree.limits.timeouts_s
        if not timeouts_s:
            return
        own = now_ms + round(timeouts_s[min(job.depth, len(timeouts_s) - 1)] * 1000)
        if above is not None and above <= own:
            job.deadline_ms = above  # that of the job above ends it too
            return
        job.deadline_ms = own
        heappush(self._deadlines, (own, job.id))

    def _end(self, job: SimJob, status: Status) -> None:
        self._forget(job, status)
        parent = job.parent
        if parent is None:
            self.longest_path_ms = max(self.longest_path_ms, job.path_ms)
            return
        assert parent.open is not None
        parent.open.remove(job)
        parent.child_ends.add(status)
        parent.below_ms = max(parent.below_ms, job.path_ms)
        if parent.open:
            return
        self.waiting[parent.kind] -= 1
        if parent.kind is Kind.CLAUDE:
            self._queue(parent)
        else:
            own = None if parent.kind is Kind.GROUP else _GOOD
            self._end(parent, roll_up(own, parent.child_ends)[0])

    def _forget(self, job: SimJob, status: Status) -> None:
        job.status = status
        self.ended[status] += 1
        del self._jobs[job.id]


def _view(tree: SimTree, jobs: dict[int, SimJob]) -> QueuedTree:
    first = (jobs[key[-1]].queued for key in tree.queue.first)
    tree.view = QueuedTree(
        tree.root_id, tree.limits.max_workers, False, False, tuple(job for job in first if job is not None)
    )
    return tree.view
