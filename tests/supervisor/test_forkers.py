"""Forkers that die at every moment, or are of no use: each worker is started all the same, and never two for one attempt."""

import json
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_launcher import STANDIN, STORE, WAYS, begin, environment, start, until, wait_for_end

from store.home import Home, create_home
from store.states import Kind
from tui_orch.supervisor.launcher import WORKER, Handle, LaunchError, LocalLauncher, Order
from tui_orch.worker.cookie import cookie, is_marked, marked_pids, sweep
from tui_orch.worker.fork_messages import MESSAGE_BYTES
from tui_orch.worker.forked import NEVER_BEGAN
from tui_orch.worker.subreaper import children_of, own_children

DYING = Path(__file__).with_name("dying_forker.py")
Launching = Callable[[str], LocalLauncher]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "project" / ".orch")
    create_home(home)
    return home


@pytest.fixture
def launching(home: Home) -> Iterator[Launching]:
    """Return launchers whose forker dies at a moment."""
    launchers = []

    def launching(moment: str) -> LocalLauncher:
        launchers.append(LocalLauncher(home, STORE, STANDIN, (sys.executable, str(DYING), moment)))
        return launchers[-1]

    yield launching
    for launcher in launchers:
        launcher.close()
    for job in range(1, 4):
        sweep(cookie(STORE, job, 1))


def end(launcher: LocalLauncher, handle: Handle) -> int | None:
    launcher.stop(handle, kill=False)
    wait_for_end(handle)
    return launcher.bury(handle)


