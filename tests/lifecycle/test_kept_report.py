"""What a worker has reported counts, also when it is killed before its turn is over."""

import os
import signal

import pytest
from at_work import AtWork
from scripted import scripted

from store.states import Kind, Status
from store.tree import get_job
from tui_orch.demo.script import Role, Script, ToolCall, Turn
from tui_orch.worker.claude.kept_report import REPORT_FILE, kept

_PID = "SELECT pid FROM attempts WHERE number = ? AND ended_ms IS NULL"

pytestmark = [pytest.mark.real_cli, pytest.mark.timeout(180)]


def test_a_failure_that_was_reported_before_a_kill_stays_a_failure(work: AtWork) -> None:
    """The resumed session has no reason to report once more: its last words alone would be taken for a success."""
    go_on = work.project.parent / "go-on"
    call = ToolCall("mcp__orch__report_result", {"summary": "can not be done", "success": False})
    script = Script((Role(r"^FAIL", (Turn("I report.", (call,)), Turn("That was it.", hold=str(go_on)))),))
    with scripted(work, script) as model:
        root = work.submit("FAIL", Kind.CLAUDE, max_attempts=3)
        work.supervise()
        first = work.home.attempt_dir(root, 1)
        work.wait_for(lambda: any(entry.what == "held" for entry in model.entries()), "the turn after the report")
        assert kept(first) is not None
        for attempt in (1, 2):  # the second one dies before it has said anything
            pid = work.until(lambda reader: reader.value(_PID, (attempt,)), "the worker's pid")  # noqa: B023
            os.kill(pid, signal.SIGKILL)
            work.until(lambda reader: get_job(reader, root).attempt > attempt, "the next attempt")  # noqa: B023
        go_on.touch()
        job = work.until_ended(root)
    assert (job.status, job.reason, job.error) == (Status.FAILED, "reported_failure", "can not be done")
    assert job.attempt == 3
    assert (first / REPORT_FILE).stat().st_mode & 0o077 == 0


def test_what_is_no_report_counts_for_none(work: AtWork) -> None:
    folder = work.project
    for text in ("", "{", "[1]", '{"summary": 1}', '{"summary": "x", "success": "yes"}', "[" * 100_000):
        (folder / REPORT_FILE).write_text(text)
        assert kept(folder) is None
    assert kept(folder / "nowhere") is None
