"""The mark of an attempt, and the sweep that ends all that still carries it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hostile
import pytest

from tui_orch.worker import cookie
from tui_orch.worker.cookie import is_marked, marked_pids, sweep

NO_PID = 2**22 + 1


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    """A mark of the test's own; whatever carries it at the end is ended."""
    own = cookie.cookie(tmp_path.name, 1, 1)
    yield own
    sweep(own)


def marked(mark: str, **more: str) -> dict[str, str]:
    return {**os.environ, "ORCH_COOKIE": mark, **more}


def sleep_with(env: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(["sleep", "60"], env=env)


def end(*processes: "subprocess.Popen[bytes]") -> None:
    for process in processes:
        process.kill()
        process.wait()


def test_a_mark_names_store_job_and_attempt() -> None:
    assert cookie.cookie("a1b2", 12, 3) == "a1b2/12.3"


def test_only_the_exact_mark_counts(mark: str) -> None:
    """Attempt 1 is not attempt 11, and the text inside another variable is no mark."""
    own = sleep_with(marked(mark))
    others = [
        sleep_with(marked(f"{mark}1")),
        sleep_with(marked(f"x{mark}")),
        sleep_with({"XORCH_COOKIE": mark}),
        sleep_with({"A": f"ORCH_COOKIE={mark}", "B": f"\nORCH_COOKIE={mark}"}),
        sleep_with({}),
    ]
    try:
        assert marked_pids(mark) == [own.pid]
        assert sweep(mark) == 1
        assert own.wait() == -9
        assert [other.poll() for other in others] == [None] * len(others)
    finally:
        end(own, *others)


def test_a_process_is_found_from_its_first_moment(mark: str) -> None:
    """For a moment after it has been started, the kernel shows no environment at all."""
    for _ in range(60):
        process = sleep_with(marked(mark))
        found = is_marked(process.pid, mark)
        end(process)
        assert found


def test_a_mark_may_stand_first_or_last_in_the_environment(mark: str) -> None:
    processes = [sleep_with({"ORCH_COOKIE": mark, "A": "b"}), sleep_with({"A": "b", "ORCH_COOKIE": mark})]
    try:
        assert set(marked_pids(mark)) == {process.pid for process in processes}
    finally:
        end(*processes)


@pytest.mark.parametrize(("trick", "at_least"), [("ignore_term", 1), ("double_fork", 1), ("storm", hostile.STORM)])
def test_what_inherits_the_mark_is_ended_wherever_it_went(tmp_path: Path, mark: str, trick: str, at_least: int) -> None:
    process = hostile.start(trick, str(tmp_path), tmp_path / "ready", env=marked(mark))
    hostile.until(lambda: len(marked_pids(mark)) >= at_least, "too few carry it")
    assert sweep(mark) >= at_least
    assert marked_pids(mark) == []
    process.wait()
    assert hostile.tagged(str(tmp_path)) == []


def test_an_emptied_environment_escapes(tmp_path: Path, mark: str) -> None:
    """Known and stated; for these the supervisor is a subreaper."""
    process = hostile.start("empty_environment", str(tmp_path), tmp_path / "ready", env=marked(mark))
    process.wait()
    assert sweep(mark) == 0
    [escaped] = hostile.tagged(str(tmp_path))
    os.kill(escaped, 9)


def test_a_stranger_on_an_old_pid_is_not_touched(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look saw a marked process; by the time of the signal its number belongs to another one."""
    stranger = sleep_with({})
    try:
        looks = iter([[stranger.pid, NO_PID], [], []])
        monkeypatch.setattr(cookie, "marked_pids", lambda _: next(looks))
        assert sweep(mark) == 0
        assert stranger.poll() is None
    finally:
        end(stranger)


def test_those_to_exclude_and_the_sweeper_itself_stay(mark: str) -> None:
    spared, other = sleep_with(marked(mark)), sleep_with(marked(mark))
    script = "import sys; from tui_orch.worker.cookie import sweep; print(sweep(sys.argv[1], {int(sys.argv[2])}))"
    try:
        sweeper = subprocess.run(
            [sys.executable, "-c", script, mark, str(spared.pid)],
            env=marked(mark),
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert sweeper.stdout == "1\n"
        assert spared.poll() is None
        assert other.wait() == -9
    finally:
        end(spared, other)


def test_a_sweep_without_an_end_is_given_up(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = sleep_with({})
    try:
        monkeypatch.setattr(cookie, "marked_pids", lambda _: [stranger.pid])
        assert sweep(mark, limit_s=0.05) == 0
    finally:
        end(stranger)


def test_the_dead_and_the_unreadable_carry_no_mark(mark: str) -> None:
    process = subprocess.Popen(["true"], env=marked(mark))
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not is_marked(process.pid, mark)  # a zombie
    process.wait()
    assert not is_marked(process.pid, mark)
    assert not is_marked(NO_PID, mark)
    assert sweep(mark) == 0
