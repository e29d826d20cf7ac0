"""A wire between a client and a server that can lose answers: the call arrives, what comes back does not."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


class LossyWire:
    """Hands bytes on in both directions. ``calls`` are the first lines of what went to the server."""

    def __init__(self, server: str) -> None:
        self._to = urlsplit(server).port or 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self.calls: list[str] = []
        self._lose = ""
        self.lost = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def lose_the_answer_to(self, beginning: str) -> None:
        """Let the next call that begins so be heard, and its answer get lost."""
        self.lost.clear()
        self._lose = beginning

    def cut(self) -> None:
        """Take no more, and end."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._to)) as server:
            loses = False
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = _received(ready)
                    if not data or (loses and ready is server):
                        if loses:
                            self.lost.set()
                        return
                    if ready is client:
                        loses = self._note(data, loses)
                        # The server answers to its own name only.
                        data = data.replace(f":{self._port}\r\n".encode(), f":{self._to}\r\n".encode())
                    (server if ready is client else client).sendall(data)

    def _note(self, data: bytes, loses: bool) -> bool:
        """Return whether the answer to the call that ``data`` begins, or goes on with, is to get lost."""
        line = data.partition(b"\r\n")[0].decode("latin-1")
        if not line.endswith("HTTP/1.1"):
            return loses
        self.calls.append(line.removesuffix(" HTTP/1.1"))
        loses = bool(self._lose) and line.startswith(self._lose)
        if loses:
            self._lose = ""
        return loses


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(65_536)
    except ConnectionError:
        return b""


@contextmanager
def lossy_wire(server: str) -> Iterator[LossyWire]:
    wire = LossyWire(server)
    try:
        yield wire
    finally:
        wire.cut()
