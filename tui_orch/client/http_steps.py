"""Does the steps of a conversation with the API (see ``api_steps``) over HTTP: once with an event loop, once without.

Decides nothing: what to send and what an answer means is said elsewhere. A line lives for one conversation, so it leaves
no open connection behind, and belongs to no thread and no event loop but that which made it. The key goes to the API
alone: no redirect is followed, and calls to this machine pass no proxy.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from tui_orch.client.api_errors import Answer
from tui_orch.client.api_place import PREFIX, Place, is_loopback
from tui_orch.client.api_steps import Call, HangUp, Hear, Heard, Listen, Lost, Pause, Step

CONNECT_S = 5.0


class Line:
    """A line without an event loop; a context manager."""

    def __init__(self, place: Place, key: str) -> None:
        self._place = place
        self._key = key
        self._url = ""
        self._http: httpx.Client | None = None
        self._stream: httpx.Response | None = None
        self._chunks: Iterator[bytes] = iter(())

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave no connection open; a step after that makes a new one."""
        self._hang_up()
        if self._http is not None:
            self._http.close()
            self._http = None

    def do(self, step: Step) -> Heard:
        """Do one step and return what came of it."""
        try:
            match step:
                case Call():
                    return _answer(self._client().request(**_arguments(step, self._url, self._key)), self._url)
                case Listen(call):
                    return self._listen(call)
                case Hear():
                    return next(self._chunks, None)
                case HangUp():
                    self._hang_up()
                case Pause(seconds):
                    time.sleep(seconds)
        except httpx.RequestError as error:
            return _lost(error, self._place)
        return None

    def _client(self) -> httpx.Client:
        if self._http is None or self._url != self._place.url:
            self._hang_up()
            if self._http is not None:
                self._http.close()
            self._url = self._place.url
            self._http = httpx.Client(**_ways(self._url))
        return self._http

    def _listen(self, call: Call) -> Answer:
        self._hang_up()
        http = self._client()
        self._stream = http.send(http.build_request(**_arguments(call, self._url, self._key)), stream=True)
        if self._stream.status_code != 200:
            self._stream.read()
            return _answer(self._stream, self._url)
        self._chunks = self._stream.iter_bytes()
        return Answer(self._stream.status_code, self._stream.headers, b"", self._url)

    def _hang_up(self) -> None:
        self._chunks = iter(())
        if self._stream is not None:
            self._stream.close()
            self._stream = None


class AsyncLine:
    """A line in an event loop; an asynchronous context manager."""

    def __init__(self, place: Place, key: str) -> None:
        self._place = place
        self._key = key
        self._url = ""
        self._http: httpx.AsyncClient | None = None
        self._stream: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None

    async def __aenter__(self) -> "AsyncLine":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._hang_up()
        if self._http is not None:
            await self._http.aclose()

    async def do(self, step: Step) -> Heard:
        """Do one step and return what came of it."""
        try:
            match step:
                case Call():
                    http = await self._client()
                    return _answer(await http.request(**_arguments(step, self._url, self._key)), self._url)
                case Listen(call):
                    return await self._listen(call)
                case Hear():
                    return None if self._chunks is None else await anext(self._chunks, None)
                case HangUp():
                    await self._hang_up()
                case Pause(seconds):
                    await asyncio.sleep(seconds)
        except httpx.RequestError as error:
            return _lost(error, self._place)
        return None

    async def _client(self) -> httpx.AsyncClient:
        if self._http is None or self._url != self._place.url:
            await self._hang_up()
            if self._http is not None:
                await self._http.aclose()
            self._url = self._place.url
            self._http = httpx.AsyncClient(**_ways(self._url))
        return self._http

    async def _listen(self, call: Call) -> Answer:
        await self._hang_up()
        http = await self._client()
        self._stream = await http.send(http.build_request(**_arguments(call, self._url, self._key)), stream=True)
        if self._stream.status_code != 200:
            await self._stream.aread()
            return _answer(self._stream, self._url)
        self._chunks = self._stream.aiter_bytes()
        return Answer(self._stream.status_code, self._stream.headers, b"", self._url)

    async def _hang_up(self) -> None:
        self._chunks = None
        if self._stream is not None:
            await self._stream.aclose()
            self._stream = None


def _ways(url: str) -> dict[str, Any]:
    """Return how a client reaches ``url``: on this machine without proxies, and without reading 40 ms of certificates."""
    on_this_machine = is_loopback(url)
    plain = on_this_machine and url.startswith("http:")
    return {"trust_env": not on_this_machine, "verify": not plain, "follow_redirects": False}


def _arguments(call: Call, url: str, key: str) -> dict[str, Any]:
    headers = {"X-API-Key": key, "Accept-Encoding": "identity", **call.headers}
    content = None
    if call.body is not None:
        # Escaped, so that half a UTF-16 pair reaches the API too, which says what is wrong with it.
        content = json.dumps(call.body).encode()
        headers["Content-Type"] = "application/json"
    return {
        "method": call.method,
        "url": url + PREFIX + call.path,
        "params": dict(call.query) or None,
        "content": content,
        "headers": headers,
        "timeout": httpx.Timeout(call.answer_s, connect=CONNECT_S),
    }


def _answer(response: httpx.Response, url: str) -> Answer:
    return Answer(response.status_code, response.headers, response.content, url)


def _lost(error: httpx.RequestError, place: Place) -> Lost:
    lost = Lost(f"nothing answers at {place.url} ({str(error) or type(error).__name__})")
    place.look_again()
    return lost
