"""What every call passes before anything looks at it: host, origin, size, form, who calls, how often. Pure ASGI.

A page in a browser can reach a loopback port: so the host must be ours to the letter, and whatever carries an Origin is
refused. Never logs, and never hands on a body that it has not read to its end.
"""

import json
from collections.abc import Iterable
from typing import Any

from anyio.to_thread import run_sync
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from store.errors import StoreError
from tui_orch.api.callers import Caller, caller_of, not_authenticated
from tui_orch.api.problems import Refusal, answer_to
from tui_orch.api.rates import Rates
from tui_orch.api.stores import Stores
from tui_orch.client.measures import now_ms

MAX_BODY_BYTES = 2_097_152
#: So much of a body that is too large is read and thrown away, so that its sender gets to see the answer.
MAX_DRAINED_BYTES = 67_108_864
#: What needs no key: whether the server lives, and what it understands.
OPEN_PATHS = frozenset({"/api/v1/health", "/openapi.json"})
#: The bucket of all who have not said who they are.
NOBODY = "nobody"
#: Where in an ASGI scope the caller stands.
CALLER = "tui_orch.caller"

_ADDED = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Guards:
    """Wraps the app. ``hosts`` are the values of Host that are ours, in lower case."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], stores: Stores, rates: Rates) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._stores = stores
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the call through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ADDED.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            body = await self._checked(scope, receive)
        except (Refusal, StoreError) as error:
            await answer_to(error)(scope, receive, send_with_headers)
            return
        if body is not None:
            await self._app(scope, _replayed(body, receive), send_with_headers)

    async def _checked(self, scope: Scope, receive: Receive) -> bytes | None:
        """Return the whole body of a call that may go on, None if its sender has gone. Raises Refusal, StoreError."""
        headers = Headers(scope=scope)
        if [host.lower() for host in headers.getlist("host")] not in [[host] for host in self._hosts]:
            raise Refusal(
                421, "wrong_host", "the Host of this call is not that of this server; use the address that it printed"
            )
        if "origin" in headers:
            raise Refusal(403, "origin", "calls from a web page (with an Origin) are refused; call from a program")
        body = await _body(headers, receive)
        if body is None:
            return None
        if body:
            _check_json(headers, body)
        await self._admit(scope, headers)
        return body

    async def _admit(self, scope: Scope, headers: Headers) -> None:
        if scope["path"] in OPEN_PATHS:
            self._count(NOBODY)
            return
        try:
            caller = await self._caller(headers)
        except Refusal:
            self._count(NOBODY)
            raise
        self._count(caller.name)
        scope[CALLER] = caller

    async def _caller(self, headers: Headers) -> Caller:
        secret = _secret(headers)

        def look() -> Caller:
            with self._stores.read() as reader:
                return caller_of(reader, secret, now_ms())

        return await run_sync(look)

    def _count(self, caller: str) -> None:
        wait_s = self._rates.take(caller)
        if wait_s:
            raise Refusal(429, "too_many", f"too many calls; try again in {wait_s} s", {"Retry-After": str(wait_s)})


def _secret(headers: Headers) -> str:
    given = [value.strip() for value in headers.getlist("x-api-key")]
    for value in headers.getlist("authorization"):
        scheme, _, secret = value.strip().partition(" ")
        given.append(secret.strip() if scheme.lower() == "bearer" else "")
    if len(set(given)) != 1 or not given[0]:
        said = "no key is given" if not any(given) else "more than one key is given"
        raise not_authenticated(f"{said}; send one in the header X-API-Key, made with: orch key new NAME")
    return given[0]


async def _body(headers: Headers, receive: Receive) -> bytes | None:
    declared = headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MAX_DRAINED_BYTES:
        raise _too_large()
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size <= MAX_BODY_BYTES:
            pieces.append(piece)
        else:
            pieces.clear()
        if not message.get("more_body", False) or size > MAX_DRAINED_BYTES:
            break
    if size > MAX_BODY_BYTES:
        raise _too_large()
    return b"".join(pieces)


def _too_large() -> Refusal:
    return Refusal(413, "too_large", f"the body is too large; allowed: {MAX_BODY_BYTES} bytes")


def _check_json(headers: Headers, body: bytes) -> None:
    kind, _, parameters = headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf-8", "charset=utf8"):
        raise Refusal(415, "json_only", "a body must be JSON in UTF-8; send it with Content-Type: application/json")
    try:
        json.loads(body.decode(), object_pairs_hook=_each_key_once, parse_constant=_no_constant)
    except RecursionError as error:
        raise _malformed("it is nested too deep") from error
    except json.JSONDecodeError as error:
        raise _malformed(f"{error.msg} (line {error.lineno}, column {error.colno})") from error
    except UnicodeDecodeError as error:
        raise _malformed(f"byte {error.start} is not UTF-8") from error
    except ValueError as error:
        raise _malformed(str(error)) from error


def _malformed(why: str) -> Refusal:
    return Refusal(400, "malformed", f"the body is not JSON that can be read: {why}")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key is given twice in one object; keep one")
    return values


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
