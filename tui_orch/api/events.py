"""``GET /events``: what changes, as server-sent events from any number of the change feed on.

Each listener reads for itself, when it has sent what it read before: a slow one is behind, and costs no memory. A job that
changed twice meanwhile is sent once, as it is now.
"""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from store.database import Reader
from store.errors import Refused
from store.feed import changed_since, newest_seq
from store.models import Job
from store.states import Status
from store.tree import counts, get_job, path
from store.use import subtree_counts
from tui_orch.api.calls import Call, Called
from tui_orch.api.names import Named, named
from tui_orch.api.problems import Refusal, documented
from tui_orch.api.views import batch_jobs, status_values

router = APIRouter(tags=["events"])

#: Seconds after which a line is sent though nothing has happened: the listener sees that we live, and we that it does.
QUIET_S = 15.0
#: Changes that are read at once.
PAGE = 200
#: Listeners at once.
MOST_STREAMS = 100
_MOST_SEQ = 2**62

_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events: `state` once, then `job` for each change; `id` is the number to go on from.",
        "content": {
            "text/event-stream": {
                "itemSchema": {
                    "type": "object",
                    "required": ["event", "id", "data"],
                    "properties": {
                        "event": {"enum": ["state", "job"]},
                        "id": {"type": "string", "pattern": "^[0-9]+$"},
                        "data": {"type": "string", "contentMediaType": "application/json"},
                    },
                },
                "example": 'event: state\nid: 41\ndata: {"seq": 41, "counts": {"running": 1}}\n\n',
            }
        },
    }
}


@dataclass(frozen=True, slots=True)
class _Page:
    """What was found after a number; ``seq`` is the number to go on from, ``full`` whether there may be more at once."""

    jobs: list[dict[str, Any]]
    seq: int
    full: bool


@router.get("/events", responses=_ANSWER | documented(404), response_class=StreamingResponse)
async def events(
    call: Called,
    since: Annotated[
        int | None, Query(ge=0, le=_MOST_SEQ, description="From this seq on; without it, from now.")
    ] = None,
    job_id: Annotated[str | None, Query(description="Only this job or batch, and all below.")] = None,
    last: Annotated[str | None, Header(alias="Last-Event-ID", description="As since, and goes before it.")] = None,
) -> StreamingResponse:
    """Follow changes of jobs: of all, of a job's subtree, or of a batch's; a token follows its own subtree."""
    top = _top(call, job_id)
    wanted = int(last) if last is not None and last.isascii() and last.isdigit() and len(last) < 19 else since
    start, state = await run_sync(_begin, call, top, wanted)
    if call.feed.streams >= MOST_STREAMS:
        raise Refusal(503, "too_many_streams", f"{MOST_STREAMS} listen already; try again", {"Retry-After": "5"})
    return StreamingResponse(_stream(call, top, start, state), media_type="text/event-stream")


def _top(call: Call, job_id: str | None) -> Named | None:
    if job_id is not None:
        return named(job_id)
    return None if call.caller.fence is None else Named(call.caller.fence.job_id)


async def _stream(call: Call, top: Named | None, seq: int, state: dict[str, Any]) -> AsyncIterator[str]:
    call.feed.streams += 1
    try:
        yield _event("state", seq, state)
        quiet_since = time.monotonic()
        while not call.feed.ended:
            moment = call.feed.moment()
            try:
                page = await run_sync(_read, call, top, seq)
            except (Refused, Refusal):
                return  # the attempt is over, or the key is revoked: whoever comes again is told so
            for found in page.jobs:
                yield _event("job", found["seq"], found)
                quiet_since = time.monotonic()
            seq = page.seq
            if page.full:
                continue
            left_s = quiet_since + QUIET_S - time.monotonic()
            if left_s <= 0:
                yield f": {seq}\n\n"
                quiet_since, left_s = time.monotonic(), QUIET_S
            await call.feed.after(moment, left_s)
    finally:
        call.feed.streams -= 1


def _begin(call: Call, top: Named | None, wanted: int | None) -> tuple[int, dict[str, Any]]:
    """Return where to start and what to say first. A number from beyond the newest one means from now. Raises NotFound."""
    with call.stores.read() as reader:
        if top is not None:
            call.caller.job(reader, top)
        newest = newest_seq(reader)
        found = _counts(reader, top)
    start = newest if wanted is None else min(wanted, newest)
    return start, {"seq": newest, "since": start, "counts": {state.value: count for state, count in found.items()}}


def _counts(reader: Reader, top: Named | None) -> dict[Status, int]:
    if top is None:
        return counts(reader)
    if top.batch is None:
        return subtree_counts(reader, top.job_id)
    each = [subtree_counts(reader, job.id) for job in batch_jobs(reader, top)]
    return {state: sum(found[state] for found in each) for state in Status}


def _read(call: Call, top: Named | None, seq: int) -> _Page:
    now_ms = call.now_ms
    with call.stores.read() as reader:
        call.caller.require_still(reader, now_ms)
        root_id = None if top is None else get_job(reader, top.job_id).root_id
        found = changed_since(reader, seq, PAGE, root_id)
        newest = newest_seq(reader)
        jobs = [
            status_values(reader, job, now_ms) | {"seq": job.seq}
            for job in found
            if top is None or _is_below(reader, job, top)
        ]
    full = len(found) == PAGE
    for job in jobs:
        job["progress"] = job["progress"].model_dump()
    return _Page(jobs, found[-1].seq if full else newest, full)


def _is_below(reader: Reader, job: Job, top: Named) -> bool:
    above = path(reader, job.id)
    if top.batch is None:
        return any(each.id == top.job_id for each in above)
    return any(each.parent_id == top.job_id and each.batch == top.batch for each in above)


def _event(kind: str, seq: int, data: dict[str, Any]) -> str:
    return f"event: {kind}\nid: {seq}\ndata: {json.dumps(data)}\n\n"
