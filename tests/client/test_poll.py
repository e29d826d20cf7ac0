"""Waiting for a change without an event loop."""

import subprocess
import sys
import threading
import time
from itertools import count

from tui_orch.client.poll import wait_for_change


def test_a_change_that_has_come_already_is_told_at_once() -> None:
    assert wait_for_change(lambda: 8, 7, timeout_s=60) == 8


def test_without_a_change_the_version_seen_comes_back_in_time() -> None:
    begun = time.monotonic()
    assert wait_for_change(lambda: 7, 7, timeout_s=0.05) == 7
    assert time.monotonic() - begun >= 0.05
    assert wait_for_change(lambda: 7, 7, timeout_s=0) == 7


def test_it_looks_seldom_while_nothing_happens() -> None:
    looks = count()
    assert wait_for_change(lambda: 7 + 0 * next(looks), 7, timeout_s=0.5) == 7
    assert next(looks) < 20


def test_a_change_while_waiting_ends_the_wait() -> None:
    version = [7]
    waiting = threading.Event()

    def look() -> int:
        waiting.set()
        return version[0]

    def change() -> None:
        waiting.wait()
        version[0] = 8

    changer = threading.Thread(target=change)
    changer.start()
    assert wait_for_change(look, 7, timeout_s=60) == 8
    changer.join()


def test_it_is_light_to_import() -> None:
    """`orch spawn` waits this way, and must be quick to start."""
    script = "import sys, tui_orch.client.poll; print({'asyncio', 'watchfiles', 'apsw', 'socket'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert run.stdout == "set()\n"
