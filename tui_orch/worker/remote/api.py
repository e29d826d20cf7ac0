"""The calls of a worker on another machine to the API, made again until they are answered. Knows no step and no file.

What the API says no to is raised as the store would have raised it. One object serves all threads of the worker.
"""

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import httpx

from store.errors import (
    BadInput,
    IllegalChange,
    LimitExceeded,
    NotAllowed,
    NotFound,
    Refused,
    StaleAttempt,
    StoreBusy,
    StoreError,
)
from tui_orch.client.api_errors import Answer, OrchestratorError, RecursionDepthError, TryAgain, read
from tui_orch.client.api_errors import LimitExceeded as ApiLimitExceeded
from tui_orch.client.api_place import PREFIX, is_loopback

#: Seconds between two tries: the first and the longest pause.
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 3.0
CONNECT_S = 5.0
ANSWER_S = 30.0
#: Seconds for which a call is tried. The lease's end comes before, for whoever has one.
PATIENCE_S = 900.0


class AttemptApi:
    """The API at ``url`` (https, or plain http), opened by a token."""

    def __init__(self, url: str, token: str, ca_file: str | None = None) -> None:
        """``ca_file``: who has signed the server's certificate, if that is not one that this machine knows."""
        self._url = url.rstrip("/")
        context = ssl.create_default_context(cafile=ca_file) if url.startswith("https:") else False
        timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
        self._http = httpx.Client(trust_env=not is_loopback(url), verify=context, timeout=timeout)
        self._token = token
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where the API is."""
        return self._url

    def use_token(self, token: str) -> None:
        """Call with another token from now on."""
        self._token = token

    def post(self, path: str, body: Mapping[str, Any] | None = None, patience_s: float = PATIENCE_S) -> Any:
        """Call and return the answer. Raises StoreError; StoreBusy: nothing has answered for so long."""
        return self._call("POST", path, body, patience_s)[0]

    def post_timed(
        self, path: str, body: Mapping[str, Any] | None = None, patience_s: float = PATIENCE_S
    ) -> tuple[Any, float]:
        """Do as ``post``; return with the answer when the try began that was answered (monotonic, s)."""
        return self._call("POST", path, body, patience_s)

    def get(self, path: str, patience_s: float = PATIENCE_S) -> Any:
        """Ask and return the answer; raises as ``post``."""
        return self._call("GET", path, None, patience_s)[0]

    def close(self) -> None:
        """End calls that are tried again, and close the line."""
        self._closed.set()
        self._http.close()

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None, patience_s: float) -> tuple[Any, float]:
        asked_at = time.monotonic()
        until, pause_s = asked_at + patience_s, FIRST_PAUSE_S
        while isinstance(found := self._try(method, path, body), TryAgain):
            pause_s = max(pause_s, found.after_s or 0)
            if time.monotonic() + pause_s > until or self._closed.wait(pause_s):
                raise StoreBusy(found.why)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            asked_at = time.monotonic()
        return found, asked_at

    def _try(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        headers = {"X-API-Key": self._token, "Accept-Encoding": "identity"}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            answer = self._http.request(method, f"{self._url}{PREFIX}{path}", content=content, headers=headers)
        except httpx.RequestError as error:
            return TryAgain(f"nothing answers at {self._url} ({str(error) or type(error).__name__})")
        except RuntimeError as error:  # closed by another thread
            raise StoreBusy(str(error)) from error
        return _read(Answer(answer.status_code, answer.headers, answer.content, self._url))


def _read(answer: Answer) -> Any:
    try:
        return read(answer)
    except OrchestratorError as error:
        raise _as_of_store(error) from error


def _as_of_store(error: OrchestratorError) -> StoreError:
    """Return what the store would have raised."""
    said = str(error)
    match error:
        case RecursionDepthError():
            return LimitExceeded(said, "max_depth")
        case ApiLimitExceeded():
            return LimitExceeded(said, error.limit)
    if error.code == "refused":
        return Refused(said)
    kinds: Mapping[int | None, Callable[[str], StoreError]] = {
        401: StaleAttempt,
        403: NotAllowed,
        404: NotFound,
        409: IllegalChange,
    }
    return kinds.get(error.http_status, BadInput)(said)
