"""``GET /changes``: rows of what has changed, for a copy of the store elsewhere (``orch --url``). A call waits for news.

Unlike ``/events`` it tells all of a job, and what is no job's: a pause of the store, its settings. A key's alone.
"""

import json
import time
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Response

from store.changed_rows import PAGE, ChangedRows, changed_rows, finite
from store.schema import migrations
from tui_orch.api.calls import Call, Called
from tui_orch.api.events import MOST_STREAMS
from tui_orch.api.problems import Refusal
from tui_orch.api.told import Changes

router = APIRouter(tags=["events"])

#: Seconds that a call may wait for news.
MOST_WAIT_S = 25.0
_MOST_SEQ = 2**62


@router.get("/changes", response_model=Changes)
async def changes(
    call: Called,
    since: Annotated[int, Query(ge=0, le=_MOST_SEQ, description="The seq of the last page; 0: everything.")] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE, description="Jobs at most.")] = PAGE,
    mark: Annotated[
        str, Query(max_length=100, description="That of the last page: what is the same is left out.")
    ] = "",
    wait_s: Annotated[float, Query(ge=0, le=MOST_WAIT_S, description="Seconds to wait for news.")] = 0.0,
) -> Response:
    """Return rows of what has changed after a seq, as the store has them, oldest change first; made to keep a copy."""
    call.caller.require_person("a copy of the store")
    page = await _page(call, since, limit, mark, wait_s)
    return Response(_json(page), media_type="application/json")


def _json(page: ChangedRows) -> str:
    told = {
        "schema_version": len(migrations()),
        "store_id": page.store_id,
        "seq": page.seq,
        "more": page.more,
        "mark": page.mark,
    }
    try:
        return _dumped({**told, "tables": page.tables})
    except ValueError:
        return _dumped({**told, "tables": finite(page.tables)})


def _dumped(told: dict[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


async def _page(call: Call, since: int, limit: int, mark: str, wait_s: float) -> ChangedRows:
    """Return the next page; an empty one after so many seconds without news."""
    until = time.monotonic() + wait_s
    if call.feed.streams >= MOST_STREAMS:
        raise Refusal(503, "too_many_streams", f"{MOST_STREAMS} listen already; try again", {"Retry-After": "5"})
    call.feed.streams += 1
    try:
        while True:
            moment = call.feed.moment()
            page = await run_sync(_read, call, since, limit, mark)
            left_s = until - time.monotonic()
            if page.is_new or page.more or page.seq != since or left_s <= 0 or call.feed.ended:
                return page
            await call.feed.after(moment, left_s)
    finally:
        call.feed.streams -= 1


def _read(call: Call, since: int, limit: int, mark: str) -> ChangedRows:
    now_ms = call.now_ms
    with call.stores.read() as reader:
        call.caller.require_still(reader, now_ms)
        return changed_rows(reader, since, limit=limit, mark=mark)
