"""Errors as problem details (RFC 9457), in one shape: the one mapping of errors to HTTP, as ``cli/exits`` is to exit codes.

Shows where and what, never a body, a key or a traceback.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from store.errors import (
    BadInput,
    IllegalChange,
    LimitExceeded,
    NotAllowed,
    NotFound,
    StaleAttempt,
    StoreBusy,
    StoreError,
    StoreUnusable,
)
from tui_orch.request.errors import RequestError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
_MOST_WRONG = 10
_SHOWN_CHARS = 400

TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Not possible now",
    413: "Too large",
    415: "JSON only",
    421: "Wrong host",
    422: "Not of the right form",
    429: "Too many requests",
    500: "The server broke",
    503: "Not available now",
}


class Wrong(BaseModel):
    """One thing that is wrong with a request."""

    where: str
    what: str


class ProblemDetails(BaseModel):
    """An error. ``code`` is for programs, ``detail`` for people: what happened, where, what to do."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:tui-orch:max_depth",
                    "title": "Bad request",
                    "status": 400,
                    "detail": "Max recursion depth exceeded: job #12 is at depth 2, and max_recursion_depth is 2",
                    "code": "max_depth",
                    "limit": "max_depth",
                    "current_depth": 2,
                    "max_recursion_depth": 2,
                }
            ]
        },
    )

    type: str
    title: str
    status: int
    detail: str
    code: str
    limit: str | None = Field(default=None, description="Which limit stands against it.")
    current_depth: int | None = None
    max_recursion_depth: int | None = None
    errors: list[Wrong] | None = Field(default=None, description="Each thing that is wrong with the request.")


class DepthExceeded(Exception):
    """A nested call from a job that may have no children."""

    def __init__(self, why: str, current_depth: int, max_recursion_depth: int) -> None:
        super().__init__(f"Max recursion depth exceeded: {why}")
        self.current_depth = current_depth
        self.max_recursion_depth = max_recursion_depth


class Refusal(Exception):
    """An answer that is an error of HTTP itself rather than of the store."""

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


def problem(status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **members: Any) -> Response:
    """Return the answer for an error."""
    told = {
        "type": f"urn:tui-orch:{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code,
    }
    return Response(json.dumps(told | members), status, dict(headers or {}), MEDIA_TYPE)


def answer_to(error: Exception) -> Response:
    """Return the answer for an error of ours. Raises it again if it is none."""
    said = str(error)
    match error:
        case Refusal():
            return problem(error.status, error.code, said, error.headers)
        case DepthExceeded():
            depths: dict[str, Any] = {
                "limit": "max_depth",
                "current_depth": error.current_depth,
                "max_recursion_depth": error.max_recursion_depth,
            }
            return problem(400, "max_depth", said, **depths)
        case LimitExceeded():
            status = 400 if error.limit == "max_depth" else 409
            return problem(status, error.limit, said, limit=error.limit)
        case BadInput() | RequestError():
            return problem(400, "bad_input", said)
        case NotFound():
            return problem(404, "not_found", said)
        case StaleAttempt():
            return problem(401, "attempt_over", said, {"WWW-Authenticate": "ApiKey"})
        case NotAllowed():
            return problem(403, "not_allowed", said)
        case IllegalChange():
            return problem(409, "not_now", said)
        case StoreBusy():
            return problem(503, "busy", said, {"Retry-After": str(RETRY_AFTER_S)})
        case StoreUnusable():
            return problem(503, "store_unusable", said)
        case StoreError():
            return problem(409, "refused", said)
    raise error


def add_handlers(app: FastAPI) -> None:
    """Let the app answer every error in the one shape."""

    async def ours(_: Request, error: Exception) -> Response:
        return answer_to(error)

    async def wrong_form(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        wrong = [_wrong(found) for found in error.errors()[:_MOST_WRONG]]
        detail = "; ".join(f"{each['where']}: {each['what']}" for each in wrong)
        return problem(422, "wrong_form", detail[: 2 * _SHOWN_CHARS], errors=wrong)

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return problem(404, "not_found", "there is nothing at this address; see: /openapi.json")
        if error.status_code == 405:
            allowed = _methods(app, request.scope["path"])
            return problem(405, "method_not_allowed", f"only {allowed} is understood here", {"Allow": allowed})
        return problem(error.status_code, "http", error.detail, error.headers)

    async def broken(_: Request, __: Exception) -> Response:
        return problem(500, "internal", "the server broke over this; its log says where")

    for kind in (StoreError, RequestError, DepthExceeded, Refusal):
        app.add_exception_handler(kind, ours)
    app.add_exception_handler(RequestValidationError, wrong_form)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, broken)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the API's document says of these answers."""
    body = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {status: {"description": TITLES[status], "content": body} for status in statuses}


def _methods(app: FastAPI, path: str) -> str:
    """Return all methods of an address; the framework would name those of the first route alone."""
    found: set[str] = {"GET"} if path == app.openapi_url else set()
    for template, operations in app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            found |= {method.upper() for method in operations}
    return ", ".join(sorted(found))


def _wrong(found: Any) -> dict[str, str]:
    where = ".".join(str(part)[:_SHOWN_CHARS] for part in found["loc"]) or "body"
    return {"where": _characters(where), "what": _characters(str(found["msg"])[:_SHOWN_CHARS])}


def _characters(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
