"""Runs a supervisor in this process: owns the store, the signals and the log; the work is in ``loop``."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from store.database import Store
from store.home import FILE_MODE, Home
from store.queue import has_open_jobs
from tui_orch.supervisor.launcher import Launcher, LocalLauncher
from tui_orch.supervisor.loop import Supervisor, wall_clock_ms
from tui_orch.supervisor.ownership import SupervisorError, own
from tui_orch.worker.remote import CONFIG
from tui_orch.worker.subreaper import become_subreaper

if TYPE_CHECKING:
    from tui_orch.worker.remote.config import LauncherConfig

LOG_BYTES = 10_000_000
#: Seconds between two looks whether the supervisor that holds the store has ended.
_LOOK_FOR_PLACE_S = 1.0
log = logging.getLogger("tui_orch.supervisor")


def supervise(
    home: Home, *, exit_when_idle_s: float | None = None, log_to_stderr: bool = True, launcher: str | None = None
) -> int:
    """Look after the store until SIGTERM or SIGINT, or until nothing was left to do for ``exit_when_idle_s``.

    Workers outlive it. ``launcher`` comes before the kind in the store's ``config.toml``. Return 0. Raises
    SupervisorError if another holds the store, StoreUnusable, BadInput for what that file says.
    """
    with Store.open(home) as store:
        config = _config(home, launcher)  # before anybody is told that there is a supervisor
        _log_to(home, to_stderr=log_to_stderr)
        become_subreaper()  # what a killed worker leaves comes to us, to be ended
        while True:
            with own(home, wall_clock_ms()):
                ended_by_signal = asyncio.run(_supervise(store, exit_when_idle_s, config))
            # Whoever submitted while we were about to go has seen us still there, and started no other.
            with store.read() as reader:
                if ended_by_signal or not has_open_jobs(reader):
                    return 0


async def supervise_beside(
    home: Home, stop: asyncio.Event, say: Callable[[str], None], config: "LauncherConfig | None" = None
) -> None:
    """Look after the store until ``stop`` is set, beside other work of this process.

    Where another supervisor holds the store, that is said once, and this one takes its place when it ends. For the
    main thread. ``config``: where workers run; None: here. Raises StoreUnusable.
    """
    become_subreaper()
    said = False
    with Store.open(home) as store:
        while not stop.is_set():
            try:
                with own(home, wall_clock_ms()):
                    _log_to(home, to_stderr=True)  # not before: two processes would rotate one file
                    await _supervise_until(store, stop, None, config)
            except SupervisorError as error:
                if not said:
                    say(f"{error}; until it ends it goes on looking after the store")
                said = True
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_FOR_PLACE_S):
                        await stop.wait()


async def _supervise(store: Store, exit_when_idle_s: float | None, config: "LauncherConfig | None") -> bool:
    stop = asyncio.Event()
    stop_on_signals(stop)
    await _supervise_until(store, stop, exit_when_idle_s, config)
    return stop.is_set()


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set ``stop`` at SIGTERM and SIGINT. For the main thread, in its event loop."""

    def ask(name: str) -> None:
        log.info("%s: ending; workers go on", name)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask, number.name)


async def _supervise_until(
    store: Store, stop: asyncio.Event, exit_when_idle_s: float | None, config: "LauncherConfig | None"
) -> None:
    launcher = _launcher(store, config)
    supervisor = Supervisor(store, launcher, exit_when_idle_s=exit_when_idle_s)

    async def obey() -> None:
        await stop.wait()
        supervisor.stop()

    obeying = asyncio.create_task(obey())
    log.info("supervising %s", store.home.root)
    try:
        await supervisor.run()
    finally:
        obeying.cancel()
        await asyncio.wait((obeying,))
        launcher.close()


def _config(home: Home, kind: str | None) -> "LauncherConfig | None":
    """Return what there is to know of other machines; None: workers run on this one. Raises BadInput."""
    if kind in {None, "local"} and not (home.root / CONFIG).exists():
        return None
    from tui_orch.worker.remote.config import read_config  # noqa: PLC0415 - most stores have no cluster

    return read_config(home, kind)


def _launcher(store: Store, config: "LauncherConfig | None") -> Launcher:
    if config is None:
        return LocalLauncher(store.home, store.store_id)
    from tui_orch.supervisor.engines.making import make_launcher  # noqa: PLC0415 - as above

    return make_launcher(config, store.home, store)


class _FormattedOnce(logging.Formatter):
    """Formats a record once, whoever asks: the file asks twice, before it looks at its size and to write, and stderr again."""

    def format(self, record: logging.LogRecord) -> str:
        if "line" not in record.__dict__:
            record.__dict__["line"] = super().format(record)
        return str(record.__dict__["line"])


def _log_to(home: Home, *, to_stderr: bool) -> None:
    home.supervisor_log.touch(mode=FILE_MODE)
    handlers: list[logging.Handler] = [RotatingFileHandler(home.supervisor_log, maxBytes=LOG_BYTES, backupCount=1)]
    if to_stderr:
        handlers.append(logging.StreamHandler(sys.stderr))
    form = _FormattedOnce("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    form.converter = time.gmtime
    log.handlers.clear()
    for handler in handlers:
        handler.setFormatter(form)
        log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
