"""``wait_for_job``: waits, for a bounded time, until a job or batch has ended or a person is asked something.

Waits in steps, each in a thread, so that a caller that goes away is let go within one. A worker that waits lends its
slot meanwhile, or the children that it waits for might never get one.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from store.claim import lend_slot, require_running, want_slot
from store.database import Reader, Store
from store.errors import BadInput, StaleAttempt
from store.models import Fence
from tui_orch.client.waiting import until
from tui_orch.mcp_server.answer import Answer, Progress, told
from tui_orch.mcp_server.desk import Desk, Held
from tui_orch.mcp_server.given import Given, Target
from tui_orch.mcp_server.standing import Standing, standing

MOST_S = 50.0
DEFAULT_S = 45.0
_STEP_S = 0.5
#: Seconds between two words of progress where nothing has changed.
_QUIET_S = 5.0


async def wait_for_job(desk: Desk, given: Given, progress: Progress) -> Answer:
    """Wait until it has ended, something new is asked, or the time is over; tell how it stands then."""
    target, timeout_s = given.required_target(), given.seconds("timeout_s", MOST_S, DEFAULT_S)
    async with desk.held() as held:
        fence = held.caller.fence
        if fence is not None and target == Target(fence.job_id):
            raise BadInput(f"job #{fence.job_id} can not wait for itself; wait for its batch or for a child")
        found = await held.run(lambda store: _now(store, held, target))
        if not found.ended and timeout_s > 0:
            if fence is None:
                found = await _wait(held, found, timeout_s, progress)
            else:
                async with _slot_lent(held, fence):
                    found = await _wait(held, found, timeout_s, progress)
        return told(await _text(desk, held, found), **found.facts())


async def _wait(held: Held, first: Standing, timeout_s: float, progress: Progress) -> Standing:
    began = said_at = time.monotonic()
    found = first
    await progress(0.0, first.line())
    while True:
        left_s = began + timeout_s - time.monotonic()
        if found.ended or left_s <= 0 or (held.caller.fence is None and found.asks > first.asks):
            return found
        seen, step_s = found, min(_STEP_S, left_s)
        found = await held.run(lambda store: _changed(store, held, seen, step_s))  # noqa: B023 - awaited here
        now = time.monotonic()
        if found.counts != seen.counts or now - said_at >= _QUIET_S:
            said_at = now
            await progress(now - began, found.line())


def _changed(store: Store, held: Held, seen: Standing, step_s: float) -> Standing:
    """Return how the target stands as soon as that differs from ``seen``, or after ``step_s``."""

    def look(reader: Reader) -> Standing | None:
        if held.caller.fence is not None:
            require_running(reader, held.caller.fence)
        found = standing(reader, held.caller, seen.target)
        return found if (found.counts, found.asks, found.status) != (seen.counts, seen.asks, seen.status) else None

    return until(store, look, step_s) or seen


def _now(store: Store, held: Held, target: Target) -> Standing:
    with store.read() as reader:
        return standing(reader, held.caller, target)


@asynccontextmanager
async def _slot_lent(held: Held, fence: Fence) -> AsyncIterator[None]:
    """Lend the slot of the calling worker; go on only when it has one again."""

    def lend(store: Store) -> None:
        with store.write() as tx:
            lend_slot(tx, fence)

    def may_go_on(store: Store) -> bool:
        with store.write() as tx:
            return want_slot(tx, fence)

    def decided(store: Store) -> None:
        def look(reader: Reader) -> bool | None:
            job = require_running(reader, fence)
            return None if job.lending == 1 and job.wants_slot else True

        until(store, look, _STEP_S)

    await held.run(lend)
    try:
        yield
    except BaseException:
        # Whoever called has gone: the slot is asked for, and granted when one is free, but nobody waits here for it.
        with anyio.CancelScope(shield=True):
            await _ask_back(held, fence)
        raise
    while not await held.run(may_go_on):
        await held.run(decided)


async def _ask_back(held: Held, fence: Fence) -> None:
    def ask(store: Store) -> None:
        with store.write() as tx:
            want_slot(tx, fence)

    try:
        await held.run(ask)
    except StaleAttempt:
        return  # the attempt is over, and its slot with it


async def _text(desk: Desk, held: Held, found: Standing) -> str:
    line = found.line()
    text = f"{line[:1].upper()}{line[1:]}."
    if found.ended:
        return f"{text} Get what it found with job_results."
    if found.asks and held.caller.fence is None:
        text += " It asks a person: see open_asks."
    if held.caller.fence is None and not await held.run(lambda _: desk.ways.is_supervised(held.home)):
        return f"{text} No supervisor runs, so nothing goes on; a person starts one with: orch up"
    return f"{text} It goes on; call wait_for_job again to wait longer."
