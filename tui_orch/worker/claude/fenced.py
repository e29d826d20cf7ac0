"""The store as one attempt may use it: every write carries its fence, and the first refusal of the fence stops it all.

Tools, permission requests and the session share one ``FencedStore``. Whoever meets StaleAttempt here need not tell the
others: ``stale`` is set, and the session looks at it. Holds no rule of its own.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from store.database import Reader, Store, Transaction
from store.errors import StaleAttempt
from store.models import Fence, Job, Tree
from store.tree import get_job, get_tree
from tui_orch.client.watch import StoreWatch

T = TypeVar("T")


def clock_ms() -> int:
    """Return the time now in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class FencedStore:
    """Reads and writes for the attempt ``fence``. Use it in one event loop."""

    def __init__(self, store: Store, job: Job) -> None:
        self.store = store
        self.fence: Fence = job.fence
        self.root_id = job.root_id
        #: Set once the store has refused this attempt: stop at once, nothing can be recorded any more.
        self.stale = asyncio.Event()

    def read(self, look: Callable[[Reader], T]) -> T:
        """Read one moment of the store."""
        with self.store.read() as reader:
            return look(reader)

    def write(self, change: Callable[[Transaction, Fence, int], T]) -> T:
        """Run ``change(tx, fence, now_ms)`` in one transaction. Raises what the store raises."""
        try:
            with self.store.write() as tx:
                return change(tx, self.fence, clock_ms())
        except StaleAttempt:
            self.stale.set()
            raise

    def job(self) -> Job:
        """Return the job's row as it is now."""
        return self.read(lambda reader: get_job(reader, self.fence.job_id))

    def tree(self) -> Tree:
        """Return the tree's row as it is now."""
        return self.read(lambda reader: get_tree(reader, self.root_id))

    async def until(self, look: Callable[[Reader], T | None], timeout_s: float | None = None) -> T | None:
        """Wait until ``look`` finds something and return it; None after ``timeout_s`` seconds."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        async with StoreWatch(self.store.home, self.store.data_version) as watch:
            while (found := self.read(look)) is None:
                left_s = 60.0 if end is None else end - time.monotonic()
                if left_s <= 0:
                    return None
                await watch.changed(left_s)
        return found
