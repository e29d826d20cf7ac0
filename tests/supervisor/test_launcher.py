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
from tui_orch.supervisor.launcher import Handle, Launcher, LaunchError, LocalLauncher
from tui_orch.worker.cookie import cookie, marked_pids, sweep

STANDIN = (sys.executable, str(Path(__file__).with_name("standin.py")))
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


@pytest.fixture
def launcher(home: Home) -> Iterator[LocalLauncher]:
    launcher = LocalLauncher(home, STORE, STANDIN)
    yield launcher
    launcher.close()
    for job in range(1, 4):
        for attempt in range(1, 3):
            sweep(cookie(STORE, job, attempt))


def environment(part: str, job: int = 1, attempt: int = 1) -> dict[str, str]:
    return {"STANDIN": part, "ORCH_COOKIE": cookie(STORE, job, attempt)}


def start(launcher: LocalLauncher, home: Home, part: str, job: int = 1, attempt: int = 1) -> Handle:
    handle = launcher.start(job, attempt, environment(part, job, attempt))
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
        launcher.start(1, 1, {})
    assert os.listdir("/proc/self/fd") == before


def test_one_that_can_not_be_watched_is_ended_again(
    launcher: LocalLauncher, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(pid: int) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    with pytest.raises(LaunchError, match="Too many open files"):
        launcher.start(1, 1, environment("stay"))
    assert marked_pids(cookie(STORE, 1, 1)) == []


def test_a_projects_own_modules_never_become_the_workers(home: Home) -> None:
    """The worker runs in the project's folder; its ``store`` and ``tui_orch`` are not ours."""
    trap = "from pathlib import Path; Path('trapped').touch()"
    for module in ("tui_orch/worker/__main__.py", "store/__init__.py", "asyncio.py"):
        path = home.project / module
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(trap)
    launcher = LocalLauncher(home, STORE)
    handle = launcher.start(1, 1, {})
    wait_for_end(handle)
    launcher.bury(handle)
    assert not (home.project / "trapped").exists()


SUPERVISOR = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import test_launcher as t
from store.home import Home
home = Home(Path(sys.argv[1]))
launcher = t.LocalLauncher(home, sys.argv[3], t.STANDIN)
t.STORE = sys.argv[3]
print(t.start(launcher, home, sys.argv[4]).pid, flush=True)
time.sleep(60)
"""


def started_by_another(home: Home, part: str) -> int:
    """Let another supervisor start a worker, kill that supervisor with SIGKILL, return the worker's pid."""
    argv = [sys.executable, "-c", SUPERVISOR, str(home.root), str(Path(__file__).parent), STORE, part]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        pid = int(other.stdout.readline())
        other.kill()
    return pid


@pytest.mark.parametrize("is_known", [True, False])
def test_a_worker_outlives_its_supervisor_and_is_adopted(launcher: LocalLauncher, home: Home, is_known: bool) -> None:
    """By the pid that the store knows, or, before the worker has claimed its attempt, by that in its lock file."""
    pid = started_by_another(home, "stay")
    handle = launcher.adopt(1, 1, pid if is_known else None)
    assert handle is not None
    assert (handle.pid, handle.job_id, handle.attempt) == (pid, 1, 1)
    assert launcher.is_alive(1, 1)
    assert not launcher.has_ended(handle)
    launcher.stop(handle, kill=False)
    wait_for_end(handle)
    assert launcher.bury(handle) is None  # only its parent could know the code
    until(lambda: not launcher.is_alive(1, 1), "the lock outlives its holder")


def test_a_worker_that_has_ended_is_not_adopted(launcher: LocalLauncher, home: Home) -> None:
    pid = started_by_another(home, "stay")
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


def test_closing_lets_the_workers_go_on(home: Home) -> None:
    launcher = LocalLauncher(home, STORE, STANDIN)
    handle = start(launcher, home, "stay")
    launcher.close()
    assert launcher.is_alive(1, 1)
    os.kill(handle.pid, signal.SIGKILL)
    os.waitpid(handle.pid, 0)


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
launcher = t.LocalLauncher(home, t.STORE, t.STANDIN)
killed = t.start(launcher, home, "hide", job=1)
other = t.start(launcher, home, "hide", job=2)
launcher.stop(killed, kill=True)
t.wait_for_end(killed)
assert len(own_children()) > 3  # inherited, both workers, and what the killed one had hidden
assert launcher.end_leftovers(1, 1) == 1
assert launcher.bury(killed) == -9
assert sorted(own_children()) == sorted([inherited.pid, other.pid])
assert not launcher.has_ended(other) and launcher.is_alive(2, 1)
assert inherited.poll() is None
assert launcher.end_leftovers(1, 1) == 0
launcher.stop(other, kill=True)
t.wait_for_end(other)
assert launcher.bury(other) == -9
assert launcher.end_leftovers(2, 1) == 1
inherited.kill()
inherited.wait()
assert own_children() == []
"""


def test_what_killed_workers_hide_is_found_and_nothing_else_is_touched(home: Home) -> None:
    """Without an environment and in a session of its own; other workers, and children from before, are untouched."""
    argv = [sys.executable, "-c", LEFTOVERS, str(home.root), str(Path(__file__).parent), STORE]
    run = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr


def test_what_an_adopted_worker_left_is_found_by_its_mark(home: Home) -> None:
    """Its orphans have not come to us; this one is known to the launcher as no stranger."""
    leftover = subprocess.Popen(["sleep", "60"], env={"ORCH_COOKIE": cookie(STORE, 1, 1)})
    launcher = LocalLauncher(home, STORE, STANDIN)
    handle = launcher.adopt(1, 1, started_by_another(home, "stay"))
    assert handle is not None
    launcher.stop(handle, kill=True)
    wait_for_end(handle)
    launcher.bury(handle)
    assert launcher.end_leftovers(1, 1) == 1
    assert leftover.wait() == -signal.SIGKILL
