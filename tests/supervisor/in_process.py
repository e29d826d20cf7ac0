"""A supervisor in this process, with workers that end as soon as they start, and clocks that a test sets."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from store.claim import claim
from store.database import Reader, Store
from store.finish import finish
from store.home import Home
from store.models import Fence, Job, Limits, NewJob, NewTree, Outcome
from store.states import FINAL, Kind, Status
from store.submit import submit_tree
from store.tree import get_job
from tui_orch.supervisor.launcher import Handle, LaunchError, Order
from tui_orch.supervisor.loop import Supervisor
from tui_orch.worker.lock import Standing

PATIENCE_S = 30.0


class Clock:
    """A wall clock (ms) and a steady one (s); ``pass_by`` moves both, ``set_by`` the wall alone."""

    def __init__(self) -> None:
        self.wall_ms = 1_000_000_000
        self.steady_s = 5_000.0

    def pass_by(self, seconds: float) -> None:
        self.wall_ms += round(seconds * 1000)
        self.steady_s += seconds

    def set_by(self, seconds: float) -> None:
        self.wall_ms += round(seconds * 1000)


class InstantLauncher:
    """Workers that claim their attempt, and end it in the same instant, unless they are of those that ``stay``."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.started: list[Fence] = []
        self.stay: Collection[int] = ()
        self.stops: list[tuple[int, bool]] = []
        self._ended: dict[int, Fence] = {}

    def is_prepared(self, kind: Kind) -> bool:
        return True

    def start(self, orders: Sequence[Order]) -> list[Handle | LaunchError]:
        return [self._start(order) for order in orders]

    def _start(self, order: Order) -> Handle:
        job_id, attempt = order.job_id, order.attempt
        assert order.env["ORCH_JOB_ID"] == str(job_id)
        fence = Fence(job_id, attempt)
        self.started.append(fence)
        with self._store.write() as tx:
            claim(tx, fence, os.getpid(), self._clock.wall_ms)
            if job_id not in self.stay:
                finish(tx, fence, Outcome(Status.COMPLETED), self._clock.wall_ms)
        return Handle(job_id, attempt, os.getpid(), os.eventfd(0 if job_id in self.stay else 1))

    def close_off(self, job_id: int, attempt: int) -> Standing:
        return "never"

    def adopt(self, job_id: int, attempt: int, pid: int | None) -> Handle | None:
        return None

    def is_alive(self, job_id: int, attempt: int) -> bool:
        return False

    def has_ended(self, handle: Handle) -> bool:
        return handle.job_id not in self.stay

    def stop(self, handle: Handle, *, kill: bool) -> None:
        self.stops.append((handle.job_id, kill))

    def bury(self, handle: Handle) -> int | None:
        os.close(handle.fd)
        return 0

    def end_leftovers(self, job_id: int, attempt: int) -> int:
        return 0

    def holds_back(self) -> str | None:
        return None

    def refusal(self, job_id: int, attempt: int) -> str | None:
        return None

    def lived_ms(self, job_id: int, attempt: int, at_most_ms: int) -> int | None:
        return at_most_ms

    def close(self) -> None:
        return


class Watched:
    """The store that a supervisor looks after, seen over a connection of the test's own."""

    def __init__(self, project: Path) -> None:
        home = Home(project / ".orch")
        self.store = Store.open(home, create=True)
        self.store._connection.pragma("synchronous", "OFF")
        self.clock = Clock()
        self.supervised = Store.open(home)
        self.workers = Store.open(home)
        self.launcher = InstantLauncher(self.workers, self.clock)

    def submit(self, request: str, **limits: object) -> int:
        with self.store.write() as tx:
            new = NewTree(NewJob(request, Kind.COMMAND), limits=Limits(**limits))  # type: ignore[arg-type]
            return submit_tree(tx, new, self.clock.wall_ms)

    def job(self, job_id: int) -> Job:
        with self.store.read() as reader:
            return get_job(reader, job_id)

    async def until(self, look: Callable[[Reader], object], what: str) -> None:
        for _ in range(round(PATIENCE_S / 0.002)):
            with self.store.read() as reader:
                if look(reader):
                    return
            await asyncio.sleep(0.002)
        raise AssertionError(f"never came: {what}")

    async def until_ended(self, job_id: int) -> Job:
        await self.until(lambda reader: get_job(reader, job_id).status in FINAL, f"the end of #{job_id}")
        return self.job(job_id)

    @asynccontextmanager
    async def supervisor(self) -> AsyncIterator["asyncio.Task[None]"]:
        supervisor = Supervisor(
            self.supervised,
            self.launcher,
            clock_ms=lambda: self.clock.wall_ms,
            steady_s=lambda: self.clock.steady_s,
        )
        running = asyncio.create_task(supervisor.run())
        try:
            yield running
        finally:
            supervisor.stop()
            await asyncio.wait((running,))

    def close(self) -> None:
        for store in (self.store, self.supervised, self.workers):
            store.close()
