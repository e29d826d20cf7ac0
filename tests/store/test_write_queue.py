"""The lock at which writers queue: in turn, with an end to patience, and never held by nobody."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from at_store import AtStore

from store import write_queue
from store.errors import StoreBusy
from store.write_queue import in_turn, open_lock

HOLD = """
import fcntl, os, sys, time
lock = os.open(sys.argv[1], os.O_RDWR)
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def stopped_holder(at: AtStore) -> Iterator["subprocess.Popen[str]"]:
    """A process that was stopped (SIGSTOP) in the middle of a write."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(at.home.write_lock)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    process.send_signal(signal.SIGSTOP)
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_stopped_writer_holds_up_the_others_no_longer_than_their_patience(
    at: AtStore, stopped_holder: "subprocess.Popen[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads go on, a write says what holds it up, and when the holder is gone all is as before."""
    monkeypatch.setattr(write_queue, "PATIENCE_S", 0.1)
    with pytest.raises(StoreBusy, match=r"write.lock is held by another process for more than 0.1 s; nothing was"):
        at.tree()
    assert at.value("SELECT count(*) FROM jobs") == 0
    monkeypatch.setattr(write_queue, "PATIENCE_S", 30.0)
    stopped_holder.kill()
    assert at.tree() == 1
    assert at.tree() == 2, "whoever had given up has taken no lock with it"


def test_whoever_waits_gets_its_turn(tmp_path: Path) -> None:
    """One at a time, whether it had to wait or not."""
    path = tmp_path / "lock"
    inside, most, done = 0, 0, 0
    count = threading.Lock()

    def work() -> None:
        nonlocal inside, most, done
        lock = open_lock(path)
        for _ in range(20):
            with in_turn(path, lock):
                with count:
                    inside += 1
                    most = max(most, inside)
                time.sleep(0)
                with count:
                    inside -= 1
                    done += 1
        os.close(lock)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, done) == (1, 80)


def test_an_interrupted_wait_leaves_no_lock(tmp_path: Path) -> None:
    """Ctrl-C while a writer queues: the turn that comes later is nobody's."""

    class Interrupted(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupted

    path = tmp_path / "lock"
    mine, holder = open_lock(path), open_lock(path)
    fcntl.flock(holder, fcntl.LOCK_EX)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Interrupted), in_turn(path, mine):
            raise AssertionError("it was not our turn")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    fcntl.flock(holder, fcntl.LOCK_UN)
    with in_turn(path, mine):
        pass
    os.close(mine)
    os.close(holder)


def test_a_link_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        open_lock(tmp_path / "lock")
    assert not (tmp_path / "elsewhere").exists()
