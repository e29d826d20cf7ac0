"""The runner with the real Claude Code and a scripted model: how attempts end, wait, and go on."""

import json
import stat

import pytest
from claude_bench import Bench, completed, orch, says

from store.models import Limits, Outcome
from store.states import Reason, Status
from tui_orch.demo.faults import overloaded
from tui_orch.demo.model import ScriptedModel
from tui_orch.demo.script import ToolCall, Turn
from tui_orch.worker.work import Finished, Released, Suspended

pytestmark = pytest.mark.real_cli


def test_a_plain_job_completes_with_its_cost_its_tokens_and_its_transcript(bench: Bench) -> None:
    script = says(
        "^Write a note",
        Turn(tools=(ToolCall("Write", {"file_path": "{cwd}/note.txt", "content": "hello"}),)),
        Turn(tools=(orch("report_result", summary="The note is written.", data={"files": 1}),)),
        Turn(text="Good bye."),
    )
    root = bench.submit("Write a note.")
    with ScriptedModel(script) as model:
        ending = bench.run(root, model)
    assert isinstance(ending, Finished)
    job = bench.job(root)
    assert (job.status, job.result, job.data) == (Status.COMPLETED, "The note is written.", {"files": 1})
    assert job.session_id is not None
    assert job.cost_usd > 0
    assert ending.outcome.usage.input_tokens == 3 * 1000
    assert ending.outcome.usage.session_cost_usd == pytest.approx(job.cost_usd)
    assert job.activity == "Good bye."
    transcript = bench.home.attempt_dir(root, 1) / "transcript.jsonl"
    assert stat.S_IMODE(transcript.stat().st_mode) == 0o600
    kinds = [line["type"] for line in bench.transcript(root, 1)]
    assert kinds[0] == "Prompt"
    assert kinds[-1] == "ResultMessage"


def test_a_spawn_suspends_the_job_and_the_resumed_session_gets_the_ledger(bench: Bench) -> None:
    tasks = [{"title": "one", "request": "Do one."}, {"title": "two", "request": "Do two."}]
    script = says(
        "^Do both",
        Turn(text="I split it.", tools=(orch("spawn_subtasks", tasks=tasks),)),
        Turn(tools=(orch("report_result", summary="Both are done but for the second."),)),
        Turn(text="Bye."),
    )
    root = bench.submit("Do both.")
    with ScriptedModel(script) as model:
        first = bench.run(root, model)
        assert isinstance(first, Suspended)
        assert first.waiting_for == "children"
        assert bench.job(root).status is Status.WAITING
        one, two = (entry.id for entry in bench.ledger(root))
        bench.end_child(one, completed("One is done."))
        bench.end_child(two, Outcome(Status.FAILED, reason="exit_code", error="Two broke.", retry=False))
        assert bench.job(root).status is Status.QUEUED
        second = bench.run(root, model)
    assert isinstance(second, Finished)
    assert second.delivered == (one, two)
    assert second.outcome.session_id == first.session_id
    job = bench.job(root)
    assert (job.status, job.reason, job.result) == (
        Status.PARTIAL,
        "children_failed",
        "Both are done but for the second.",
    )
    assert [entry.delivered for entry in bench.ledger(root)] == [True, True]
    # The session's total is cumulative; each attempt counts only its own part of it.
    assert second.outcome.usage.session_cost_usd == pytest.approx(job.cost_usd)
    assert first.usage.cost_usd + second.outcome.usage.cost_usd == pytest.approx(job.cost_usd)
    prompt = bench.prompt(root, 2)
    assert "have ended (2 subtasks: 1 completed, 1 failed)" in prompt
    assert f"## #{one} completed" in prompt
    assert "One is done." in prompt
    assert "Two broke." in prompt


def test_children_that_run_beside_their_parent_are_waited_for_all_the_same(bench: Bench) -> None:
    script = says(
        "^Do it beside",
        Turn(tools=(orch("spawn_subtasks", tasks=["Do a part."], wait=False),)),
        Turn(text="I am done with mine."),
        Turn(text="All is done."),
    )
    root = bench.submit("Do it beside.")
    with ScriptedModel(script) as model:
        assert isinstance(bench.run(root, model), Suspended)
        bench.end_child(bench.ledger(root)[0].id, completed("The part."))
        assert isinstance(bench.run(root, model), Finished)
    assert bench.job(root).result == "All is done."


def test_a_spawn_beyond_the_depth_is_refused_and_the_worker_finishes_by_itself(bench: Bench) -> None:
    script = says(
        "^Go deep",
        Turn(tools=(orch("spawn_subtasks", tasks=["Go deeper."]),)),
        Turn(tools=(orch("report_result", summary="I did it myself."),)),
        Turn(text="Bye."),
    )
    root = bench.submit("Go deep.", Limits(max_depth=0))
    with ScriptedModel(script) as model:
        assert isinstance(bench.run(root, model), Finished)
    assert bench.job(root).result == "I did it myself."
    assert bench.ledger(root) == []
    refusal = next(line for line in bench.transcript(root, 1) if "max_depth" in json.dumps(line.get("content", "")))
    block = refusal["content"][0]
    assert block["is_error"] is True
    assert "is at depth 0 and max_depth of tree" in block["content"]


def test_an_error_of_the_api_is_no_success_and_uses_up_no_try(bench: Bench) -> None:
    root = bench.submit("Fail.")
    script = says("^Fail", Turn(error=overloaded(times=None)))
    with ScriptedModel(script) as model:
        ending = bench.run(root, model)
    assert isinstance(ending, Released)
    assert ending.reason == Reason.API_ERROR
    assert "529" in (ending.error or "")
    job = bench.job(root)
    assert (job.status, job.tries) == (Status.QUEUED, 0)
    assert job.not_before_ms is not None


def test_a_session_that_is_gone_is_begun_anew_with_the_ledger(bench: Bench) -> None:
    script = says("^Remember", Turn(tools=(orch("spawn_subtasks", tasks=["Do a part."]),)))
    root = bench.submit("Remember.")
    with ScriptedModel(script) as model:
        first = bench.run(root, model)
        assert isinstance(first, Suspended)
        bench.end_child(bench.ledger(root)[0].id, completed("The part's result."))
    for session in bench.project.parent.glob("home/claude/projects/*/*.jsonl"):
        session.unlink()
    with ScriptedModel(says("^Remember", Turn(text="Done with what was left."))) as model:
        second = bench.run(root, model)
    assert isinstance(second, Finished)
    assert second.outcome.session_id != first.session_id
    assert bench.job(root).status is Status.COMPLETED
    assert bench.job(root).session_id == second.outcome.session_id
    prompt = bench.prompt(root, 2)
    assert prompt.startswith("Remember.\n")
    assert "The part's result." in prompt
