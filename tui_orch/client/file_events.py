"""Tells an event loop that one of some files in a folder has changed: by inotify, elsewhere (macOS) by watchfiles.

Inotify costs nothing while nothing happens. Watchfiles wakes a thread every some milliseconds and brings anyio, so it is
imported only where it is needed. Never tells what has changed, and never polls the files: that loses changes.
"""

import asyncio
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

from tui_orch.client.inotify import Inotify

#: Milliseconds between two looks of watchfiles at its own list of events; each costs a wake-up of a thread.
STEP_MS = 10
_NO_TIMEOUT_MS = 0


class FileEvents(Protocol):
    """File events, heard between `resume` and `pause`; those that come in between wait, and are heard as one or a few."""

    def resume(self) -> None:
        """Hear them from now on."""
        ...

    def pause(self) -> None:
        """Leave what comes unread."""
        ...

    async def close(self) -> None:
        """Hear no more."""
        ...


def file_events(
    folder: Path, names: Collection[str], touched: Callable[[], None], failed: Callable[[OSError | RuntimeError], None]
) -> FileEvents:
    """Call ``touched`` in the running event loop whenever one of these files in ``folder`` may have changed.

    ``failed`` is called where events can not come any more. Raises OSError where they can not come at all: out of
    inotify watches, no such folder.
    """
    if Inotify.is_available():
        return _ByInotify(Inotify(folder, names), touched, failed)
    return _ByWatchfiles(folder, names, touched, failed)


class _ByInotify:
    def __init__(
        self, inotify: Inotify, touched: Callable[[], None], failed: Callable[[OSError | RuntimeError], None]
    ) -> None:
        self._inotify = inotify
        self._touched = touched
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._is_heard = False

    def pause(self) -> None:
        if self._is_heard:
            self._loop.remove_reader(self._inotify)
            self._is_heard = False

    def resume(self) -> None:
        if not self._is_heard and self._inotify.fileno() >= 0:
            self._loop.add_reader(self._inotify, self._take)
            self._is_heard = True

    async def close(self) -> None:
        self._end()

    def _take(self) -> None:
        try:
            touched = self._inotify.take()
        except OSError as error:
            self._end()
            self._failed(error)
            return
        if touched:
            self._touched()

    def _end(self) -> None:
        self.pause()
        self._inotify.close()


class _ByWatchfiles:
    def __init__(
        self,
        folder: Path,
        names: Collection[str],
        touched: Callable[[], None],
        failed: Callable[[OSError | RuntimeError], None],
    ) -> None:
        self._folder = folder
        self._names = frozenset(names)
        self._touched = touched
        self._failed = failed
        self._stop = asyncio.Event()
        self._go_on = asyncio.Event()
        self._task = asyncio.create_task(self._hear(), name="store file events")

    def pause(self) -> None:
        self._go_on.clear()

    def resume(self) -> None:
        self._go_on.set()

    async def close(self) -> None:
        self._stop.set()
        self._go_on.set()
        await self._task

    async def _hear(self) -> None:
        from watchfiles import awatch  # noqa: PLC0415 - see above

        try:
            async for _ in awatch(
                self._folder,
                watch_filter=lambda _, path: os.path.basename(path) in self._names,
                step=STEP_MS,
                stop_event=self._stop,
                rust_timeout=_NO_TIMEOUT_MS,
                debug=False,
                force_polling=False,
                recursive=False,
            ):
                self._touched()
                await self._go_on.wait()  # meanwhile events pile up unread, as one
        except (OSError, RuntimeError) as error:  # out of what the system has for this: watchfiles raises both
            self._failed(error)
