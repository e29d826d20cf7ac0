"""The lock of an attempt: alive = locked."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui_orch.worker.lock import AttemptLock, close_off, holder_pid, is_held, lock_path

HOLDER = """
import subprocess, sys
from pathlib import Path
from tui_orch.worker.lock import AttemptLock
lock = AttemptLock(Path(sys.argv[1]))
print(lock.hold(0), flush=True)
if "with-child" in sys.argv:
    child = subprocess.Popen(["sleep", "60"], close_fds=False)
    print(child.pid, flush=True)
sys.stdin.read()
"""


def start_holder(folder: Path, *more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), *more], stdin=-1, stdout=-1, stderr=subprocess.PIPE, text=True
    )


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    with start_holder(tmp_path) as process:
        assert first_line(process) == "True"
        yield process
        process.kill()


def test_a_second_process_does_not_get_it(tmp_path: Path, holder: object) -> None:
    with start_holder(tmp_path) as second:
        assert first_line(second) == "False"
        second.kill()
    assert is_held(tmp_path)


def test_it_is_free_the_moment_its_holder_is_killed(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    assert is_held(tmp_path)
    assert holder_pid(tmp_path) == holder.pid
    holder.kill()
    holder.wait()
    assert not is_held(tmp_path)
    with AttemptLock(tmp_path) as next_one:
        assert next_one.hold(0)


def test_a_child_of_the_holder_does_not_hold_it(tmp_path: Path) -> None:
    """Even one that is started with all descriptors open."""
    with start_holder(tmp_path, "with-child") as process:
        assert first_line(process) == "True"
        child = int(first_line(process))
        process.kill()
        process.wait()
        assert not is_held(tmp_path)
        os.kill(child, signal.SIGKILL)


def test_where_no_worker_has_ever_been_it_is_not_held(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    assert not is_held(tmp_path / "no-folder")
    assert holder_pid(tmp_path) is None
    assert not lock_path(tmp_path).exists()


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with AttemptLock(tmp_path) as lock:
            assert lock.hold()
    finally:
        os.umask(before)
    assert lock_path(tmp_path).stat().st_mode & 0o777 == 0o600


def test_release_frees_it_and_hold_twice_is_one_hold(tmp_path: Path) -> None:
    lock = AttemptLock(tmp_path)
    assert lock.hold()
    assert lock.hold()
    assert is_held(tmp_path)
    lock.release()
    assert not is_held(tmp_path)
    lock.release()


def test_looking_never_makes_a_worker_fail(tmp_path: Path) -> None:
    """Two that look without a pause, and a worker that takes the lock again and again."""
    stop = threading.Event()
    looks = [0, 0]

    def look(who: int) -> None:
        while not stop.is_set():
            is_held(tmp_path)
            looks[who] += 1

    threads = [threading.Thread(target=look, args=(who,)) for who in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(60):
            lock = AttemptLock(tmp_path)
            assert lock.hold(patience_s=20)
            lock.release()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert min(looks) > 0


def test_two_that_look_do_not_take_each_other_for_a_worker(tmp_path: Path) -> None:
    file = os.open(lock_path(tmp_path), os.O_RDONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # what the other one does at this moment
        assert not is_held(tmp_path)
    finally:
        os.close(file)


def test_a_link_is_refused(tmp_path: Path) -> None:
    lock_path(tmp_path).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        AttemptLock(tmp_path).hold()
    assert not (tmp_path / "elsewhere").exists()


def test_a_lock_that_is_closed_off_is_nobodys(tmp_path: Path) -> None:
    """A worker that comes after its attempt was given up must not begin."""
    assert close_off(tmp_path / "made", tmp_path) == "never"
    assert not AttemptLock(tmp_path / "made").hold()
    assert not AttemptLock(tmp_path / "made").hold(begin=True)
    assert holder_pid(tmp_path / "made") is None
    assert close_off(tmp_path / "made", tmp_path) == "never"


def test_a_lock_that_is_held_is_not_closed_off(tmp_path: Path) -> None:
    with AttemptLock(tmp_path) as lock:
        assert lock.hold()
        assert close_off(tmp_path, tmp_path) == "alive"
    with AttemptLock(tmp_path) as again:
        assert again.hold()


@pytest.mark.parametrize(("begin", "standing"), [(True, "begun"), (False, "never")])
def test_closing_off_tells_whether_work_had_begun_with_the_lock(tmp_path: Path, begin: bool, standing: str) -> None:
    """A worker that claims its attempt in the store has begun when it is claimed there."""
    with AttemptLock(tmp_path) as lock:
        assert lock.hold(begin=begin)
        assert holder_pid(tmp_path) == os.getpid()
    assert close_off(tmp_path, tmp_path) == standing
