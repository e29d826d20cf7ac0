"""What a run begins with, read from a real store."""

from typing import Any

from claude_bench import Bench, completed, now_ms

from store import asks
from store.finish import release, suspend
from store.models import Fence, Limits, NewJob, Usage
from store.submit import spawn
from tui_orch.worker.claude.briefing import Briefing, brief


def begin(bench: Bench, job_id: int, **given: Any) -> Briefing:
    with bench.store.read() as reader:
        return brief(reader, job_id, bench.project, "mark", now_ms(), **given)


def spawn_one(bench: Bench, fence: Fence, request: str = "Do a part.") -> int:
    with bench.store.write() as tx:
        return spawn(tx, fence, [NewJob(request)], now_ms()).job_ids[0]


def give_back(bench: Bench, fence: Fence, reason: str) -> None:
    with bench.store.write() as tx:
        release(tx, fence, reason, now_ms(), session_id="s1")


def wait_for(bench: Bench, fence: Fence, what: Any) -> None:
    with bench.store.write() as tx:
        suspend(tx, fence, what, "s1", Usage(cost_usd=0.25), now_ms())


def test_a_first_attempt_begins_a_session_with_the_request(bench: Bench) -> None:
    root = bench.submit("Build it.", Limits(max_depth=2))
    bench.start(root)
    begun = begin(bench, root)
    assert (begun.resume, begun.prompt.text, begun.work_dir) == (None, "Build it.", bench.project)
    assert "at depth 0 of at most 2" in begun.appendix


def test_a_parent_resumes_its_session_with_the_results_and_knows_what_the_tree_has_cost(bench: Bench) -> None:
    root = bench.submit("Build it.")
    fence = bench.start(root).job.fence
    child = spawn_one(bench, fence)
    wait_for(bench, fence, "children")
    bench.end_child(child, completed("The part."))
    bench.start(root)
    begun = begin(bench, root)
    assert (begun.resume, begun.prompt.delivers) == ("s1", (child,))
    assert begun.prompt.text.startswith("The subtasks that you waited for have ended")
    assert (
        "What is left: 3 more level(s) below you; 198 more jobs in the tree; 19 more subtasks of your own"
        in begun.prompt.text
    )


def test_a_fresh_session_gets_the_request_and_all_results(bench: Bench) -> None:
    root = bench.submit("Build it.")
    fence = bench.start(root).job.fence
    child = spawn_one(bench, fence)
    wait_for(bench, fence, "children")
    bench.end_child(child, completed("The part."))
    bench.start(root)
    begun = begin(bench, root, fresh=True)
    assert (begun.resume, begun.prompt.delivers) == (None, (child,))
    assert begun.prompt.text.startswith("Build it.")


def test_answers_that_came_since_are_told(bench: Bench) -> None:
    root = bench.submit("Build it.")
    fence = bench.start(root).job.fence
    with bench.store.write() as tx:
        number = asks.ask(tx, fence, kind="question", question="Which?", now_ms=now_ms())
    wait_for(bench, fence, "ask")
    with bench.store.write() as tx:
        asks.answer(tx, number, "answered", "The left one", now_ms())
    bench.start(root)
    begun = begin(bench, root)
    assert [ask.id for ask in begun.told] == [number]
    assert begun.prompt.text.startswith("A person has answered.")
    assert "The left one" in begun.prompt.text
