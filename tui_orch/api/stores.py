"""Open stores for worker threads: a store serves one thread at a time, and the event loop never waits for SQLite.

Owns the few connections of the server. All are opened at the start: opening one later would change the process's umask
for an instant, in which the supervisor beside us may start a worker.
"""

import queue
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Self

from store.database import Reader, Store, Transaction
from store.errors import StoreBusy
from store.home import Home

#: Connections; writers queue anyway, and a read takes well under a millisecond.
CONNECTIONS = 4
#: Seconds that a thread waits for one of them.
PATIENCE_S = 30.0


class Stores:
    """A small pool. ``read`` and ``write`` block: call them in a worker thread only."""

    def __init__(self, home: Home, stores: list[Store]) -> None:
        self.home = home
        self._all = stores
        self._free: queue.LifoQueue[Store] = queue.LifoQueue()
        for store in stores:
            self._free.put(store)

    @classmethod
    def open(cls, home: Home, connections: int = CONNECTIONS) -> Self:
        """Open the store so many times. Raises StoreUnusable."""
        with ExitStack() as opened:
            stores = [opened.enter_context(Store.open(home)) for _ in range(connections)]
            opened.pop_all()
        return cls(home, stores)

    @property
    def store_id(self) -> str:
        """The random name of the store."""
        return self._all[0].store_id

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Read one moment of the store. Raises StoreBusy."""
        with self._lent() as store, store.read() as reader:
            yield reader

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Change the store, all of it or nothing. Raises StoreBusy."""
        with self._lent() as store, store.write() as tx:
            yield tx

    def close(self) -> None:
        """Close them all; no thread may use one any more."""
        for store in self._all:
            store.close()

    @contextmanager
    def _lent(self) -> Iterator[Store]:
        try:
            store = self._free.get(timeout=PATIENCE_S)
        except queue.Empty as error:
            raise StoreBusy("the server has more to do than it can; nothing was written, try again") from error
        try:
            yield store
        finally:
            self._free.put(store)
