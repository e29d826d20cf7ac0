"""Waiting for the store to change without an event loop and without file events: for short-lived commands.

Imports nothing but `time`, so `orch spawn` and `orch wait` stay quick to start. One look costs 3
microseconds.
"""

import time
from collections.abc import Callable

FIRST_PAUSE_S = 0.002
LONGEST_PAUSE_S = 0.05


def wait_for_change(data_version: Callable[[], int], seen: int, timeout_s: float) -> int:
    """Return the store's version once it is not ``seen`` any more, or ``seen`` after ``timeout_s`` seconds.

    ``data_version`` is `Store.data_version`: always the same open connection, or every call looks like a
    change. Take ``seen`` before reading what you wait for, so that a commit between the two is not missed.
    """
    until = time.monotonic() + timeout_s
    pause_s = FIRST_PAUSE_S
    while (version := data_version()) == seen:
        left_s = until - time.monotonic()
        if left_s <= 0:
            return seen
        time.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
    return version
