"""Workers that do not want to end, and what they leave: nothing of an ended attempt stays alive, whatever it tried."""

import os
import shlex
import signal
import sys
import time
from pathlib import Path

from at_work import AtWork, now_ms

from store.models import Limits, NewJob, NewTree
from store.states import Kind, Status
from store.tree import attempts
from tests.worker.hostile import tagged

HOSTILE = Path(__file__).parents[1] / "worker" / "hostile.py"
TRICKS = ["ignore_term", "double_fork", "empty_environment", "chain", "storm"]
#: Without the first: five workers that are gone at once would pause the store.
HIDDEN = TRICKS[1:]
GRACE_S = 1.0


def trick(work: AtWork, name: str) -> str:
    """Return the command that plays a trick in the background and waits until it is in place."""
    play = shlex.join([sys.executable, str(HOSTILE), name, tag(work, name), str(ready(work, name))])
    return f"{play} & while [ ! -e {ready(work, name)} ]; do sleep 0.02; done"


def ready(work: AtWork, name: str) -> Path:
    return work.project / f"{name}.ready"


def tag(work: AtWork, name: str) -> str:
    return f"{work.project}/{name}.tag"


def left_of_all(work: AtWork) -> list[str]:
    return [name for name in TRICKS if tagged(tag(work, name))]


def group(work: AtWork, *commands: str) -> int:
    items = tuple(NewJob(command, Kind.COMMAND) for command in commands)
    return work.submit_tree(NewTree(NewJob("tricks", Kind.GROUP), items, Limits(max_workers=5), str(work.project)))


def worker_pid(work: AtWork, job_id: int) -> int:
    return work.until(lambda reader: attempts(reader, job_id)[-1].pid, f"the pid of #{job_id}")


def test_what_a_command_hides_ends_with_its_attempt(work: AtWork) -> None:
    """The commands end well; each job's end is recorded when nothing of it is left."""
    root = group(work, *(f"{trick(work, name)}; echo done" for name in TRICKS))
    work.supervise()
    for job, name in zip(work.jobs(root)[1:], TRICKS, strict=True):
        assert work.until_ended(job.id).result == "done\n"
        assert tagged(tag(work, name)) == [], name
    assert work.until_ended(root).status is Status.COMPLETED


def test_what_a_command_hides_ends_when_its_worker_is_killed(work: AtWork) -> None:
    """The supervisor is the next subreaper: the job is run again when nothing of the first attempt is left."""

    def twice(name: str) -> str:
        mark = f"{work.project}/{name}.second"
        count = f"ps -eo args | grep -v grep | grep -c -- {tag(work, name)}; true"
        return f"if [ -e {mark} ]; then {count}; else touch {mark}; {trick(work, name)}; wait; sleep 300; fi"

    root = group(work, *map(twice, HIDDEN))
    work.supervise()
    jobs = work.jobs(root)[1:]
    for job, name in zip(jobs, HIDDEN, strict=True):
        work.wait_for(ready(work, name).exists, f"the trick {name}")
        os.kill(worker_pid(work, job.id), signal.SIGKILL)
    for job, name in zip(jobs, HIDDEN, strict=True):
        ended = work.until_ended(job.id)
        assert (ended.status, ended.attempt, ended.result) == (Status.COMPLETED, 2, "0\n"), name
    assert left_of_all(work) == []


def test_a_cancelled_tree_ends_within_the_grace_and_two_seconds_though_all_ignore_sigterm(work: AtWork) -> None:
    """At every depth; the parent's ledger says that its child was cancelled."""
    work.set("grace_s", GRACE_S)
    deaf = "trap '' TERM; touch deep; sleep 300; sleep 300"
    root = work.submit(f"trap '' TERM; orch spawn --wait --kind command {shlex.quote(deaf)}; sleep 300")
    work.supervise()
    work.wait_for((work.project / "deep").exists, "the command below")
    began = time.monotonic()
    work.orch("cancel", str(root), "--yes")
    work.until_ended(root)
    work.wait_for(lambda: not work.processes(), "the end of all processes")
    assert time.monotonic() - began < GRACE_S + 2.0
    assert [job.status for job in work.jobs(root)] == [Status.CANCELLED] * 2


def test_a_stopped_worker_is_ended_at_its_deadline(work: AtWork) -> None:
    """SIGTERM does not reach what is stopped; SIGKILL does, after the grace, and with it all that it started."""
    work.set("grace_s", 0.3)
    root = work.submit("touch started; sleep 300", timeouts_s=(1.0,))
    work.supervise()
    work.wait_for((work.project / "started").exists, "the command")
    os.kill(worker_pid(work, root), signal.SIGSTOP)
    ended = work.until_ended(root)
    assert (ended.status, ended.reason) == (Status.FAILED, "timeout")
    assert ended.ended_ms is not None
    assert ended.deadline_ms is not None
    assert ended.ended_ms - ended.deadline_ms < 2_300
    work.wait_for(lambda: not work.processes(), "the end of the stopped worker")


def test_a_worker_that_is_stopped_for_a_while_goes_on_where_it_was(work: AtWork) -> None:
    """Longer than the grace and than any look of the supervisor: it has its lock, so it lives."""
    work.set("grace_s", 0.1)
    root = work.submit("touch started; while [ ! -e go ]; do sleep 0.02; done; echo fine")
    work.supervise()
    work.wait_for((work.project / "started").exists, "the command")
    pid = worker_pid(work, root)
    os.kill(pid, signal.SIGSTOP)
    until_ms = now_ms() + 1_200
    (work.project / "go").touch()
    work.wait_for(lambda: now_ms() > until_ms, "some time")
    assert work.job(root).status is Status.RUNNING
    os.kill(pid, signal.SIGCONT)
    ended = work.until_ended(root)
    assert (ended.status, ended.result, ended.attempt) == (Status.COMPLETED, "fine\n", 1)
