"""What an attempt puts out, read from a server piece by piece: the form of `detail.source.Log` over HTTP.

Called in threads alone, but for ``close``. One call tells how much there is and brings what is new, so that a log at rest
costs a call now and then. A server that is away is no news: the header tells of it, and the log goes on when it is back.
"""

import threading
import time

from store.states import Kind
from tui_orch.client.api_errors import Answer, error_of, problem_of
from tui_orch.client.api_place import Place
from tui_orch.client.api_steps import Call
from tui_orch.client.http_steps import Line

#: Bytes that come with the answer how much there is.
AHEAD_BYTES = 65_536
#: Seconds until a log that was at rest is asked for again.
AGAIN_S = 0.5
ANSWER_S = 15.0
_STREAMS = {Kind.COMMAND: "output", Kind.CLAUDE: "transcript"}


class RemoteLog:
    """A `Log` of a job's attempt."""

    def __init__(self, place: Place, key: str, job_id: int, attempt: int, kind: Kind) -> None:
        self._line = Line(place, key)
        self._path = f"/jobs/{job_id}/logs/raw"
        self._query = {"attempt": str(attempt), "stream": _STREAMS[kind]}
        self._size: int | None = None
        self._at: int | None = None  # the end of what was read; None before
        self._ahead = b""  # what begins there
        self._asked_at = float("-inf")
        self._closed = threading.Event()
        self._lock = threading.Lock()

    def size(self) -> int | None:
        """See `Log.size`."""
        with self._lock:
            if time.monotonic() - self._asked_at >= AGAIN_S:
                piece = self._ask(self._at or 0, AHEAD_BYTES if self._at is not None else 0)
                if self._at is not None:
                    self._ahead = piece
                if not piece:
                    self._asked_at = time.monotonic()
            return self._size

    def read(self, start: int, most: int) -> bytes:
        """See `Log.read`."""
        with self._lock:
            known = start == self._at and bool(self._ahead)
            piece = self._ahead[:most] if known else self._ask(start, most)
            self._at, self._ahead = start + len(piece), b""
            self._asked_at = float("-inf")
            return piece

    def close(self) -> None:
        """See `Log.close`. Never waits for a call that is under way: that one lets go of the line itself."""
        self._closed.set()
        if self._lock.acquire(blocking=False):
            try:
                self._line.close()
            finally:
                self._lock.release()

    def _ask(self, start: int, most: int) -> bytes:
        """Return bytes, and keep how many there are. Nothing of a server that does not answer. Raises OSError."""
        if self._closed.is_set():
            return b""
        call = Call(
            "GET", self._path, query={**self._query, "offset": str(start), "limit": str(most)}, answer_s=ANSWER_S
        )
        answer = self._line.do(call)
        if self._closed.is_set():
            self._line.close()
            return b""
        if not isinstance(answer, Answer) or answer.status >= 500 or answer.status == 429:
            return b""
        if answer.status != 200 or "x-log-size" not in answer.headers:
            raise OSError(str(error_of(answer, problem_of(answer))))
        self._size = int(answer.headers["x-log-size"]) or None
        return answer.body
