"""The background worker that tells the app what has changed in the store, as messages.

It sleeps on a watch (see `tui_orch.client.watch`), and what has changed since the last change it knows is the truth. It
tells at most 20 times a second, however much happens, and a page of jobs at a time; it never keeps a transaction open.
Trouble with the store is told and tried again, never the end of it. Changes nothing, draws nothing.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from textual.message import Message

from store.errors import StoreError
from store.home import Home
from store.tree import StoreState
from tui_orch.tui.messages import JobsChanged, StoreRecovered, StoreTroubled
from tui_orch.tui.source import Source

#: Jobs of one message at most.
PAGE = 500
#: Seconds between two messages at least.
PERIOD_S = 1 / 20
#: Seconds by which a message that came late does not delay those after it: timers wake some time after what was asked.
_LATE_S = 0.002
#: Seconds between two readings of the totals at least, while jobs change: nobody sees them more often.
TOTALS_S = 1 / 4
#: Seconds after which it looks even though the watch has said nothing.
SLOW_POLL_S = 5.0
#: Seconds until a store that could not be read is tried again.
RETRY_S = 1.0


class Watch(Protocol):
    """What tells that something may have changed: a `StoreWatch`, or one over HTTP."""

    async def changed(self, timeout_s: float) -> bool:
        """Wait for a change, for at most so long; tell whether there was one."""
        ...


def store_watch(home: Home, data_version: Callable[[], int]) -> AbstractAsyncContextManager[Watch]:
    """Return a `StoreWatch`, which the first picture need not wait for."""
    from tui_orch.client.watch import StoreWatch  # noqa: PLC0415

    return StoreWatch(home, data_version)


class Feed:
    """``run`` it as a worker of the app, with ``since`` read before anything that is shown: nothing is missed then.
    Without ``since`` nothing is shown yet: it begins with what is there when the watch is, and `StoreRecovered` tells that.

    ``watch`` makes a watch, such as `store_watch`; ``post`` takes the messages `JobsChanged`, `StoreTroubled` and
    `StoreRecovered`. With ``take``, that is called with each `JobsChanged` instead, and does all there is to do: a
    flood has no time for messages. The first one comes at once and brings the totals.
    """

    def __init__(
        self,
        source: Source,
        watch: Callable[[], AbstractAsyncContextManager[Watch]],
        post: Callable[[Message], object],
        *,
        take: Callable[[JobsChanged], object] | None = None,
        since: int | None,
    ) -> None:
        self._source = source
        self._watch = watch
        self._post = post
        self._take = post if take is None else take
        self._seq = since
        self._state: StoreState | None = None
        self._told_at = self._counted_at = float("-inf")
        self._troubled = since is None

    async def run(self) -> None:
        """Tell what changes, until cancelled."""
        while True:
            try:
                async with self._watch() as watch:
                    self._begin()
                    await self._follow(watch)
            except (StoreError, OSError) as error:
                self._troubled = True
                self._post(StoreTroubled(str(error)))
            await asyncio.sleep(RETRY_S)

    def _begin(self) -> None:
        newest = self._source.newest_seq()
        if self._seq is None or newest < self._seq:  # another store: all is read anew after its `StoreRecovered`
            self._seq = newest

    async def _follow(self, watch: Watch) -> None:
        while True:
            found = self.look()
            if self._troubled:
                self._troubled = False
                self._post(StoreRecovered())
            if found:  # there may be more: the watch is asked only when there is not
                await asyncio.sleep(max(0.0, self._told_at + PERIOD_S - time.monotonic()))
            else:
                await watch.changed(SLOW_POLL_S)

    def look(self) -> bool:
        """Tell the next page of changes now; False where there are none.

        For the app after a change of its own: a watch does not see what its own connection commits.
        """
        now = time.monotonic()
        totals = self._state is None or now >= self._counted_at + TOTALS_S
        jobs, state = self._source.news(self._seq or 0, PAGE, totals=totals)
        before = self._state
        if state is not None:
            self._state, self._counted_at = state, now
        if self._state is None or (not jobs and self._state == before):
            return False
        if jobs:
            self._seq = jobs[-1].seq
        self._told_at = max(self._told_at + PERIOD_S, now - _LATE_S)
        self._take(JobsChanged(jobs, self._state))
        return True
