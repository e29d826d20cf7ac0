"""Waiting, in an event loop, until the store changes: asleep while nothing happens, awake within milliseconds.

The truth is ``PRAGMA data_version`` on one connection that stays open. Everything else only says when to
look: file events on the store's folder, the wake-up socket for the one who may listen, a look every second in
any case. It never reads rows, and knows not what has changed.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from socket import socket
from types import TracebackType
from typing import Self

from store import wake
from store.home import Home
from tui_orch.client.file_events import FileEvents, file_events

#: Seconds between looks when nothing at all has been heard.
IDLE_S = 1.0
#: Seconds between looks where many changes come, or where the system gives no file events.
BUSY_S = 0.05
#: A file event comes before its commit can be seen (usually 3 ms, at times 30): look again and again for so
#: long.
RECHECK_FOR_S = 0.5
RECHECK_FIRST_S = 0.002
RECHECK_LONGEST_S = 0.033

#: So many changes within one second make it busy; half a second without one makes it calm again.
BUSY_CHANGES = 20
BUSY_WITHIN_S = 1.0
CALM_AFTER_S = 0.5


def pause(event_age_s: float, *, busy: bool, blind: bool) -> float:
    """Return the seconds until the next look at the version, if nothing wakes us before.

    ``event_age_s``: since the last file event; ``busy``: changes come in a flood; ``blind``: there are no
    file events.
    """
    if busy or blind:
        return BUSY_S
    if event_age_s < RECHECK_FOR_S:
        return min(max(event_age_s, RECHECK_FIRST_S), RECHECK_LONGEST_S)
    return IDLE_S


class StoreWatch:
    """``async with StoreWatch(home, store.data_version) as watch: ... await watch.changed(timeout_s)``.

    For one task of one event loop. ``listen=True`` also takes the store's wake-up socket: for the supervisor
    alone.
    """

    def __init__(self, home: Home, data_version: Callable[[], int], *, listen: bool = False) -> None:
        self._home = home
        self._data_version = data_version
        self._listen = listen
        self._seen = data_version()
        self._touched = asyncio.Event()
        self._interrupted = False
        self._files: FileEvents | None = None
        self._socket: socket | None = None
        self._busy = False
        self._event_at = float("-inf")
        self._looked_at = float("-inf")
        self._changes: deque[float] = deque(maxlen=BUSY_CHANGES)
        #: Why there are no file events (out of inotify watches, ...), or None. The version is polled instead.
        self.blind: str | None = None
        #: Why the wake-up socket could not be made, or None. File events do its work, some milliseconds
        #: later.
        self.deaf: str | None = None

    async def __aenter__(self) -> Self:
        if self._listen:
            try:
                self._socket = wake.listen(self._home.wake_socket)
            except OSError as error:
                self.deaf = str(error)
            else:
                asyncio.get_running_loop().add_reader(self._socket, self._on_poke)
        database = self._home.database.name
        try:  # the folder, because the -wal comes and goes
            self._files = file_events(
                self._home.root, (database, f"{database}-wal"), self._on_event, self._on_no_events
            )
        except OSError as error:
            self._on_no_events(error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._home.wake_socket.unlink(missing_ok=True)
            self._socket = None
        if self._files is not None:
            await self._files.close()
            self._files = None

    async def changed(self, timeout_s: float) -> bool:
        """Wait until the store has changed since the last True; False after ``timeout_s`` seconds without a change.

        The first call compares with the moment at which this object was made. Read the store after a True, or
        before the first call: whatever is committed later gives a True of its own. While changes come in a
        flood, one True stands for all of the last 50 ms; a poke cuts that short. `interrupt` makes it return, too.
        """
        until = time.monotonic() + timeout_s
        await asyncio.sleep(0)  # in a flood nothing below waits, and other tasks must get a turn
        if self._busy:
            await self._sleep(min(self._looked_at + BUSY_S, until) - time.monotonic())
        while True:
            self._touched.clear()
            changed = self._look()
            if changed or self._interrupted:
                self._interrupted = False
                return changed
            now = time.monotonic()
            if now >= until:
                return False
            wait_s = pause(now - self._event_at, busy=self._busy, blind=self.blind is not None)
            await self._sleep(min(wait_s, until - now))

    def interrupt(self) -> None:
        """Let `changed` return, now or, where nobody waits, as soon as it is called: for what is no change of the store."""
        self._interrupted = True
        self._touched.set()

    def _look(self) -> bool:
        """Tell whether the version has moved, and notice when the changes become, or cease to be, a flood."""
        version = self._data_version()
        now = self._looked_at = time.monotonic()
        if version != self._seen:
            self._seen = version
            self._changes.append(now)
            if len(self._changes) == BUSY_CHANGES and now - self._changes[0] < BUSY_WITHIN_S:
                self._busy = True
            return True
        if self._busy and now - self._changes[-1] > CALM_AFTER_S:
            self._busy = False
            self._changes.clear()
        return False

    async def _sleep(self, seconds: float) -> None:
        """Wait for a file event or a poke, for at most so long. In a flood file events are left unread.

        They are heard here alone: while nobody waits, each would cost more than it tells.
        """
        if seconds <= 0:
            return
        files = None if self._busy else self._files
        if files is not None:
            files.resume()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._touched.wait()
        finally:
            if files is not None:
                files.pause()

    def _on_poke(self) -> None:
        if self._socket is not None:
            wake.drain(self._socket)
        self._touched.set()

    def _on_event(self) -> None:
        self._event_at = time.monotonic()
        self._touched.set()

    def _on_no_events(self, error: OSError | RuntimeError) -> None:
        self.blind = str(error)
        self._touched.set()
