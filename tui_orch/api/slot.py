"""``POST /slot``: a worker's client lends its job's slot while it waits, and takes it back before it goes on.

Nothing is kept between calls: a client that has gone gets the slot back by its next call, or the attempt's end gives it back.
"""

import asyncio
import time

from anyio.to_thread import run_sync
from fastapi import APIRouter

from store.claim import lend_slot, require_running, want_slot
from store.models import Fence
from tui_orch.api.asked import Slot
from tui_orch.api.calls import Call, Called
from tui_orch.api.problems import documented
from tui_orch.api.told import Holding

router = APIRouter(tags=["slot"])

#: Seconds that one call waits for a slot; the client calls again until it has one.
PATIENCE_S = 25.0


@router.post("/slot", responses=documented())
async def slot(call: Called, body: Slot) -> Holding:
    """Lend the calling job's slot, or wait (25 s at most) until it has one again; call again until it is so."""
    fence = call.caller.require_worker("a slot")
    if body.lend:
        await run_sync(_lend, call, fence, body.name)
        return Holding(holding=False)
    until = time.monotonic() + PATIENCE_S
    while True:
        moment = call.feed.moment()
        if await run_sync(_holds, call, fence, body.name):
            return Holding(holding=True)
        if not await _decided(call, fence, moment, until):
            return Holding(holding=False)


async def _decided(call: Call, fence: Fence, moment: asyncio.Event, until: float) -> bool:
    """Wait until the slot is given back or the job's other clients have changed; False when there is no time left."""
    while not await run_sync(_is_decided, call, fence):
        left_s = until - time.monotonic()
        if left_s <= 0 or call.feed.ended:
            return False
        await call.feed.after(moment, left_s)
        moment = call.feed.moment()
    return True


def _lend(call: Call, fence: Fence, name: str) -> None:
    with call.stores.write() as tx:
        lend_slot(tx, fence, name)


def _holds(call: Call, fence: Fence, name: str) -> bool:
    with call.stores.write() as tx:
        return want_slot(tx, fence, name)


def _is_decided(call: Call, fence: Fence) -> bool:
    with call.stores.read() as reader:
        job = require_running(reader, fence)
    return not (job.lending == 1 and job.wants_slot)
