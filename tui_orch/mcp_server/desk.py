"""Where the tools meet the store: opened in a thread for each call, so that the event loop never waits for SQLite.

Owns the threads and who calls. Knows no tool, and not how a supervisor is started: the command line gives that.
"""

import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread

from store.database import Reader, Store, Transaction
from store.home import Home
from tui_orch.client.caller import Caller, caller_of
from tui_orch.client.measures import now_ms

T = TypeVar("T")

#: Calls that may be at the store at once; further ones queue. Not the threads that read and write the protocol.
_THREADS = 16


@dataclass(frozen=True, slots=True)
class Ways:
    """What the command line knows and this package must not: where the store is, and who looks after it."""

    home: Callable[[], Home]  # the store that is there; raises NotFound
    future_home: Callable[[], Home]  # where it is, or is to be made
    supervise: Callable[[Home], str | None]  # start a supervisor unless there is one; why it could not be started
    is_supervised: Callable[[Home], bool]
    environ: Mapping[str, str]
    folder: Path  # in which the server was started: there the workers of a new tree run


class Held:
    """A store that stays open over several steps of one call."""

    def __init__(self, store: Store, caller: Caller, limiter: anyio.CapacityLimiter) -> None:
        self.home = store.home
        self.caller = caller
        self._store = store
        self._limiter = limiter

    async def run(self, do: Callable[[Store], T]) -> T:
        """Do one step in a thread; a caller that goes away meanwhile is let go when the step is over."""
        return await anyio.to_thread.run_sync(do, self._store, limiter=self._limiter)


class Desk:
    """The store as the tools use it."""

    def __init__(self, ways: Ways) -> None:
        self.ways = ways
        self._limiter = anyio.CapacityLimiter(_THREADS)
        # Opening a store changes the umask of the process for a moment. Two at once would leave it changed, and a
        # supervisor that is started meanwhile would hand it on to every worker.
        self._umask = threading.Lock()

    async def read(self, look: Callable[[Reader, Caller], T]) -> T:
        """Read one moment of the store that is there. Raises NotFound, NotAllowed, StoreUnusable."""

        def step() -> T:
            with self._opened(self.ways.home(), create=False) as (store, caller), store.read() as reader:
                return look(reader, caller)

        return await self._in_thread(step)

    async def write(self, change: Callable[[Transaction, Caller, int], T], *, create: bool = False) -> T:
        """Run ``change(tx, caller, now_ms)`` in one transaction; with ``create`` make the store where none is."""

        def step() -> T:
            home = self.ways.future_home() if create else self.ways.home()
            with self._opened(home, create=create) as (store, caller), store.write() as tx:
                return change(tx, caller, now_ms())

        return await self._in_thread(step)

    async def supervise(self) -> str | None:
        """See to it that a supervisor runs; return why there is none."""

        def step() -> str | None:
            with self._umask:
                return self.ways.supervise(self.ways.home())

        return await self._in_thread(step)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Held]:
        """Keep the store that is there open for a call of several steps."""

        def begin() -> Held:
            store = self._open(self.ways.home(), create=False)
            try:
                return Held(store, caller_of(store, self.ways.environ), self._limiter)
            except BaseException:
                store.close()
                raise

        held = await self._in_thread(begin)
        try:
            yield held
        finally:
            with anyio.CancelScope(shield=True):
                await held.run(Store.close)

    async def _in_thread(self, step: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(step, limiter=self._limiter)

    @contextmanager
    def _opened(self, home: Home, *, create: bool) -> Iterator[tuple[Store, Caller]]:
        with self._open(home, create=create) as store:
            yield store, caller_of(store, self.ways.environ)

    def _open(self, home: Home, *, create: bool) -> Store:
        with self._umask:
            return Store.open(home, create=create)
