"""Runs the API in a thread of its own, so that nothing that a supervisor does in the main thread keeps a caller waiting.

Owns the listening socket, the thread, and the note ``api.json`` that tells clients where the server is. Takes no signals.
"""

import asyncio
import ipaddress
import json
import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn

from store.home import Home, write_private
from tui_orch.api.app import make_app
from tui_orch.api.feed import Feed
from tui_orch.api.rates import Rates
from tui_orch.api.stores import Stores
from tui_orch.api.tls import Tls
from tui_orch.worker.remote.claimed import NodeTerms

log = logging.getLogger("tui_orch.api")

#: Seconds that open calls have at the end.
GRACE_S = 3
_START_S = 15.0


class ServerError(Exception):
    """The server can not run; ``str(error)`` is one line that says why."""


class Server:
    """``with Server(home, host, port) as server:`` serves while the block runs."""

    def __init__(
        self,
        home: Home,
        host: str = "127.0.0.1",
        port: int = 8000,
        *,
        more_hosts: tuple[str, ...] = (),
        tls: Tls | None = None,
        rates: Rates | None = None,
        nodes: NodeTerms | None = None,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        self._home = home
        self._host = host
        self._port = port
        self._more_hosts = more_hosts
        self._tls = tls
        self._rates = rates
        self._nodes = nodes
        self._on_end = on_end
        self._started = threading.Event()
        self._thread: threading.Thread | None = None
        self._stores: Stores | None = None
        self._uvicorn: uvicorn.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._feed: Feed | None = None
        #: Where it serves, such as ``http://127.0.0.1:8000``; known once it is entered.
        self.url = ""

    @property
    def note(self) -> str:
        """What the note says."""
        return json.dumps({"url": self.url, "pid": os.getpid()}) + "\n"

    def __enter__(self) -> Self:
        if self._tls is not None:
            try:
                self._tls.check()
            except ValueError as error:
                raise ServerError(str(error)) from error
        listener = _listen(self._host, self._port)
        self._port = int(listener.getsockname()[1])
        self.url = f"{'http' if self._tls is None else 'https'}://{_in_url(self._host)}:{self._port}"
        try:
            self._stores = Stores.open(self._home)
        except BaseException:
            listener.close()
            raise
        self._thread = threading.Thread(target=self._run, args=(listener, self._stores), name="orch api")
        self._thread.start()
        if not self._started.wait(_START_S) or self._uvicorn is None or not self._uvicorn.started:
            self._stop()
            raise ServerError(f"the API did not come up at {self.url}; its log says why")
        write_private(note_path(self._home), self.note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        path = note_path(self._home)
        with suppress(OSError):  # it is for others to find us; another server's is left alone
            if path.read_text("utf-8") == self.note:
                path.unlink()
        self._stop()

    def _stop(self) -> None:
        if self._loop is not None and self._uvicorn is not None:
            with suppress(RuntimeError):  # its loop has ended by itself
                self._loop.call_soon_threadsafe(self._end)
        if self._thread is not None:
            self._thread.join()
        if self._stores is not None:
            self._stores.close()

    def _end(self) -> None:
        assert self._uvicorn is not None
        assert self._feed is not None
        self._feed.end()
        self._uvicorn.should_exit = True

    def _run(self, listener: socket.socket, stores: Stores) -> None:
        try:
            with listener:
                asyncio.run(self._serve(listener, stores))
        finally:
            self._started.set()
            if self._on_end is not None:
                self._on_end()

    async def _serve(self, listener: socket.socket, stores: Stores) -> None:
        self._loop = asyncio.get_running_loop()
        self._feed = Feed(self._home)
        app = make_app(stores, self._feed, hosts=self._hosts(), rates=self._rates, nodes=self._nodes)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,  # addresses may hold what is nobody's business
            server_header=False,
            proxy_headers=False,
            ws="none",
            http="h11",
            loop="asyncio",
            lifespan="on",
            timeout_graceful_shutdown=GRACE_S,
            ssl_certfile=None if self._tls is None else self._tls.certificate,
            ssl_keyfile=None if self._tls is None else self._tls.key,
        )
        self._uvicorn = _Uvicorn(config, self._started)
        await self._uvicorn.serve(sockets=[listener])

    def _hosts(self) -> set[str]:
        names = {"127.0.0.1", "localhost", "[::1]", _in_url(self._host).lower(), *map(str.lower, self._more_hosts)}
        return {f"{name}:{self._port}" for name in names} | (
            names if self._port == (80 if self._tls is None else 443) else set()
        )


class _Uvicorn(uvicorn.Server):
    """Says when it has started."""

    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self._has_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._has_started.set()


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches a server at ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def note_path(home: Home) -> Path:
    """Return the file that tells where the store's server is."""
    return home.root / "api.json"


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; it takes no connection before the server runs. Raises ServerError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise ServerError(
            f"cannot listen at {host}, port {port}: {error.strerror or error}; give another --port, or 0 for any"
        ) from error


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
