"""Claude Code away from the store: its tools reach the store by the API, and its session goes on on another machine."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from far_head import Head, far_head

from store.finish import finish, settle
from store.models import NewJob, Outcome
from store.states import Kind, Status
from store.tree import attempts, ledger
from tui_orch.demo.model import ScriptedModel
from tui_orch.demo.script import Role, Script, ToolCall, Turn
from tui_orch.worker.remote.claimed import NodeTerms

pytestmark = [pytest.mark.real_cli, pytest.mark.timeout(120)]

SPLIT = Turn("I split it.", (ToolCall("mcp__orch__spawn_subtasks", {"tasks": ["One part"], "wait": True}),))
REPORT = (Turn("I report.", (ToolCall("mcp__orch__report_result", {"summary": "all is well"}),)), Turn("all is well"))


@pytest.fixture(params=["shared", "none"])
def head(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Head]:
    with ScriptedModel(Script((Role(r"^SPLITS", (SPLIT, *REPORT)),))) as model:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", model.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "made-up")
        monkeypatch.setenv("CLAUDE_CODE_MAX_RETRIES", "0")
        with far_head(tmp_path, NodeTerms(lease_s=30, work=request.param)) as made:
            yield made
        paid = [(entry.prompt, entry.turn) for entry in model.entries() if entry.what == "answered"]
        assert len(paid) == len(set(paid)) == 3, "no turn was paid for twice"
        assert len({entry.session for entry in model.entries() if entry.session}) == 1


def test_a_session_goes_on_on_another_machine(head: Head, tmp_path: Path) -> None:
    fence = head.hand_in(NewJob("SPLITS in two", Kind.CLAUDE))
    assert head.run(fence, node=tmp_path / "node1")[0] == 0
    assert head.job(fence).status is Status.WAITING
    with head.store.write() as tx:
        (child,) = ledger(tx, fence.job_id)
    child_fence = head.next_attempt(child.id)
    now_ms = time.time_ns() // 1_000_000
    with head.store.write() as tx:
        finish(tx, child_fence, Outcome(Status.COMPLETED, result="a part"), now_ms)
        settle(tx, fence.job_id, now_ms)
    assert head.job(fence).status is Status.QUEUED
    again = head.next_attempt(fence.job_id)
    assert head.run(again, node=tmp_path / "node2")[0] == 0
    job = head.job(fence)
    assert (job.status, job.result) == (Status.COMPLETED, "all is well")
    with head.store.read() as reader:
        assert [each.outcome for each in attempts(reader, job.id)] == ["suspended", "completed"]
    transcript = head.store.home.attempt_dir(job.id, 2) / "transcript.jsonl"
    assert "all is well" in transcript.read_text()
