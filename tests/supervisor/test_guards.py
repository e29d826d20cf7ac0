"""Workers of brief commands that take one attempt after the other: each attempt finds its worker as if it were new."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_launcher import STORE, until, wait_for_end

from store.home import Home, create_home
from store.states import Kind, Status
from tui_orch.supervisor.launcher import Handle, LocalLauncher, Order
from tui_orch.worker.brief import Brief
from tui_orch.worker.cookie import cookie, is_marked, marked_pids
from tui_orch.worker.fork_messages import MESSAGE_BYTES
from tui_orch.worker.pidfd import has_ended
from tui_orch.worker.record import left
from tui_orch.worker.subreaper import children_of, own_children
from tui_orch.worker.work import Finished

ABOUT = """
import json, os, sys, time
fds = sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:-1]
print(json.dumps({"env": dict(os.environ), "cwd": os.getcwd(), "fds": fds, "guard": os.getppid(), "hour": time.localtime(0).tm_hour}), flush=True)
print("to the output, too", file=sys.stderr)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "project" / ".orch")
    create_home(home)
    return home


@pytest.fixture
def launcher(home: Home) -> Iterator[LocalLauncher]:
    launcher = LocalLauncher(home, STORE)
    until(lambda: not launcher.is_getting_ready(Kind.COMMAND), "the forker never gets ready")
    yield launcher
    launcher.close()


def begin(launcher: LocalLauncher, home: Home, job: int, *argv: str, **env: str) -> Handle:
    brief = Brief(argv, str(home.project), (0, 0))
    env |= {"PATH": os.environ["PATH"], "ORCH_COOKIE": cookie(STORE, job, 1)}
    (started,) = launcher.start([Order(job, 1, env, Kind.COMMAND, brief)])
    assert isinstance(started, Handle)
    return started


def ended(launcher: LocalLauncher, handle: Handle) -> int | None:
    wait_for_end(handle)
    return launcher.bury(handle)


def outcome(home: Home, job: int) -> str:
    found = left(home.attempt_dir(job, 1))
    assert found is not None
    ending = found.ending
    assert isinstance(ending, Finished)
    assert ending.outcome.status is Status.COMPLETED, ending
    return ending.outcome.result or ""


def kill(pid: int) -> None:
    """Kill a process that somebody else, or nobody yet, reaps; return when it has ended."""
    process = os.pidfd_open(pid)
    signal.pidfd_send_signal(process, signal.SIGKILL)
    assert has_ended(process, 30)
    os.close(process)


def python(program: str) -> tuple[str, str, str, str]:
    return sys.executable, "-I", "-c", program


def test_the_next_attempt_has_the_same_process_and_nothing_else_of_the_one_before(
    launcher: LocalLauncher, home: Home
) -> None:
    first = begin(launcher, home, 1, *python(ABOUT), TZ="Asia/Tokyo", ONLY="first")
    assert ended(launcher, first) == 0
    second = begin(launcher, home, 2, *python(ABOUT), ALSO="second")
    assert ended(launcher, second) == 0
    said = [json.loads(outcome(home, job).splitlines()[0]) for job in (1, 2)]
    assert first.pid == second.pid == said[0]["guard"] == said[1]["guard"]
    assert [each["fds"] for each in said] == [[0, 1, 2]] * 2
    assert [each["cwd"] for each in said] == [str(home.project)] * 2
    assert set(said[0]["env"]) - set(said[1]["env"]) == {"TZ", "ONLY"}
    assert set(said[1]["env"]) - set(said[0]["env"]) == {"ALSO"}
    assert [each["hour"] for each in said] == [9, time.gmtime(0).tm_hour]
    for job in (1, 2):
        assert (home.attempt_dir(job, 1) / "worker.log").read_text() == ""
        assert outcome(home, job).endswith("to the output, too\n")


def test_what_an_attempt_has_started_is_gone_before_the_next_one(launcher: LocalLauncher, home: Home) -> None:
    assert ended(launcher, begin(launcher, home, 1, "sh", "-c", "setsid sleep 60 & echo $!")) == 0
    stray = int(outcome(home, 1))
    assert not Path(f"/proc/{stray}").exists()
    assert ended(launcher, begin(launcher, home, 2, "sh", "-c", "echo $PPID")) == 0
    assert children_of(int(outcome(home, 2))) == []


def test_a_free_guard_has_no_mark_and_no_lock(launcher: LocalLauncher, home: Home) -> None:
    handle = begin(launcher, home, 1, "sleep", "0.5")
    until(lambda: is_marked(handle.pid, cookie(STORE, 1, 1)), "it has no mark")
    assert ended(launcher, handle) == 0
    assert not launcher.is_alive(1, 1)
    assert marked_pids(cookie(STORE, 1, 1)) == []
    assert launcher.adopt(1, 1, handle.pid) is None
    assert launcher.end_leftovers(1, 1) == 0  # it is nobody's leftover
    assert begin(launcher, home, 2, "true").pid == handle.pid


def test_workers_at_once_are_different_ones(launcher: LocalLauncher, home: Home) -> None:
    handles = [begin(launcher, home, job, "sleep", "0.2") for job in (1, 2, 3)]
    assert len({handle.pid for handle in handles}) == 3
    assert [ended(launcher, handle) for handle in handles] == [0, 0, 0]
    again = [begin(launcher, home, job, "true") for job in (4, 5, 6)]
    assert {handle.pid for handle in again} == {handle.pid for handle in handles}


