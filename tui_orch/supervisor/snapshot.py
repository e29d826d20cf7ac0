"""What a supervisor decides on: one moment of the store and of the workers' processes, as plain data."""

from dataclasses import dataclass

from store.queue import QueuedTree, RunningJob


@dataclass(frozen=True, slots=True)
class Worker:
    """A running job and what is known of its process."""

    job: RunningJob
    alive: bool
    asked_ms: int | None = None  # when this supervisor asked it to end
    killed: bool = False


@dataclass(frozen=True, slots=True)
class Lingering:
    """A process whose attempt is over in the store and that has not quite gone yet: it still counts."""

    job_id: int
    root_id: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment. Times in ms, memory in MiB."""

    slots: int
    grace_ms: int
    free_memory_mb: int
    min_free_memory_mb: int
    held: str | None  # why nothing at all may start now (paused, a brake, a changed schema); None = free to start
    queued: tuple[QueuedTree, ...] = ()
    workers: tuple[Worker, ...] = ()
    lingering: tuple[Lingering, ...] = ()
    overdue: tuple[int, ...] = ()
    to_settle: tuple[int, ...] = ()
    next_time_ms: int | None = None  # when the clock alone changes something in the store
    worktrees_left: int | None = None  # how many more may be made, while anything runs; None = any
