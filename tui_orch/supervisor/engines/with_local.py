"""A cluster's launcher in a store whose workers ran on this machine until now: those are looked after to their end.

What is new goes to the cluster. A worker of this machine is told by its lock, and its handle by having a pid.
"""

from collections.abc import Callable, Sequence

from store.home import Home
from store.states import Kind
from tui_orch.supervisor.launcher import Handle, Launcher, LaunchError, Order
from tui_orch.worker import lock


class WithLocal:
    """A launcher; see `launcher.Launcher`."""

    def __init__(self, cluster: Launcher, local: Launcher, home: Home, on_close: Callable[[], None]) -> None:
        self._cluster = cluster
        self._local = local
        self._home = home
        self._on_close = on_close
        self._here: set[tuple[int, int]] = set()

    def is_prepared(self, kind: Kind) -> bool:
        """Ask the cluster's."""
        return self._cluster.is_prepared(kind)

    def start(self, orders: Sequence[Order]) -> list[Handle | LaunchError]:
        """Start workers in the cluster."""
        return self._cluster.start(orders)

    def adopt(self, job_id: int, attempt: int, pid: int | None) -> Handle | None:
        """Take over a worker of this machine, or look after one of the cluster. Only those of here have a pid in the store."""
        if pid is None and not self._is_held(job_id, attempt):
            return self._cluster.adopt(job_id, attempt, None)
        self._here.add((job_id, attempt))
        return self._local.adopt(job_id, attempt, pid)

    def is_alive(self, job_id: int, attempt: int) -> bool:
        """Tell whether a worker of the attempt lives here, or has to be taken for alive there."""
        return self._is_held(job_id, attempt) or self._cluster.is_alive(job_id, attempt)

    def close_off(self, job_id: int, attempt: int) -> lock.Standing:
        """See to it that no worker of the attempt begins any more, here or there."""
        there = self._cluster.close_off(job_id, attempt)
        return there if there == "alive" else self._local.close_off(job_id, attempt)

    def has_ended(self, handle: Handle) -> bool:
        """Tell whether the worker has ended."""
        return self._of(handle).has_ended(handle)

    def stop(self, handle: Handle, *, kill: bool) -> None:
        """Ask the worker to end, or end it."""
        self._of(handle).stop(handle, kill=kill)

    def bury(self, handle: Handle) -> int | None:
        """Let go of a worker that has ended."""
        return self._of(handle).bury(handle)

    def end_leftovers(self, job_id: int, attempt: int) -> int:
        """End what a worker of this machine has left; not else: processes by which an engine is asked would be strangers."""
        if (job_id, attempt) not in self._here:
            return 0
        return self._local.end_leftovers(job_id, attempt)

    def holds_back(self) -> str | None:
        """Ask the cluster's."""
        return self._cluster.holds_back()

    def refusal(self, job_id: int, attempt: int) -> str | None:
        """Ask the cluster's."""
        return self._cluster.refusal(job_id, attempt)

    def lived_ms(self, job_id: int, attempt: int, at_most_ms: int) -> int | None:
        """Ask whose it was."""
        launcher = self._local if (job_id, attempt) in self._here else self._cluster
        return launcher.lived_ms(job_id, attempt, at_most_ms)

    def close(self) -> None:
        """Let go of all handles."""
        self._cluster.close()
        self._local.close()
        self._on_close()

    def _is_held(self, job_id: int, attempt: int) -> bool:
        return lock.is_held(self._home.attempt_dir(job_id, attempt))

    def _of(self, handle: Handle) -> Launcher:
        return self._local if handle.pid else self._cluster
