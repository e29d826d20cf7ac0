"""kill -9 at the very line: between the commit and the process, after the claim, before and after the outcome."""

import os
import signal
from pathlib import Path

import pytest
from at_work import AtWork
from scripted import report, scripted

from store.models import Attempt, Job
from store.states import Kind, Status
from store.tree import attempts
from tests.lifecycle.chaos.observer import living
from tui_orch.demo.script import Role, Script
from tui_orch.worker import failpoint

COMMAND = "echo $ORCH_ATTEMPT_ID >> ran; sleep 0.1; echo ok"


def armed(work: AtWork, place: str) -> Path:
    """Let the next process that comes to this place die there."""
    file = work.project / f"armed-{place}"
    file.touch()
    work.env |= {failpoint.VARIABLE: f"{place}={file}", "ORCH_ENV_PASS": failpoint.VARIABLE}
    return file


def ran(work: AtWork) -> list[str]:
    return (work.project / "ran").read_text().split()


def ended(work: AtWork, root: int) -> tuple[Job, list[Attempt]]:
    job = work.until_ended(root)
    work.wait_for(lambda: not work.processes(), "the end of all processes")
    with work.store.read() as reader:
        return job, attempts(reader, root)


def test_a_supervisor_that_dies_between_commit_and_process_uses_up_no_try(work: AtWork) -> None:
    """The attempt that nobody claimed is given back, and the next one runs."""
    file = armed(work, "after_start")
    root = work.submit(COMMAND, max_attempts=1)
    assert work.supervise().wait(60) == -signal.SIGKILL
    assert not file.exists()
    assert work.job(root).status is Status.RUNNING
    work.supervise()
    job, tried = ended(work, root)
    assert (job.status, job.result, ran(work)) == (Status.COMPLETED, "ok\n", [f"{root}.2"])
    assert [each.outcome for each in tried] == ["released", "completed"]


def test_a_supervisor_that_dies_right_after_the_start_of_a_worker_loses_nothing(work: AtWork) -> None:
    """The worker that nobody watches does its work, and the next supervisor takes it over as it is."""
    armed(work, "after_spawn")
    root = work.submit(COMMAND, max_attempts=1)
    assert work.supervise().wait(60) == -signal.SIGKILL
    work.supervise()
    job, tried = ended(work, root)
    assert (job.status, job.result, ran(work)) == (Status.COMPLETED, "ok\n", [f"{root}.1"])
    assert [each.outcome for each in tried] == ["completed"]


@pytest.mark.parametrize(("place", "both_ran"), [("after_claim", False), ("before_outcome", True)])
def test_a_worker_that_dies_before_anyone_knows_its_outcome_is_lost_and_tried_again(
    work: AtWork, place: str, both_ran: bool
) -> None:
    """What nobody was told has not happened; the second attempt's result is the only one."""
    armed(work, place)
    root = work.submit(COMMAND)
    work.supervise()
    job, tried = ended(work, root)
    assert (job.status, job.result, job.attempt) == (Status.COMPLETED, "ok\n", 2)
    assert [each.outcome for each in tried] == ["lost", "completed"]
    assert ran(work) == [f"{root}.1", f"{root}.2"][not both_ran :]


def test_a_worker_that_dies_after_its_outcome_was_recorded_is_not_run_again(work: AtWork) -> None:
    """It is told, so it is done."""
    armed(work, "after_outcome")
    root = work.submit(COMMAND)
    work.supervise()
    job, tried = ended(work, root)
    assert (job.status, job.result, ran(work)) == (Status.COMPLETED, "ok\n", [f"{root}.1"])
    assert [each.outcome for each in tried] == ["completed"]


@pytest.mark.real_cli
def test_kill_9_of_claude_alone_resumes_its_session(work: AtWork, tmp_path: Path) -> None:
    """The worker sees its Claude Code gone; the next attempt goes on in the same session and reports once."""
    go = tmp_path / "go"
    first, last = report("done")
    held = type(first)(first.text, first.tools, hold=str(go))
    with scripted(work, Script((Role(r"^HOLD", (held, last)),))) as model:
        work.supervise()
        root = work.submit("HOLD on", Kind.CLAUDE, max_attempts=3)
        work.wait_for(lambda: [entry for entry in model.entries() if entry.what == "held"], "a turn at work")
        # Claude Code writes its session down a moment after it has asked the model: killed before, there is none.
        sessions = Path(work.env["HOME"], "claude", "projects")
        work.wait_for(lambda: any(_has_prompt(each) for each in sessions.rglob("*.jsonl")), "a session")
        (claude,) = [
            each for each in living(work.project, work.store.store_id) if each.what.split()[0].endswith("/claude")
        ]
        os.kill(claude.pid, signal.SIGKILL)
        go.touch()
        job, tried = ended(work, root)
    assert (job.status, job.result) == (Status.COMPLETED, "done")
    assert [each.outcome for each in tried] == ["failed", "completed"]
    assert tried[0].reason == "claude_error"
    assert len({each.session_id for each in tried}) == 1


def _has_prompt(session: Path) -> bool:
    return '"type":"user"' in session.read_text("utf-8")
