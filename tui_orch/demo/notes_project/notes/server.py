"""HTTP: reads requests, lets ``routes`` answer them, and gives out the page. Knows no path of the API."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from . import routes
from .storage import NoteStore

STATIC = Path(__file__).parent / "static"
PAGES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
}
MAX_BYTES = 100_000


class NotesServer(ThreadingHTTPServer):
    """Listens on this machine only."""

    def __init__(self, port: int, store: NoteStore) -> None:
        self.store = store
        super().__init__(("127.0.0.1", port), Handler)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: NotesServer

    def do_GET(self) -> None:
        """A file of the page, or the API."""
        page = PAGES.get(urlsplit(self.path).path)
        if page:
            self._send(200, page[1], (STATIC / page[0]).read_bytes())
        else:
            self._api()

    def do_POST(self) -> None:
        """The API."""
        self._api()

    def do_PUT(self) -> None:
        """The API."""
        self._api()

    def do_DELETE(self) -> None:
        """The API."""
        self._api()

    def _api(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BYTES:
            self._json(413, {"error": f"at most {MAX_BYTES} bytes"})
            return
        try:
            data = json.loads(self.rfile.read(length)) if length else None
        except ValueError:
            self._json(400, {"error": "the body is no JSON"})
            return
        query = dict(parse_qsl(url.query))
        self._json(*routes.dispatch(self.server.store, self.command, url.path, query, data))

    def _json(self, status: int, data: object) -> None:
        self._send(status, "application/json", b"" if data is None else json.dumps(data).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing about requests that were answered."""
