"""Workers as processes of this machine: started, found again, stopped, buried, and nothing left of them."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from store.home import Home, create_home
from store.states import Kind
from tui_orch.supervisor.launcher import Handle, Launcher, LaunchError, LocalLauncher, Order
from tui_orch.worker.cookie import cookie, marked_pids, sweep

STANDIN = (sys.executable, str(Path(__file__).with_name("standin.py")))
FORKER = (sys.executable, str(Path(__file__).with_name("standin_forker.py")))
WAYS = ("anew", "forked")
STORE = f"launcher-test-{os.getpid()}"
NO_PID = 2**22 + 1


def until(condition: Callable[[], object], otherwise: str, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(otherwise)
        time.sleep(0.01)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "project" / ".orch")
    create_home(home)
    return home


def launcher_of(home: Home, way: str) -> LocalLauncher:
    return LocalLauncher(home, STORE, STANDIN, FORKER if way == "forked" else None)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """How workers come to be: each as a new program, or forked from one that waits for that."""
    return str(request.param)


@pytest.fixture
def launcher(home: Home, way: str) -> Iterator[LocalLauncher]:
    launcher = launcher_of(home, way)
    yield launcher
    launcher.close()
    for job in range(1, 4):
        for attempt in range(1, 3):
            sweep(cookie(STORE, job, attempt))


def environment(part: str, job: int = 1, attempt: int = 1) -> dict[str, str]:
    return {"STANDIN": part, "ORCH_COOKIE": cookie(STORE, job, attempt)}


def begin(launcher: LocalLauncher, job: int, attempt: int, env: dict[str, str]) -> Handle:
    until(lambda: not launcher.is_getting_ready(Kind.COMMAND), "the launcher never gets ready")
    (started,) = launcher.start([Order(job, attempt, env)])
    if isinstance(started, LaunchError):
        raise started
    return started


def start(launcher: LocalLauncher, home: Home, part: str, job: int = 1, attempt: int = 1) -> Handle:
    handle = begin(launcher, job, attempt, environment(part, job, attempt))
    until((home.attempt_dir(job, attempt) / "ready").exists, "the worker never began")
    return handle


def wait_for_end(handle: Handle) -> None:
    assert select.select([handle], [], [], 30)[0], "the worker does not end"


def report(home: Home) -> dict[str, Any]:
    text = (home.attempt_dir(1, 1) / "worker.log").read_text()
    found: dict[str, Any] = json.loads(text.splitlines()[0])
    return found


def test_the_local_launcher_is_a_launcher(launcher: LocalLauncher) -> None:
    seam: Launcher = launcher
    assert seam is launcher


def test_a_worker_gets_what_it_is_given_and_nothing_else(launcher: LocalLauncher, home: Home) -> None:
    bystander = os.open(home.root, os.O_RDONLY)
    os.set_inheritable(bystander, True)
    try:
        handle = start(launcher, home, "report")
    finally:
        os.close(bystander)
    wait_for_end(handle)
    seen = report(home)
    given = environment("report")
    assert {name: seen["env"].pop(name) for name in given} == given
    assert set(seen["env"]) <= {"LC_CTYPE"}  # Python's own, for the C locale
    assert seen["argv"] == [str(home.root), "1", "1"]
    assert seen["cwd"] == str(home.project)
    assert seen["fds"] == [0, 1, 2]
    assert seen["stdin"] == "/dev/null"
    assert seen["leads_session"]
    assert seen["blocked"] == []


def test_what_it_prints_lands_in_a_private_log(launcher: LocalLauncher, home: Home) -> None:
    before = os.umask(0)
    try:
        wait_for_end(start(launcher, home, "report"))
    finally:
        os.umask(before)
    log = home.attempt_dir(1, 1) / "worker.log"
    assert "and this on stderr\n" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    folders = [home.root / "jobs", home.job_dir(1), home.attempt_dir(1, 1)]
    assert [folder.stat().st_mode & 0o777 for folder in folders] == [0o700] * 3


def test_the_end_is_seen_told_and_buried(launcher: LocalLauncher, home: Home) -> None:
    handle = start(launcher, home, "report")
    wait_for_end(handle)
    assert launcher.has_ended(handle)
    assert not launcher.is_alive(1, 1)
    assert launcher.bury(handle) == 7
    with pytest.raises(ChildProcessError):  # no zombie is left
        os.waitpid(handle.pid, os.WNOHANG)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle.fd)


async def test_an_event_loop_wakes_when_a_worker_ends(launcher: LocalLauncher, home: Home) -> None:
    handle = start(launcher, home, "stay")
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(handle, ended.set)
    try:
        assert not ended.is_set()
        launcher.stop(handle, kill=False)
        await asyncio.wait_for(ended.wait(), 30)
    finally:
        asyncio.get_running_loop().remove_reader(handle)
    assert launcher.bury(handle) == -signal.SIGTERM


def test_a_living_worker_is_not_buried(launcher: LocalLauncher, home: Home) -> None:
    handle = start(launcher, home, "stay")
    assert launcher.is_alive(1, 1)
    assert not launcher.has_ended(handle)
    with pytest.raises(ValueError, match="has not ended"):
        launcher.bury(handle)
    launcher.stop(handle, kill=True)
    wait_for_end(handle)
    assert launcher.bury(handle) == -signal.SIGKILL


def test_one_that_ignores_sigterm_is_killed(launcher: LocalLauncher, home: Home) -> None:
    handle = start(launcher, home, "stubborn")
    launcher.stop(handle, kill=False)
    assert launcher.is_alive(1, 1)
    launcher.stop(handle, kill=True)
    wait_for_end(handle)
    launcher.stop(handle, kill=True)  # it has ended: nothing happens
    assert launcher.bury(handle) == -signal.SIGKILL


def test_two_workers_have_their_own_handles(launcher: LocalLauncher, home: Home) -> None:
    first, second = start(launcher, home, "stay", job=1), start(launcher, home, "stay", job=2)
    launcher.stop(first, kill=True)
    wait_for_end(first)
    assert not launcher.has_ended(second)
    launcher.bury(first)
    launcher.stop(second, kill=True)
    wait_for_end(second)
    assert launcher.bury(second) == -signal.SIGKILL


def test_a_program_that_can_not_start_leaves_nothing(home: Home) -> None:
    launcher = LocalLauncher(home, STORE, ("/no/such/python",))
    before = os.listdir("/proc/self/fd")
    with pytest.raises(LaunchError, match=r"cannot start a worker for #1: .*/no/such/python"):
        begin(launcher, 1, 1, {})
    assert os.listdir("/proc/self/fd") == before


def test_one_that_can_not_be_watched_is_ended_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = launcher_of(home, "anew")

    def refuse(pid: int) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    with pytest.raises(LaunchError, match="Too many open files"):
        begin(launcher, 1, 1, environment("stay"))
    assert marked_pids(cookie(STORE, 1, 1)) == []


SUPERVISOR = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import test_launcher as t
from store.home import Home
home = Home(Path(sys.argv[1]))
t.STORE = sys.argv[3]
launcher = t.launcher_of(home, sys.argv[5])
print(t.start(launcher, home, sys.argv[4]).pid, flush=True)
time.sleep(60)
"""


