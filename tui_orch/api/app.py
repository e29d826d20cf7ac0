"""Puts the API together: the app with its guards, its routes and its document. Serves nothing by itself."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from tui_orch.api import attempt, attempt_files, changes, events, jobs, logs, orchestrate, people, slot
from tui_orch.api.calls import SECURED
from tui_orch.api.feed import Feed
from tui_orch.api.guards import Guards
from tui_orch.api.problems import ProblemDetails, add_handlers, documented
from tui_orch.api.rates import Rates
from tui_orch.api.stores import Stores
from tui_orch.api.told import Health
from tui_orch.worker.remote.claimed import NodeTerms

BASE = "/api/v1"
_ABOUT = """Give a big task to Claude Code; it comes back as one result of a tree of workers.

Send a key of the server (`orch key new NAME`) or a job's own token as `X-API-Key`. A key makes trees and steers them; a
token makes children of its job, and reads and cancels its own subtree. Every error has the one shape `ProblemDetails`.
"""
#: What any call that wants a key may be answered.
_ALWAYS = documented(400, 401, 403, 413, 415, 421, 422, 429, 500, 503)
_OPEN = documented(400, 403, 413, 415, 421, 429, 500)


def make_app(
    stores: Stores,
    feed: Feed,
    *,
    hosts: Iterable[str],
    rates: Rates | None = None,
    nodes: NodeTerms | None = None,
) -> FastAPI:
    """Return the app. ``hosts`` are the values of the header Host that it answers to; ``nodes``: it has workers elsewhere."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with feed:
            yield

    app = FastAPI(
        title="tui-orch",
        version="1",
        description=_ABOUT,
        lifespan=lifespan,
        docs_url=None,  # both pages load scripts from a foreign host
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.stores = stores
    app.state.feed = feed
    app.state.nodes = nodes
    add_handlers(app)
    app.add_middleware(Guards, hosts=frozenset(hosts), stores=stores, rates=rates or Rates())
    for part in (orchestrate, jobs, logs, people, slot, events, changes, attempt, attempt_files):
        app.include_router(part.router, prefix=BASE, dependencies=SECURED, responses=_ALWAYS)

    @app.get(f"{BASE}/health", tags=["health"], responses=_OPEN)
    async def health() -> Health:
        """Tell that the server lives. Needs no key."""
        return Health(status="ok")

    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Add to the document what FastAPI does not know: the shape of the errors."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = plain()
            schema = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
            parts = found.setdefault("components", {}).setdefault("schemas", {})
            parts |= schema.pop("$defs", {})
            parts["ProblemDetails"] = schema
            _rename_lengths(found)
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way of extending it


def _rename_lengths(part: Any) -> None:
    """Say minItems of arrays: for those that pydantic also takes as tuples it says minLength."""
    if isinstance(part, list):
        for each in part:
            _rename_lengths(each)
    elif isinstance(part, dict):
        if part.get("type") == "array":
            for old, new in (("minLength", "minItems"), ("maxLength", "maxItems")):
                if old in part:
                    part[new] = part.pop(old)
        for each in part.values():
            _rename_lengths(each)
