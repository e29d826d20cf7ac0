"""kill -9 of the supervisor and of workers: nothing is lost, nothing runs twice, nothing is left over."""

import os
import signal
from collections import Counter
from pathlib import Path

from at_work import AtWork, now_ms

from store.models import Limits, NewJob, NewTree
from store.states import Kind, Status
from store.tree import attempts


def runs(project: Path) -> Counter[str]:
    """How often each command said that it ran."""
    return Counter((project / "ran").read_text().split())


def tree_of_eight(work: AtWork) -> int:
    """A group of four, each of which spawns one more and waits for it; every one says that it ran, once."""
    items = tuple(
        NewJob(
            f"echo outer{n} >> ran; orch spawn --wait --kind command 'echo inner{n} >> ran; sleep 0.3' && echo end{n} >> ran",
            Kind.COMMAND,
        )
        for n in range(4)
    )
    limits = Limits(max_workers=2)
    return work.submit_tree(NewTree(NewJob("eight", Kind.GROUP), items, limits, str(work.project)))


def test_kill_9_of_the_supervisor_in_mid_tree_loses_nothing_and_runs_nothing_twice(work: AtWork) -> None:
    """Workers go on without it, and the next one takes them over as they are."""
    root = tree_of_eight(work)
    for wanted in (1, 3, 5):
        supervisor = work.supervise()
        work.wait_for(lambda: (work.project / "ran").exists() and runs(work.project).total() >= wanted, "progress")  # noqa: B023
        supervisor.send_signal(signal.SIGKILL)
        supervisor.wait()
    work.supervise()
    assert work.until_ended(root).status is Status.COMPLETED
    expected = {f"{what}{n}": 1 for what in ("outer", "inner", "end") for n in range(4)}
    assert runs(work.project) == expected


def test_a_worker_that_ends_while_no_supervisor_lives_is_taken_in_by_the_next(work: AtWork) -> None:
    """Its outcome is in the store; nobody has to have watched it end."""
    root = work.submit("echo $$ > pid; while [ ! -e go ]; do sleep 0.02; done; echo finished")
    supervisor = work.supervise()
    work.wait_for((work.project / "pid").exists, "the command")
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    (work.project / "go").touch()
    ended = work.until_ended(root)
    assert (ended.status, ended.result, ended.attempt) == (Status.COMPLETED, "finished\n", 1)


def test_kill_9_of_a_worker_is_a_lost_attempt_that_is_tried_again(work: AtWork) -> None:
    """What the dead worker had started is ended before the job runs again."""
    root = work.submit(
        "echo $$ >> shells; if [ ! -e second ]; then touch second; setsid sleep 300 & sleep 300; fi; echo ok"
    )
    work.supervise()
    work.wait_for((work.project / "second").exists, "the first attempt")
    os.kill(work.worker_pid(root), signal.SIGKILL)
    ended = work.until_ended(root)
    assert (ended.status, ended.result, ended.attempt) == (Status.COMPLETED, "ok\n", 2)
    with work.store.read() as reader:
        assert [attempt.outcome for attempt in attempts(reader, root)] == ["lost", "completed"]
    work.wait_for(lambda: not work.processes(), "the end of what the dead worker left")


def test_kill_9_of_worker_and_supervisor_together(work: AtWork) -> None:
    """The next supervisor finds the attempt without a lock, sweeps, and tries it again."""
    root = work.submit("if [ ! -e second ]; then touch second; setsid sleep 300 & sleep 300; fi; echo ok")
    supervisor = work.supervise()
    work.wait_for((work.project / "second").exists, "the first attempt")
    first = work.worker_pid(root)
    supervisor.send_signal(signal.SIGKILL)
    os.kill(first, signal.SIGKILL)
    supervisor.wait()
    work.supervise()
    ended = work.until_ended(root)
    assert (ended.status, ended.attempt) == (Status.COMPLETED, 2)
    work.wait_for(lambda: not work.processes(), "the end of what was left")


def test_a_second_supervisor_is_refused_and_told_who_has_the_store(work: AtWork) -> None:
    """Also with the note about the first one deleted: the folder is locked, not a file in it."""
    first = work.supervise()
    refused = work.orch("supervise", code=None)
    assert refused.returncode != 0
    assert f"process {first.pid}" in refused.stderr
    work.home.supervisor_note.unlink()
    assert work.orch("supervise", code=None).returncode != 0
    assert first.poll() is None


def test_an_attempt_that_was_committed_but_never_started_uses_up_no_try(work: AtWork) -> None:
    """A supervisor that dies between its commit and the start of the process costs nothing."""
    from store.claim import start_attempt, token_hash

    root = work.submit("echo ok", max_attempts=1)
    with work.store.write() as tx:
        start_attempt(tx, root, token_hash("never used"), now_ms())
    work.supervise()
    ended = work.until_ended(root)
    assert (ended.status, ended.attempt) == (Status.COMPLETED, 2)
