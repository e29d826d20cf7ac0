"""What can happen to a supervisor, and to what it goes by: signals, a rival, lock files, pids of before a reboot."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from at_work import AtWork, now_ms

from store.claim import claim, start_attempt, token_hash
from store.states import Status
from store.tree import attempts
from tui_orch.supervisor.ownership import holder

#: Says that it runs, waits for a person's word, and says that it ended.
PATIENT = "echo $$ >> ran; while [ ! -e go ]; do sleep 0.02; done; echo ended >> ran"


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that has nothing to do with any store."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def runs(work: AtWork) -> list[str]:
    return (work.project / "ran").read_text().split()


def until_it_runs(work: AtWork) -> None:
    work.wait_for(lambda: (work.project / "ran").exists() and runs(work), "the command")


def test_sigterm_five_times_ends_the_supervisor_in_order_and_nothing_else(work: AtWork) -> None:
    """The worker goes on, the next supervisor takes it over, and the command runs once."""
    root = work.submit(PATIENT)
    supervisor = work.supervise()
    until_it_runs(work)
    for _ in range(5):
        supervisor.terminate()
    assert supervisor.wait(30) == 0
    assert not work.home.supervisor_note.exists()
    work.supervise()
    (work.project / "go").touch()
    assert work.until_ended(root).attempt == 1
    assert runs(work)[1:] == ["ended"]


def test_sigterm_five_times_gives_the_job_back_once_and_uses_up_no_try(work: AtWork) -> None:
    """A worker that is asked to end by someone outside ends once; the job is run again."""
    root = work.submit(PATIENT, max_attempts=1)
    work.supervise()
    until_it_runs(work)
    with os.fdopen(os.pidfd_open(work.worker_pid(root))) as worker:
        for _ in range(5):
            signal.pidfd_send_signal(worker.fileno(), signal.SIGTERM)
    (work.project / "go").touch()
    ended = work.until_ended(root)
    assert (ended.status, ended.attempt, ended.tries) == (Status.COMPLETED, 2, 0)
    with work.store.read() as reader:
        assert [attempt.outcome for attempt in attempts(reader, root)] == ["released", "completed"]


def test_a_stopped_supervisor_costs_only_the_time_that_it_is_stopped(work: AtWork) -> None:
    """Stopped for longer than the deadline of one job: that has expired when it wakes, what ended meanwhile has not."""
    late = work.submit("touch late; sleep 300", timeouts_s=(2.0,))
    done = work.submit(PATIENT)
    supervisor = work.supervise()
    until_it_runs(work)
    work.wait_for((work.project / "late").exists, "the job that will be late")
    supervisor.send_signal(signal.SIGSTOP)
    (work.project / "go").touch()
    assert work.until_ended(done).status is Status.COMPLETED
    due_ms = work.job(late).deadline_ms
    assert due_ms is not None
    work.wait_for(lambda: now_ms() > due_ms, "the deadline")
    assert work.job(late).status is Status.RUNNING
    assert holder(work.home) is not None, "a stopped supervisor still holds the store"
    supervisor.send_signal(signal.SIGCONT)
    ended = work.until_ended(late)
    assert (ended.status, ended.reason) == (Status.FAILED, "timeout")
    assert runs(work)[1:] == ["ended"]


def test_a_second_supervisor_is_refused_with_every_lock_file_deleted(work: AtWork) -> None:
    """The folder itself is locked; a deleted write lock costs nothing, since SQLite's own lock holds beneath it."""
    root = work.submit(PATIENT)
    first = work.supervise()
    until_it_runs(work)
    for path in (work.home.write_lock, work.home.supervisor_note):
        path.unlink()
    assert work.orch("supervise", code=None).returncode != 0
    (work.project / "go").touch()
    assert work.until_ended(root).status is Status.COMPLETED
    assert first.poll() is None


@pytest.mark.parametrize("becomes", ["nothing", "a link"])
def test_a_worker_whose_lock_file_was_taken_away_is_ended_before_the_job_runs_again(work: AtWork, becomes: str) -> None:
    """The next supervisor can not know that it lives, so it ends whatever carries the attempt's mark: never two."""
    root = work.submit("trap '' TERM; echo $$ >> ran; if [ -e second ]; then exit 0; fi; touch second; sleep 300")
    supervisor = work.supervise()
    work.wait_for((work.project / "second").exists, "the first attempt")
    work.worker_pid(root)
    lock = work.home.attempt_dir(root, 1) / "lock"
    lock.unlink()
    if becomes == "a link":
        lock.symlink_to("/dev/null")
    supervisor.kill()
    supervisor.wait()
    work.supervise()
    assert work.until_ended(root).attempt == 2
    first, second = runs(work)
    assert first != second
    with work.store.read() as reader:
        assert [attempt.outcome for attempt in attempts(reader, root)] == ["lost", "completed"]
    work.wait_for(lambda: not work.processes(), "the end of the first attempt")


def test_after_a_reboot_old_pids_mean_nothing(work: AtWork, stranger: "subprocess.Popen[bytes]") -> None:
    """Another program has the number of the worker and of the supervisor: nobody waits for it, nobody ends it."""
    root = work.submit("echo ran again")
    with work.store.write() as tx:
        fence = start_attempt(tx, root, token_hash("of before the reboot"), now_ms())
        claim(tx, fence, stranger.pid, now_ms())
    folder = work.home.attempt_dir(root, 1)
    folder.mkdir(parents=True, mode=0o700)
    (folder / "lock").write_text(f"{stranger.pid}\n")
    work.home.supervisor_note.write_text(json.dumps({"pid": stranger.pid, "since_ms": 1}))
    assert holder(work.home) is None
    work.orch("down", code=None)
    assert stranger.poll() is None
    work.supervise()
    ended = work.until_ended(root)
    assert (ended.status, ended.result, ended.attempt) == (Status.COMPLETED, "ran again\n", 2)
    assert stranger.poll() is None


def test_a_pid_that_no_process_can_have_is_no_process(work: AtWork) -> None:
    """Whatever stands in the lock file, it is not believed, and stops nobody."""
    root = work.submit("echo ran again")
    with work.store.write() as tx:
        start_attempt(tx, root, token_hash("never claimed"), now_ms())
    folder = work.home.attempt_dir(root, 1)
    folder.mkdir(parents=True, mode=0o700)
    (folder / "lock").write_text("9" * 30)
    work.supervise()
    assert work.until_ended(root).status is Status.COMPLETED
