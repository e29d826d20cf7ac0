"""The Jobs REST API of a Ray head, played from recorded answers: a job is pending, runs, and ends as its part says.

Its part is its claim code: ``fail``: exit 7; ``stay``: runs until it is stopped; any other: waits until a test says what is
recorded of it (`StandinRay.show`).
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.launchers.recorded_answers import ray

TOKEN = "of-the-cluster"
_NEXT = {
    ("fail", "get_pending"): "get_running",
    ("fail", "get_running"): "get_failed_exit7",
    ("stay", "get_pending"): "get_running",
}


class StandinRay:
    """``with StandinRay() as ray:`` answers at ``ray.address``."""

    def __init__(self, *, with_token: bool = False) -> None:
        self.with_token = with_token
        self.jobs: dict[str, str] = {}  # name: which record is its state
        self.submitted: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str]] = []
        #: Calls whose path begins so are answered with that record, whatever the state.
        self.instead: dict[tuple[str, str], str] = {}
        self._parts: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "StandinRay":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_answering()

    def stop_answering(self) -> None:
        """Refuse connections from now on."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def show(self, name: str, record: str) -> None:
        """Let a job be as recorded."""
        self.jobs[name] = record

    def _answer(self, method: str, path: str, token: str | None, body: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((method, path))
        if self.with_token and token != f"Bearer {TOKEN}":
            return ray("version_no_token" if token is None else "version_wrong_token")
        for (its_method, beginning), record in self.instead.items():
            if method == its_method and path.startswith(beginning):
                return ray(record)
        if path == "/api/version":
            return ray("version")
        assert path.startswith("/api/jobs/"), path
        name, _, verb = path.removeprefix("/api/jobs/").partition("/")
        if method == "POST":
            return self._stop(name) if verb == "stop" else self._submit(body)
        if not name:
            return self._list()
        return self._show(name)

    def _submit(self, body: dict[str, Any]) -> dict[str, Any]:
        known = set(ray("submit_ok")["request"]["body"]) | {"entrypoint_label_selector"}
        if not set(body) <= known:
            return ray("submit_unknown_field")
        if body["submission_id"] in self.jobs:
            return ray("submit_again_while_running")
        self.submitted.append(body)
        self.jobs[body["submission_id"]] = "get_pending"
        self._parts[body["submission_id"]] = body["runtime_env"]["env_vars"]["ORCH_CLAIM_CODE"]
        return ray("submit_ok", body["submission_id"])

    def _show(self, name: str) -> dict[str, Any]:
        record = self.jobs.get(name)
        if record is None:
            return ray("get_unknown")
        self.jobs[name] = _NEXT.get((self._parts.get(name, ""), record), record)
        return ray(record, name)

    def _list(self) -> dict[str, Any]:
        answer = ray("list_many")  # of other people's jobs, all of which are in the list, too
        answer["answer"] += [self._show(name)["answer"] for name in list(self.jobs)]
        return answer

    def _stop(self, name: str) -> dict[str, Any]:
        record = self.jobs.get(name)
        if record is None:
            return ray("stop_unknown")
        if record == "get_running":
            self.jobs[name] = "get_stopped"
            return ray("stop_running")
        return ray("stop_pending" if record == "get_pending" else "stop_when_ended")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._do()

            def do_POST(self) -> None:
                self._do()

            def _do(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else {}
                found = standin._answer(self.command, self.path, self.headers.get("Authorization"), body)
                answer = found["answer"]
                text = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
                self.send_response(found["status"])
                self.send_header("Content-Type", found["content_type"])
                self.send_header("Content-Length", str(len(text)))
                self.send_header("Connection", "close")  # so that nobody answers any more when this has stopped
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that is called
                pass

        return Handler
