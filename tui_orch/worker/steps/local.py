"""Steps of a worker beside the store: each is a transaction on its file."""

import time
from contextlib import AbstractAsyncContextManager

from store.database import Store
from store.home import Home
from store.models import Fence
from tui_orch.worker.steps.port import Change, Look, P, T, Watch


def clock_ms() -> int:
    """Return the time now in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class LocalSteps:
    """See `port.Steps`. Use it from one thread at a time, as the store."""

    def __init__(self, store: Store, fence: Fence) -> None:
        self._store = store
        self._fence = fence

    @property
    def home(self) -> Home:
        """Where the store is."""
        return self._store.home

    @property
    def fence(self) -> Fence:
        """The attempt."""
        return self._fence

    def look(self, step: Look[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Read one moment of the store."""
        with self._store.read() as reader:
            return step(reader, self._fence, clock_ms(), *args, **kwargs)

    def change(self, step: Change[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a step in a transaction of its own."""
        with self._store.write() as tx:
            return step(tx, self._fence, clock_ms(), *args, **kwargs)

    def watch(self) -> AbstractAsyncContextManager[Watch]:
        """Watch the store for changes."""
        from tui_orch.client.watch import StoreWatch  # noqa: PLC0415 - brings asyncio, which a command's worker never needs

        return StoreWatch(self._store.home, self._store.data_version)
