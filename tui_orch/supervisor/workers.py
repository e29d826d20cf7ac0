"""The workers that this supervisor knows: their handles, when they were asked to end, and who is still going.

Holds what the store does not: descriptors. Everything here can be found again after a restart.
"""

from collections.abc import Callable
from dataclasses import dataclass

from store.models import Fence
from store.queue import RunningJob
from tui_orch.supervisor.launcher import Handle, Launcher
from tui_orch.supervisor.snapshot import Lingering, Worker


@dataclass(slots=True)
class _Known:
    handle: Handle
    root_id: int
    asked_ms: int | None = None
    killed: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended. ``exit_code`` is None for one that an earlier supervisor had started."""

    fence: Fence
    exit_code: int | None
    was_brief: bool = False


class Workers:
    """Handles by attempt. ``watch`` and ``unwatch`` tell the loop which descriptors wake it."""

    def __init__(self, launcher: Launcher, watch: Callable[[Handle], None], unwatch: Callable[[Handle], None]) -> None:
        self._launcher = launcher
        self._watch = watch
        self._unwatch = unwatch
        self._known: dict[Fence, _Known] = {}

    def add(self, fence: Fence, root_id: int, handle: Handle) -> None:
        """Look after a worker that was just started or adopted."""
        self._known[fence] = _Known(handle, root_id)
        self._watch(handle)

    def collect_ended(self) -> list[Ended]:
        """Bury every process that has ended and return them."""
        gone = [(fence, known) for fence, known in self._known.items() if self._launcher.has_ended(known.handle)]
        ended = []
        for fence, known in gone:
            self._unwatch(known.handle)
            ended.append(Ended(fence, self._launcher.bury(known.handle), known.handle.is_brief))
            del self._known[fence]
        return ended

    def view(self, running: list[RunningJob], now_ms: int) -> tuple[tuple[Worker, ...], tuple[Lingering, ...]]:
        """Join the running jobs of the store with the processes; adopt those that another supervisor started."""
        workers = tuple(self._worker(job, now_ms) for job in running)
        current = {Fence(job.id, job.attempt) for job in running}
        lingering = tuple(
            Lingering(fence.job_id, known.root_id) for fence, known in self._known.items() if fence not in current
        )
        return workers, lingering

    def stop(self, fence: Fence, now_ms: int, *, kill: bool) -> None:
        """Ask a worker to end, or kill it, and remember that."""
        known = self._known.get(fence)
        if known is None:
            return
        known.killed = known.killed or kill
        known.asked_ms = now_ms if known.asked_ms is None else known.asked_ms
        self._launcher.stop(known.handle, kill=kill)

    def clock_was_set(self, by_ms: int) -> None:
        """Keep the grace of those that were asked to end what it was."""
        for known in self._known.values():
            if known.asked_ms is not None:
                known.asked_ms += by_ms

    def is_known_job(self, job: RunningJob) -> bool:
        """Tell whether there is a descriptor that will tell the end of this job's worker."""
        return Fence(job.id, job.attempt) in self._known

    def any_left(self) -> bool:
        """Tell whether any process is still looked after."""
        return bool(self._known)

    def _worker(self, job: RunningJob, now_ms: int) -> Worker:
        fence = Fence(job.id, job.attempt)
        known = self._known.get(fence)
        if known is None:
            handle = self._launcher.adopt(job.id, job.attempt, job.pid)
            if handle is None:
                # While a lease lasts there may be a worker on another machine, whether this launcher knows of such or not.
                is_leased = (job.lease_until_ms or 0) > now_ms
                return Worker(job, alive=is_leased or self._launcher.is_alive(job.id, job.attempt))
            self.add(fence, job.root_id, handle)
            known = self._known[fence]
        return Worker(job, alive=True, asked_ms=known.asked_ms, killed=known.killed)
