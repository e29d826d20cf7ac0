"""Descriptors that hold a process fast."""

import os
import subprocess
import threading

import pytest

from tui_orch.worker.pidfd import has_ended, open_pidfd


def test_it_tells_the_end_of_the_process() -> None:
    process = subprocess.Popen(["sleep", "60"])
    pidfd = open_pidfd(process.pid)
    assert pidfd is not None
    try:
        assert not os.get_inheritable(pidfd)
        assert not has_ended(pidfd)
        process.kill()
        assert has_ended(pidfd, wait_s=30)
        process.wait()
        assert has_ended(pidfd)
    finally:
        os.close(pidfd)
    assert open_pidfd(process.pid) is None


def test_a_number_that_is_a_threads_by_now_is_no_process() -> None:
    """Threads take their numbers from the same row as processes do."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        assert thread.native_id is not None
        assert open_pidfd(thread.native_id) is None
    finally:
        end.set()
        thread.join()


def test_having_no_descriptor_left_is_not_taken_for_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        open_pidfd(os.getpid())
