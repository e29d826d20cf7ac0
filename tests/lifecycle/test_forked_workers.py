"""The process that forks workers, killed or stopped at any moment: nothing is lost, nothing runs twice, nothing is left over."""

import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from at_work import AtWork
from scripted import report, scripted

from store.models import Limits, NewJob, NewTree
from store.states import Kind, Status
from store.tree import attempts
from tui_orch.demo.script import Role, Script
from tui_orch.worker.record import left
from tui_orch.worker.subreaper import children_of

FORKER = b"tui_orch.worker.forker"
HOLD = "echo $ORCH_JOB_ID >> ran; while [ ! -e go ]; do sleep 0.02; done; echo ok"
#: Ends when four of them run at once: so many are never free.
GATHER = "echo $ORCH_JOB_ID >> ran; touch g-$ORCH_JOB_ID; while [ $(ls g-* | wc -l) -lt 4 ]; do sleep 0.02; done"


def forkers(work: AtWork) -> list[int]:
    """Return the forkers of the living supervisor."""
    return [pid for pid in children_of(work.supervisors[-1].pid) if FORKER in _shown(pid, "cmdline")]


def ran(work: AtWork) -> Counter[str]:
    file = work.project / "ran"
    return Counter(file.read_text().split()) if file.exists() else Counter()


def group(work: AtWork, *requests: str, max_workers: int = 4) -> int:
    items = tuple(NewJob(request, Kind.COMMAND) for request in requests)
    return work.submit_tree(
        NewTree(NewJob("all", Kind.GROUP), items, Limits(max_workers=max_workers), str(work.project))
    )


def supervise(work: AtWork) -> "subprocess.Popen[bytes]":
    """Start a supervisor, and return when its workers are forked: the first ones are not, since its forker imports then."""
    supervisor = work.supervise()
    while int(work.until_ended(work.submit("cut -d' ' -f4 /proc/$PPID/stat")).result or 0) not in forkers(work):
        pass
    return supervisor


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def end(work: AtWork, pid: int) -> None:
    """Kill a process, and return when it has closed all it had open: it shows no arguments any more before that."""
    watch = os.pidfd_open(pid)
    kill(pid)
    work.wait_for(lambda: _has_ended(watch), f"the end of {pid}")
    os.close(watch)


def test_workers_outlive_their_killed_forker_and_the_next_ones_have_another(work: AtWork) -> None:
    supervise(work)
    root = group(work, HOLD, HOLD, max_workers=2)
    work.wait_for(lambda: ran(work).total() == 2, "two workers")
    (first,) = forkers(work)
    end(work, first)
    (work.project / "go").touch()
    assert work.until_ended(root).status is Status.COMPLETED
    assert [job.attempt for job in work.jobs(root)[1:]] == [1, 1]
    after = group(work, *[GATHER] * 4)
    assert work.until_ended(after).status is Status.COMPLETED
    assert set(ran(work).values()) == {1}
    (second,) = forkers(work)
    assert second != first


def test_forkers_killed_at_any_moment_lose_nothing_and_run_nothing_twice(work: AtWork) -> None:
    """A try that was never begun is not used up, so one is enough for each. They say something and take so long that each needs a fork."""
    chance = random.Random(7)
    item = NewJob("echo $ORCH_JOB_ID | tee -a ran; sleep 1.1", Kind.COMMAND)
    limits = Limits(max_workers=8, max_attempts=1, max_children=40)
    work.set("slots", 8)
    supervise(work)
    root = work.submit_tree(NewTree(NewJob("all", Kind.GROUP), (item,) * 40, limits, str(work.project)))
    kills = 0
    while not (job := work.job(root)).ended_ms:
        for pid in forkers(work):
            time.sleep(chance.uniform(0.15, 0.5))  # one that has not forked yet has no successor for a while
            kill(pid)
            kills += 1
    assert job.status is Status.COMPLETED, work.describe()
    assert kills > 1, work.describe()
    assert len(ran(work)) == 40
    assert set(ran(work).values()) == {1}
    work.wait_for(lambda: not work.processes(), "the end of all processes")


def test_a_forker_ends_with_its_supervisor_and_its_workers_are_taken_over(work: AtWork) -> None:
    supervisor = supervise(work)
    root = work.submit(HOLD)
    work.wait_for(lambda: ran(work).total() == 1, "the worker")
    (forker,) = forkers(work)
    watch = os.pidfd_open(forker)
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    work.wait_for(lambda: _has_ended(watch), "the end of the forker")
    os.close(watch)
    work.supervise()
    (work.project / "go").touch()
    job = work.until_ended(root)
    assert (job.status, job.attempt) == (Status.COMPLETED, 1)


def test_a_short_command_that_outlives_its_supervisor_records_its_end_itself(work: AtWork) -> None:
    """No supervisor is there to take it in, and none comes."""
    supervisor = supervise(work)
    root = work.submit("touch begun; sleep 0.7; echo done")
    work.wait_for((work.project / "begun").exists, "the command")
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    job = work.until_ended(root)
    assert (job.status, job.result, job.attempt) == (Status.COMPLETED, "done\n", 1)