def test_a_command_that_says_nothing_is_seen_to_its_end_without_the_store(launcher: LocalLauncher, home: Home) -> None:
    """There is no database here: opening it would be told in the log."""
    handle = begin(launcher, home, 1, "sh", "-c", "sleep 1.2; echo well")
    assert ended(launcher, handle) == 0
    assert outcome(home, 1) == "well\n"
    assert (home.attempt_dir(1, 1) / "worker.log").read_text() == ""
    assert begin(launcher, home, 2, "true").pid == handle.pid


@pytest.mark.parametrize("kill", [False, True])
def test_one_that_was_asked_to_end_takes_no_other_attempt(launcher: LocalLauncher, home: Home, kill: bool) -> None:
    """Not even where its attempt was over before the signal came: that would end the next one."""
    handle = begin(launcher, home, 1, "true")
    wait_for_end(handle)
    launcher.stop(handle, kill=kill)
    assert launcher.bury(handle) in (0, -signal.SIGTERM, -signal.SIGKILL)
    other = begin(launcher, home, 2, "sh", "-c", "echo $PPID")
    assert other.pid != handle.pid
    assert ended(launcher, other) == 0
    assert outcome(home, 2) == f"{other.pid}\n"


def test_a_busy_one_that_is_killed_is_told_like_any_worker(launcher: LocalLauncher, home: Home) -> None:
    begun = home.root / "begun"
    handle = begin(launcher, home, 1, "sh", "-c", f"touch {begun}; exec sleep 60")
    until(begun.exists, "it never began")  # its lock is held before its command is there
    launcher.stop(handle, kill=True)
    assert ended(launcher, handle) == -signal.SIGKILL
    assert launcher.end_leftovers(1, 1) == 1
    assert left(home.attempt_dir(1, 1)) is None


def test_one_that_died_while_it_was_free_is_passed_over(launcher: LocalLauncher, home: Home) -> None:
    handle = begin(launcher, home, 1, "true")
    assert ended(launcher, handle) == 0
    kill(handle.pid)
    other = begin(launcher, home, 2, "true")
    assert (other.pid != handle.pid, ended(launcher, other)) == (True, 0)


def test_one_that_dies_with_a_request_unread_has_not_begun(launcher: LocalLauncher, home: Home) -> None:
    handle = begin(launcher, home, 1, "true")
    assert ended(launcher, handle) == 0
    guard = os.pidfd_open(handle.pid)
    signal.pidfd_send_signal(guard, signal.SIGSTOP)
    again = begin(launcher, home, 2, "true")
    assert again.pid == handle.pid
    signal.pidfd_send_signal(guard, signal.SIGKILL)
    assert ended(launcher, again) == -signal.SIGKILL
    assert launcher.close_off(2, 1) == "never"
    os.close(guard)


def test_one_that_can_not_take_the_next_attempt_says_so_by_its_end(launcher: LocalLauncher, home: Home) -> None:
    handle = begin(launcher, home, 1, "true")
    assert ended(launcher, handle) == 0
    home.job_dir(2).write_text("a file where the attempt's folder is to be")
    again = begin(launcher, home, 2, "true")
    assert (again.pid, ended(launcher, again)) == (handle.pid, 1)


def test_one_that_nobody_needs_ends_by_itself_and_leaves_nothing(launcher: LocalLauncher, home: Home) -> None:
    handle = begin(launcher, home, 1, "true")
    before = len(os.listdir("/proc/self/fd"))
    assert ended(launcher, handle) == 0
    until(lambda: not Path(f"/proc/{handle.pid}").exists(), "it stays")
    other = begin(launcher, home, 2, "true")
    assert (other.pid != handle.pid, ended(launcher, other)) == (True, 0)
    assert len(os.listdir("/proc/self/fd")) == before


def test_free_ones_end_with_their_launcher_and_busy_ones_with_their_attempt(
    launcher: LocalLauncher, home: Home
) -> None:
    free, busy = begin(launcher, home, 1, "true"), begin(launcher, home, 2, "sh", "-c", "sleep 0.3; echo well")
    assert ended(launcher, free) == 0
    launcher.close()
    for handle in (free, busy):
        until(lambda: not Path(f"/proc/{handle.pid}").exists() or handle.pid in own_children(), "it stays")  # noqa: B023
    until(lambda: left(home.attempt_dir(2, 1)) is not None, "its outcome is lost")
    assert outcome(home, 2) == "well\n"


def test_one_whose_forker_was_killed_works_on_and_is_reaped_by_the_launcher(
    launcher: LocalLauncher, home: Home
) -> None:
    handle = begin(launcher, home, 1, "true")
    assert ended(launcher, handle) == 0
    (forker,) = (pid for pid in own_children() if handle.pid in children_of(pid))
    kill(forker)
    again = begin(launcher, home, 2, "true")
    assert (again.pid, ended(launcher, again)) == (handle.pid, 0)
    kill(handle.pid)
    assert begin(launcher, home, 3, "true").pid != handle.pid
    assert handle.pid not in own_children()


def test_an_environment_too_large_for_a_message_is_no_reason_not_to_start(launcher: LocalLauncher, home: Home) -> None:
    assert ended(launcher, begin(launcher, home, 1, "true")) == 0
    large = {f"LARGE_{number}": "x" * 100_000 for number in range(MESSAGE_BYTES // 100_000 + 1)}
    handle = begin(launcher, home, 2, "true", **large)
    launcher.stop(handle, kill=True)
    wait_for_end(handle)
    launcher.bury(handle)
