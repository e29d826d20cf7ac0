"""The server and the supervisor side by side: the one in a thread of its own, the other in the main thread.

SIGTERM and SIGINT end both; workers go on.
"""

import asyncio
import logging
import os
import sys
import traceback
from typing import Any

from store.home import Home
from tui_orch.api.server import Server
from tui_orch.api.tls import Tls
from tui_orch.cli.exits import tell
from tui_orch.supervisor.main import stop_on_signals, supervise_beside
from tui_orch.worker.remote.claimed import NodeTerms
from tui_orch.worker.remote.config import read_config

#: Tells workers, and clients inside them, where the server is.
API_URL = "ORCHESTRATOR_API_URL"


def serve(
    home: Home,
    host: str,
    port: int,
    more_hosts: tuple[str, ...],
    tls: Tls | None = None,
    launcher: str | None = None,
) -> None:
    """Serve and supervise until a signal comes. Raises ServerError, StoreUnusable, BadInput."""
    _log_to_stderr()
    asyncio.run(_serve(home, host, port, more_hosts, tls, launcher))


async def _serve(
    home: Home, host: str, port: int, more_hosts: tuple[str, ...], tls: Tls | None, launcher: str | None
) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    loop = asyncio.get_running_loop()

    def on_end() -> None:
        loop.call_soon_threadsafe(stop.set)

    config = read_config(home, launcher)
    far = config.kind != "local"
    nodes = NodeTerms(config.lease_s, config.work, config.git_remote) if far else None
    # Entering waits a moment for the other thread, and leaving for open calls: nothing else runs here then.
    with Server(home, host, port, more_hosts=more_hosts, tls=tls, nodes=nodes, on_end=on_end) as server:
        os.environ[API_URL] = server.url
        print(f"orch api at {server.url}", flush=True)
        await supervise_beside(home, stop, tell, config)


class _WithoutValues(logging.Formatter):
    """Tells where an error happened and of what kind it is; its text may hold a part of a body."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name that logging calls
        kind, _, trace = ei
        return "".join([*traceback.format_tb(trace), getattr(kind, "__name__", "")])


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_WithoutValues("orch: %(message)s"))
    for name in ("tui_orch.api", "uvicorn.error"):
        log = logging.getLogger(name)
        log.addHandler(handler)
        log.setLevel(logging.WARNING)
        log.propagate = False