def started_by_another(home: Home, part: str, way: str) -> int:
    """Let another supervisor start a worker, kill that supervisor with SIGKILL, return the worker's pid."""
    argv = [sys.executable, "-c", SUPERVISOR, str(home.root), str(Path(__file__).parent), STORE, part, way]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        pid = int(other.stdout.readline())
        other.kill()
    return pid


@pytest.mark.parametrize("is_known", [True, False])
def test_a_worker_outlives_its_supervisor_and_is_adopted(
    launcher: LocalLauncher, home: Home, way: str, is_known: bool
) -> None:
    """By the pid that the store knows, or, before the worker has claimed its attempt, by that in its lock file."""
    pid = started_by_another(home, "stay", way)
    handle = launcher.adopt(1, 1, pid if is_known else None)
    assert handle is not None
    assert (handle.pid, handle.job_id, handle.attempt) == (pid, 1, 1)
    assert launcher.is_alive(1, 1)
    assert not launcher.has_ended(handle)
    launcher.stop(handle, kill=False)
    wait_for_end(handle)
    assert launcher.bury(handle) is None  # only its parent could know the code
    until(lambda: not launcher.is_alive(1, 1), "the lock outlives its holder")


def test_a_worker_that_has_ended_is_not_adopted(launcher: LocalLauncher, home: Home, way: str) -> None:
    pid = started_by_another(home, "stay", way)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not launcher.is_alive(1, 1), "the lock outlives its holder")
    assert launcher.adopt(1, 1, pid) is None
    assert launcher.adopt(1, 1, None) is None
    assert launcher.adopt(1, 1, NO_PID) is None
    assert launcher.adopt(2, 1, None) is None  # never started


