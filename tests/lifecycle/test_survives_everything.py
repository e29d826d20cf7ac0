"""One tree of real Claude Code workers, and in one test all that can end the day: it ends right, and nothing is paid for twice."""

import os
import signal
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from at_work import AtWork
from scripted import report, scripted, spawn

from store.database import Reader
from store.states import Kind, Status
from store.tree import attempts, get_job, store_state
from tests.store.invariants import check
from tui_orch.demo.faults import usage_limit
from tui_orch.demo.model import ScriptedModel
from tui_orch.demo.script import Role, Script, ToolCall, Turn

pytestmark = [pytest.mark.real_cli, pytest.mark.timeout(180)]


def bash(command: str) -> tuple[ToolCall, ...]:
    return (ToolCall("Bash", {"command": command}),)


def test_a_tree_survives_the_kill_of_its_supervisor_the_kill_of_a_worker_and_a_usage_limit(work: AtWork) -> None:
    """Root, two children, a grandchild. The supervisor is killed while a child and the grandchild work, one worker is
    killed in the middle of its session, and then the usage limit is reached. Each session goes on where it was."""
    resets_s = int(time.time()) + 15
    limited = replace(report("the leaf is found")[0], error=usage_limit(resets_s, times=1))
    script = Script(
        (
            Role(
                r"^LEAF",
                (
                    Turn("I look.", bash("echo looked > leaf"), hold="{cwd}/go"),
                    limited,
                    *report("the leaf is found")[1:],
                ),
            ),
            Role(
                r"^KILLED",
                (
                    Turn("I begin.", bash("echo begun >> killed")),
                    Turn("I go on.", bash("echo gone on >> killed"), hold="{cwd}/go"),
                    *report("killed once, and done"),
                ),
            ),
            Role(r"^SPLITS", (spawn("LEAF of the tree"), *report("split and done"))),
            Role(r"^ROOT", (spawn("KILLED in the middle", "SPLITS once more"), *report("all is well"))),
        )
    )
    with scripted(work, script) as model:
        del work.env["ANTHROPIC_API_KEY"]
        work.env["CLAUDE_CODE_OAUTH_TOKEN"] = "made-up"
        supervisor = work.supervise()
        root = work.submit("ROOT of it all", Kind.CLAUDE, max_attempts=2)

        # Both, and so no attempt is only half started: that one would be given back, and begin once more.
        work.wait_for(lambda: held(model) >= {"KILLED", "LEAF"}, "the turns that are held")
        supervisor.send_signal(signal.SIGKILL)
        supervisor.wait()

        victim = work.until(lambda reader: running(reader, "KILLED"), "the worker to be killed")
        os.kill(victim, signal.SIGKILL)
        work.supervise()
        work.until(lambda reader: second_attempt(reader, "KILLED"), "its second attempt")
        (work.project / "go").touch()  # not before: the killed worker's Claude Code would get the answer

        braked = work.until(lambda reader: store_state(reader).brake_until_ms, "the usage limit")
        assert braked == resets_s * 1000
        work.wait_for(
            lambda: not [pid for pid in work.processes() if is_leaf(work, pid)], "the end of the leaf's worker"
        )
        with work.store.write() as tx:  # and not up to half a minute later
            tx.run("UPDATE jobs SET not_before_ms = ? WHERE status = 'queued' AND not_before_ms > ?", (braked, braked))

        ended = work.until_ended(root, timeout_s=120)
        entries = model.entries()
    assert (ended.status, ended.result) == (Status.COMPLETED, "all is well"), work.describe()
    jobs = {job.request.split()[0]: job for job in work.jobs(root)}
    assert {name: job.result for name, job in jobs.items()} == {
        "ROOT": "all is well",
        "KILLED": "killed once, and done",
        "SPLITS": "split and done",
        "LEAF": "the leaf is found",
    }
    with work.store.read() as reader:
        found = {name: [a.outcome for a in attempts(reader, job.id)] for name, job in jobs.items()}
        check(reader)
    assert found == {
        "ROOT": ["suspended", "completed"],
        "KILLED": ["lost", "completed"],
        "SPLITS": ["suspended", "completed"],
        "LEAF": ["released", "completed"],
    }, work.describe()
    paid = Counter((entry.prompt, entry.turn) for entry in entries if entry.what == "answered")
    assert set(paid.values()) == {1}, "a finished turn was paid for twice"
    sessions = {(entry.prompt, entry.session) for entry in entries if entry.session}
    assert len(sessions) == len(jobs), "each job has one session over all its attempts"
    assert (work.project / "killed").read_text() == "begun\ngone on\n"
    work.wait_for(lambda: not work.processes(), "the end of all processes")


def held(model: ScriptedModel) -> set[str]:
    """Return the first word of each request whose turn the model holds, or has held."""
    return {entry.prompt.split()[0] for entry in model.entries() if entry.what == "held"}


def running(reader: Reader, name: str) -> int | None:
    """Return the worker's pid of the running job whose request begins so."""
    job_id = reader.value("SELECT id FROM jobs WHERE status = 'running' AND request LIKE ? || '%'", (name,))
    if job_id is None:
        return None
    job = get_job(reader, job_id)
    last = attempts(reader, job.id)[-1]
    return last.pid


def second_attempt(reader: Reader, name: str) -> bool:
    """Tell whether the job whose request begins so is in its second attempt."""
    return bool(reader.value("SELECT 1 FROM jobs WHERE attempt = 2 AND request LIKE ? || '%'", (name,)))


def is_leaf(work: AtWork, pid: int) -> bool:
    """Tell whether a process belongs to the leaf's job."""
    leaf = [job.id for job in work.jobs(1) if job.request.startswith("LEAF")]
    try:
        return bool(leaf) and f"ORCH_JOB_ID={leaf[0]}\0".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