def forker_of(handle: Handle) -> int:
    return int(Path(f"/proc/{handle.pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.parametrize("moment", ["import", "request", "fork", "stuck"])
def test_a_forker_that_dies_or_is_stuck_before_it_answers_is_done_without(
    launching: Launching, home: Home, moment: str
) -> None:
    """The worker is started anew, and what was forked has never begun: there is one, with one report."""
    launcher = launching(moment)
    handle = start(launcher, home, "stay")
    assert forker_of(handle) == os.getpid()
    until(lambda: marked_pids(cookie(STORE, 1, 1)) == [handle.pid], "there is more than the one worker")
    assert len((home.attempt_dir(1, 1) / "worker.log").read_text().splitlines()) == 2
    assert end(launcher, handle) == -signal.SIGTERM


def test_what_a_forker_has_answered_counts_though_it_dies_with_requests_unread(
    launching: Launching, home: Home
) -> None:
    """Of three orders the first is forked, and goes on; the others are started anew: one worker for each."""
    launcher = launching("second")
    until(lambda: not launcher.is_getting_ready(Kind.COMMAND), "the launcher never gets ready")
    started = launcher.start([Order(job, 1, environment("stay", job)) for job in (1, 2, 3)])
    handles = [each for each in started if isinstance(each, Handle)]
    assert [handle.job_id for handle in handles] == [1, 2, 3]
    for job, handle in enumerate(handles, start=1):
        until((home.attempt_dir(job, 1) / "ready").exists, "the worker never began")
        until(lambda: marked_pids(cookie(STORE, job, 1)) == [handle.pid], "there is more than the one worker")  # noqa: B023
    seen = [json.loads((home.attempt_dir(job, 1) / "worker.log").read_text().splitlines()[0]) for job in (1, 2, 3)]
    assert [each["fds"] for each in seen] == [[0, 1, 2]] * 3
    assert launcher.end_leftovers(4, 1) == 0  # none of them is a stranger
    for handle in handles:
        assert end(launcher, handle) in (-signal.SIGTERM, None)  # an orphan's code, its new parent knows


def test_a_worker_whose_forker_dies_before_it_may_begin_never_does(launching: Launching, home: Home) -> None:
    """The launcher knows it, and sees it end; nobody has taken the attempt."""
    launcher = launching("answer")
    handle = begin(launcher, 1, 1, environment("stay"))
    wait_for_end(handle)
    assert launcher.bury(handle) in (NEVER_BEGAN, None)  # its parent is dead: who takes over can not know
    assert not launcher.is_alive(1, 1)
    assert (home.attempt_dir(1, 1) / "worker.log").read_text() == ""


def test_a_forker_that_ends_by_itself_is_started_again_when_it_is_needed(launching: Launching, home: Home) -> None:
    launcher = launching("idle")
    first = start(launcher, home, "stay", job=1)
    forker = forker_of(first)
    assert end(launcher, first) == -signal.SIGTERM
    watch = os.pidfd_open(forker)
    assert select.select([watch], [], [], 30)[0], "the forker stays"
    os.close(watch)
    second = start(launcher, home, "stay", job=2)
    assert forker_of(second) not in (forker, os.getpid())
    assert end(launcher, second) == -signal.SIGTERM
    launcher.close()
    assert forker not in own_children()  # buried, too


def test_workers_outlive_a_killed_forker_and_another_takes_its_place(launching: Launching, home: Home) -> None:
    launcher = launching("never")
    first = start(launcher, home, "stay", job=1)
    forker = forker_of(first)
    os.kill(forker, signal.SIGKILL)
    os.waitid(os.P_PID, forker, os.WEXITED | os.WNOWAIT)
    second = start(launcher, home, "stay", job=2)
    assert forker_of(second) not in (forker, os.getpid())
    assert launcher.is_alive(1, 1)
    assert not launcher.has_ended(first)
    end(launcher, first)
    assert end(launcher, second) == -signal.SIGTERM


def test_one_forker_of_no_use_is_not_tried_for_each_worker(launching: Launching, home: Home) -> None:
    launcher = launching("import")
    handles = [start(launcher, home, "stay", job=job) for job in (1, 2)]
    assert [forker_of(handle) for handle in handles] == [os.getpid()] * 2
    assert len(own_children()) - len(launcher._inherited) == 2
    for handle in handles:
        end(launcher, handle)


def test_an_environment_too_large_for_a_message_is_no_reason_not_to_start(launching: Launching, home: Home) -> None:
    launcher = launching("never")
    large = {f"LARGE_{n}": "x" * 100_000 for n in range(MESSAGE_BYTES // 100_000 + 4)}
    handle = begin(launcher, 1, 1, environment("stay") | large)
    until((home.attempt_dir(1, 1) / "ready").exists, "the worker never began")
    assert forker_of(handle) == os.getpid()
    end(launcher, handle)
    small = start(launcher, home, "stay", job=2)
    assert forker_of(small) != os.getpid()
    end(launcher, small)


def test_a_worker_that_can_not_be_forked_for_a_reason_is_told_with_it(launching: Launching, home: Home) -> None:
    """A link where its folder should be: nothing is written where it leads."""
    elsewhere = home.project / "elsewhere"
    elsewhere.mkdir()
    (home.root / "jobs").symlink_to(elsewhere)
    with pytest.raises(LaunchError, match=r"cannot fork a worker for #1: .*is a link"):
        begin(launching("never"), 1, 1, environment("report"))
    assert list(elsewhere.iterdir()) == []


def test_a_forked_worker_shows_its_mark_and_its_own_command_line(launching: Launching, home: Home) -> None:
    """And the forker shows neither, nor anything of the environments that it was sent."""
    launcher = launching("never")
    handle = begin(launcher, 1, 1, environment("stay") | {"SECRET_OF_A_WORKER": "made-up"})
    until((home.attempt_dir(1, 1) / "ready").exists, "the worker never began")
    forker = forker_of(handle)
    assert is_marked(handle.pid, cookie(STORE, 1, 1))
    shown = Path(f"/proc/{handle.pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    assert shown[1:] == [b"-m", b"tui_orch.worker", bytes(home.root), b"1", b"1"]
    variables = Path(f"/proc/{forker}/environ").read_bytes().rstrip(b"\0").split(b"\0")
    assert [each.partition(b"=")[0] for each in variables] == [b"ORCH_COOKIE"]
    assert b"made-up" not in b"".join(Path(f"/proc/{pid}/environ").read_bytes() for pid in (forker, handle.pid))
    assert not is_marked(forker, cookie(STORE, 1, 1))
    assert children_of(forker) == [handle.pid]
    end(launcher, handle)


def test_forkers_of_claude_get_ready_beside_the_launcher(home: Home) -> None:
    """Their imports take a second or more, in which a launcher has other things to do."""
    launcher = LocalLauncher(home, STORE)
    try:
        assert not launcher.is_prepared(Kind.CLAUDE)
        until(lambda: launcher.is_prepared(Kind.CLAUDE), "the forker does not get ready")
        (forker,) = (pid for pid in own_children() if pid not in launcher._inherited)
        assert len(os.listdir(f"/proc/{forker}/task")) == 1
    finally:
        launcher.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_projects_own_modules_never_become_the_workers(home: Home, way: str) -> None:
    """The worker runs in the project's folder; its ``store`` and ``tui_orch`` are not ours."""
    trap = "from pathlib import Path; Path('trapped').touch()"
    for module in ("tui_orch/worker/__main__.py", "store/__init__.py", "asyncio.py"):
        path = home.project / module
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(trap)
    launcher = LocalLauncher(home, STORE, WORKER if way == "forked" else list(WORKER))
    handle = begin(launcher, 1, 1, {})
    wait_for_end(handle)
    launcher.bury(handle)
    launcher.close()
    assert not (home.project / "trapped").exists()
