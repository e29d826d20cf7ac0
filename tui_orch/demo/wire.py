"""HTTP on loopback for the scripted model: reads requests within bounds, writes answers; decides nothing.

Silent in normal operation: a client that leaves in the middle is ``Gone``, not an error. Every thread and
connection is ended by ``stop``.
"""

import json
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Protocol

from tui_orch.demo.answer import Event, error_body, event_bytes, events
from tui_orch.demo.conversation import BadBodyError, Conversation, read_conversation

MAX_BODY_BYTES = 32 * 1024 * 1024  # what the real API takes at most
#: Between the last event of a stream and its cut. A client that meets both at once forgets what it has just read.
CUT_PAUSE_S = 0.2
IDLE_S = 600.0  # a connection on which nothing comes for so long is closed


class Gone(Exception):
    """The client has left before it was answered."""


class Talk(Protocol):
    """What answers conversations, and is told of every other request before that is answered here."""

    def converse(self, said: Conversation, exchange: "Exchange") -> None:
        """Answer a conversation by one of the exchange's ``send_`` methods."""

    def pass_over(self, what: Literal["utility", "rejected"], status: int, session: str | None) -> None:
        """Take note of a request that is no conversation."""


class _Refused(Exception):
    """The request at hand gets an error of the API for an answer."""

    def __init__(self, status: int, kind: str, why: str) -> None:
        super().__init__(why)
        self.status, self.kind = status, kind


class LoopbackServer(ThreadingHTTPServer):
    """Listens on 127.0.0.1 and lets ``talk`` answer conversations, each connection in a thread of its own."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, port: int, talk: Talk) -> None:
        self.talk = talk
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Exchange)

    @property
    def url(self) -> str:
        """The address, without a path."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def serve(self) -> None:
        """Serve until ``stop``."""
        self.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """Take no more connections, close the open ones, and wait for their threads."""
        self.shutdown()
        with self._lock:
            for connection in self._open:
                _hang_up(connection)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection until it is closed."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave out what only says that a client has left."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError | Gone):
            super().handle_error(request, client_address)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster


class Exchange(BaseHTTPRequestHandler):
    """One connection: takes one request after the other."""

    server: LoopbackServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_S

    #: Of the request at hand.
    session: str | None = None
    model = ""
    _streams = False

    def do_HEAD(self) -> None:
        """Claude Code's look whether anybody is there."""
        self._send_head(200, {"Content-Length": "0"})

    def do_GET(self) -> None:
        """Nothing is to be had by GET."""
        self.send_json(404, error_body("not_found_error", f"{self.path}: no such resource"))

    def do_POST(self) -> None:
        """A conversation, a count of its tokens, or something else that is refused."""
        self.session = self.headers.get("X-Claude-Code-Session-Id")
        path = self.path.split("?", 1)[0]
        try:
            raw = self._body()
            if path == "/v1/messages":
                said = self._conversation(raw)
            elif path == "/v1/messages/count_tokens":
                self.server.talk.pass_over("utility", 200, self.session)
                self.send_json(200, {"input_tokens": max(1, len(raw) // 4)})
                return
            else:
                raise _Refused(404, "not_found_error", f"{path}: no such resource")
        except _Refused as refusal:
            self.server.talk.pass_over("rejected", refusal.status, self.session)
            self.send_json(refusal.status, error_body(refusal.kind, str(refusal)))
            return
        self.server.talk.converse(said, self)

    def send_message(self, whole: Mapping[str, Any]) -> None:
        """Answer with a message, streamed where the client asked for it. Raises Gone."""
        if self._streams:
            self.send_events(events(whole))
        else:
            self.send_json(200, whole)

    def send_events(self, stream: Sequence[Event], *, cut: bool = False) -> None:
        """Stream events; ``cut``: then break off without the end of the stream. Raises Gone."""
        self._send_head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
        for event in stream:
            line = event_bytes(event)
            self._send(b"%x\r\n%s\r\n" % (len(line), line))
        if cut:
            time.sleep(CUT_PAUSE_S)
            self.close_connection = True
        else:
            self._send(b"0\r\n\r\n")

    def send_json(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        """Answer with a JSON body. Raises Gone."""
        line = json.dumps(body).encode()
        self._send_head(
            status, {"Content-Type": "application/json", "Content-Length": str(len(line)), **(headers or {})}
        )
        self._send(line)

    def client_left(self) -> bool:
        """Whether the client has closed its side."""
        look = select.poll()
        look.register(self.connection, select.POLLIN)
        return bool(look.poll(0)) and _peek(self.connection) == b""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class calls it so
        """Say nothing: what happened stands in the journal."""

    def _body(self) -> bytes:
        """The whole body. Raises _Refused, and Gone where the client left in the middle of it."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True  # what the client sends now is not read
            raise _Refused(413, "request_too_large", f"a body of at most {MAX_BODY_BYTES} bytes, with its length")
        raw = self.rfile.read(int(length))
        if len(raw) < int(length):
            raise Gone
        return raw

    def _conversation(self, raw: bytes) -> Conversation:
        try:
            body = json.loads(raw)
            if not isinstance(body, dict):
                msg = "the body: a JSON object is needed"
                raise BadBodyError(msg)
            said = read_conversation(body)
        except (ValueError, RecursionError) as error:  # BadBodyError, broken JSON, broken UTF-8
            raise _Refused(400, "invalid_request_error", str(error)) from error
        self.model, self._streams = str(body.get("model", "")), body.get("stream") is True
        return said

    def _send_head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        with _client_may_leave():
            self.end_headers()

    def _send(self, part: bytes) -> None:
        with _client_may_leave():
            self.wfile.write(part)


@contextmanager
def _client_may_leave() -> Iterator[None]:
    try:
        yield
    except (ConnectionError, TimeoutError) as error:
        raise Gone from error


def _peek(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1, socket.MSG_PEEK)
    except ConnectionError:
        return b""