def test_a_short_commands_attempt_is_on_record_like_any_other(work: AtWork) -> None:
    """Its worker never opened the store: the supervisor has noted the claim, and taken in what was left with its lock."""
    supervise(work)
    root = work.submit("echo one; exit 3", max_attempts=1)
    job = work.until_ended(root)
    assert (job.status, job.result, job.reason) == (Status.FAILED, "one\n", "exit_code")
    with work.store.read() as reader:
        (attempt,) = attempts(reader, root)
    assert attempt.pid is not None
    assert attempt.claimed_ms is not None
    assert (attempt.outcome, attempt.exit_code) == ("failed", 3)
    assert sorted(file.name for file in work.home.attempt_dir(root, 1).iterdir()) == ["lock", "output", "worker.log"]


def test_a_supervisor_killed_before_it_takes_in_an_outcome_loses_none(work: AtWork) -> None:
    """It waits for the database while the command ends, and the worker leaves its outcome to it; then it is killed."""
    supervisor = supervise(work)
    root = work.submit("touch begun; sleep 0.5; echo done >> ran; echo done", max_attempts=1)
    work.wait_for((work.project / "begun").exists, "the command")
    with work.store.write():
        work.wait_for(lambda: left(work.home.attempt_dir(root, 1)) is not None, "what the worker leaves")
        supervisor.send_signal(signal.SIGKILL)
        supervisor.wait()
    assert work.job(root).status is Status.RUNNING
    work.supervise()
    job = work.until_ended(root)
    assert (job.status, job.result, job.attempt) == (Status.COMPLETED, "done\n", 1)
    assert ran(work) == {"done": 1}


def test_a_stopped_forker_is_done_without(work: AtWork) -> None:
    supervise(work)
    (forker,) = forkers(work)
    os.kill(forker, signal.SIGSTOP)
    root = group(work, *[GATHER] * 4)
    assert work.until_ended(root).status is Status.COMPLETED
    assert [job.attempt for job in work.jobs(root)[1:]] == [1] * 4
    assert set(ran(work).values()) == {1}
    work.wait_for(lambda: forker not in forkers(work), "the end of the stopped one")


def test_what_a_killed_worker_hid_is_ended_though_it_was_forked(work: AtWork) -> None:
    """It has emptied its environment and left its session: the forker is no subreaper, so it comes to the supervisor."""
    hide = "setsid env -i sleep 300 >&- 2>&- & "
    supervise(work)
    root = work.submit(f"if [ ! -e second ]; then ({hide}); touch second; sleep 300; fi; echo ok")
    work.wait_for((work.project / "second").exists, "the first attempt")
    pid = work.worker_pid(root)
    (hidden,) = (each for each in children_of(pid) if b"sleep\x00300" in _shown(each, "cmdline"))
    assert b"ORCH" not in _shown(hidden, "environ")
    watch = os.pidfd_open(hidden)
    kill(pid)
    job = work.until_ended(root)
    assert (job.status, job.attempt) == (Status.COMPLETED, 2)
    assert _has_ended(watch)
    os.close(watch)


def test_a_forker_knows_nothing_of_the_supervisors_environment(work: AtWork) -> None:
    """Not in what it shows, and not in its memory: what no worker may have never came to it."""
    secret = "made-up-" + "".join(random.choices("abcdef", k=24))
    work.env["SECRET_OF_A_PERSON"] = secret
    supervise(work)
    root = work.submit("tr '\\0' '\\n' < /proc/$PPID/environ; echo; env")
    seen = work.until_ended(root).result or ""
    (forker,) = forkers(work)
    assert f"ORCH_COOKIE={work.store.store_id}/{root}.1" in seen
    assert secret not in seen
    assert re.fullmatch(rb"ORCH_COOKIE=-+\0+|ORCH_COOKIE=none\0+", _shown(forker, "environ"))
    memory = _memory(forker)
    assert str(work.home.root).encode() in memory  # so it can be found, if it is there
    assert secret.encode() not in memory


@pytest.mark.real_cli
def test_claude_workers_are_forked_once_the_sdk_is_imported(work: AtWork) -> None:
    """And the killed forker of theirs is replaced like the other."""
    with scripted(work, Script((Role(r"^SAY", report("said")),))):
        work.supervise()
        found = []
        for _ in range(2):
            job = work.until_ended(work.submit("SAY it", Kind.CLAUDE))
            assert (job.status, job.result, job.attempt) == (Status.COMPLETED, "said", 1)
            (forker,) = forkers(work)
            assert b"claude" in _shown(forker, "cmdline")
            found.append(forker)
            end(work, forker)
    assert found[0] != found[1]


def _shown(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _has_ended(watch: int) -> bool:
    import select

    return bool(select.select([watch], [], [], 0)[0])


def _memory(pid: int) -> bytes:
    """Return all that a process has written to."""
    parts = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, mode, *_ = line.split()
            start, end = (int(part, 16) for part in place.split("-"))
            if mode.startswith("rw"):
                memory.seek(start)
                parts.append(memory.read(end - start))
    return b"".join(parts)