def test_a_stranger_on_an_old_pid_is_neither_adopted_nor_touched(launcher: LocalLauncher, home: Home) -> None:
    """The attempt lives, but the pid on record belongs to a process without its mark."""
    handle = start(launcher, home, "stay")
    stranger = subprocess.Popen(["sleep", "60"], env={"ORCH_COOKIE": cookie(STORE, 1, 11)})
    before = len(os.listdir("/proc/self/fd"))
    try:
        assert launcher.adopt(1, 1, stranger.pid) is None
        assert stranger.poll() is None
        assert len(os.listdir("/proc/self/fd")) == before
    finally:
        stranger.kill()
        stranger.wait()
    launcher.stop(handle, kill=True)
    wait_for_end(handle)
    launcher.bury(handle)


def test_a_marked_process_without_the_lock_is_not_adopted(launcher: LocalLauncher, home: Home) -> None:
    """What a dead worker left behind carries its mark too."""
    handle = start(launcher, home, "unlocked")
    assert launcher.adopt(1, 1, handle.pid) is None
    launcher.stop(handle, kill=True)
    wait_for_end(handle)
    launcher.bury(handle)


def test_closing_lets_the_workers_go_on(launcher: LocalLauncher, home: Home) -> None:
    handle = start(launcher, home, "stay")
    launcher.close()
    assert launcher.is_alive(1, 1)
    os.kill(handle.pid, signal.SIGKILL)
    until(lambda: not launcher.is_alive(1, 1), "the lock outlives its holder")


LEFTOVERS = """
import os, subprocess, sys
from pathlib import Path
inherited = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
sys.path.insert(0, sys.argv[2])
import test_launcher as t
from store.home import Home
from tui_orch.worker.subreaper import become_subreaper, own_children
t.STORE = sys.argv[3]
assert become_subreaper()
home = Home(Path(sys.argv[1]))
launcher = t.launcher_of(home, sys.argv[4])
killed = t.start(launcher, home, "hide", job=1)
other = t.start(launcher, home, "hide", job=2)
launcher.stop(killed, kill=True)
t.wait_for_end(killed)
assert len(own_children()) > (2 if sys.argv[4] == 'forked' else 3)  # inherited, both workers or their forker, and what was hidden
assert launcher.end_leftovers(1, 1) == 1
assert launcher.bury(killed) == -9
assert inherited.pid in own_children() and len(own_children()) == 2
assert not launcher.has_ended(other) and launcher.is_alive(2, 1)
assert inherited.poll() is None
assert launcher.end_leftovers(1, 1) == 0
launcher.stop(other, kill=True)
t.wait_for_end(other)
assert launcher.bury(other) == -9
assert launcher.end_leftovers(2, 1) == 1
inherited.kill()
inherited.wait()
launcher.close()
assert own_children() == []
"""


def test_what_killed_workers_hide_is_found_and_nothing_else_is_touched(home: Home, way: str) -> None:
    """Without an environment and in a session of its own; other workers, and children from before, are untouched."""
    argv = [sys.executable, "-c", LEFTOVERS, str(home.root), str(Path(__file__).parent), STORE, way]
    run = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr


def test_what_an_adopted_worker_left_is_found_by_its_mark(home: Home, way: str) -> None:
    """Its orphans have not come to us; this one is known to the launcher as no stranger."""
    leftover = subprocess.Popen(["sleep", "60"], env={"ORCH_COOKIE": cookie(STORE, 1, 1)})
    launcher = launcher_of(home, way)
    handle = launcher.adopt(1, 1, started_by_another(home, "stay", way))
    assert handle is not None
    launcher.stop(handle, kill=True)
    wait_for_end(handle)
    launcher.bury(handle)
    assert launcher.end_leftovers(1, 1) == 1
    assert leftover.wait() == -signal.SIGKILL
