"""Tells everyone in the event loop when the store has changed: one watcher, however many listen. Reads no rows."""

import asyncio
import logging
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Self

from anyio.to_thread import run_sync

from store.database import Store
from store.home import Home
from tui_orch.client.watch import StoreWatch

log = logging.getLogger("tui_orch.api")

#: Seconds after which the watcher looks around though nothing has changed.
_LOOK_S = 60.0


class Feed:
    """``moment = feed.moment()``; read the store; ``await feed.after(moment, timeout_s)``: no change is missed."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._next = asyncio.Event()
        self._open = AsyncExitStack()
        #: Whether the server is ending: whoever waits lets go.
        self.ended = False
        #: How many streams of events are open.
        self.streams = 0

    def moment(self) -> asyncio.Event:
        """Return what will be set at the next change from now on."""
        return self._next

    async def after(self, moment: asyncio.Event, timeout_s: float) -> bool:
        """Wait for the change after ``moment``; False after so many seconds without one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await moment.wait()
                return True
        return False

    def end(self) -> None:
        """Let all who wait go, for good."""
        self.ended = True
        self._tell()

    async def __aenter__(self) -> Self:
        store = await run_sync(Store.open, self._home)
        self._open.callback(store.close)
        watch = await self._open.enter_async_context(StoreWatch(self._home, store.data_version))
        task = asyncio.create_task(self._run(watch), name="store changes for the API")
        task.add_done_callback(self._on_end)
        self._open.push_async_callback(_cancel, task)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        await self._open.aclose()

    async def _run(self, watch: StoreWatch) -> None:
        while True:
            if await watch.changed(_LOOK_S):
                self._tell()

    def _tell(self) -> None:
        told, self._next = self._next, asyncio.Event()
        told.set()

    def _on_end(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the store is not watched any more: %s", error)
            self.end()


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait((task,))  # what it ended with is told by _on_end
