"""Waiting for something in the store to be so, and lending the job's slot while a worker's client waits.

Decides nothing: ``look`` says what is waited for. Sleeps between changes of the store; see ``poll``.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from store.claim import lend_slot, require_running, want_slot
from store.database import Reader, Store
from store.models import Fence
from tui_orch.client.poll import wait_for_change

T = TypeVar("T")

#: Seconds after which ``look`` is asked again though nothing has changed.
LOOK_AGAIN_S = 10.0


def until(store: Store, look: Callable[[Reader], T | None], timeout_s: float | None = None) -> T | None:
    """Return the first thing but None that ``look`` finds; None after ``timeout_s`` seconds."""
    end = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        seen = store.data_version()
        with store.read() as reader:
            found = look(reader)
        if found is not None:
            return found
        left_s = LOOK_AGAIN_S if end is None else end - time.monotonic()
        if left_s <= 0:
            return None
        wait_for_change(store.data_version, seen, min(left_s, LOOK_AGAIN_S))


@contextmanager
def slot_lent(store: Store, fence: Fence) -> Iterator[None]:
    """Lend the slot of a worker that blocks in this block; go on only when it has one again.

    Raises StaleAttempt when the attempt is over.
    """
    with store.write() as tx:
        lend_slot(tx, fence)
    try:
        yield
    finally:
        # Also after an interruption: whoever goes on without a slot would be one worker too many.
        while not _may_go_on(store, fence):
            until(store, lambda reader: _is_decided(reader, fence))


def _may_go_on(store: Store, fence: Fence) -> bool:
    with store.write() as tx:
        return want_slot(tx, fence)


def _is_decided(reader: Reader, fence: Fence) -> bool | None:
    """Tell when the slot is granted, or another client of the job has begun to block."""
    job = require_running(reader, fence)
    return None if job.lending == 1 and job.wants_slot else True
