"""Steering: cancel, retry and answers, which are a person's."""

from functools import partial

import anyio
from mcp_bench import Bench

from store.asks import get_ask
from store.models import Ask, NewJob
from store.rules import rules_in_force
from store.states import Status
from tui_orch.supervisor.ownership import holder


def ask_of(bench: Bench, ask_id: int) -> Ask:
    with bench.store.read() as reader:
        return get_ask(reader, ask_id)


async def test_cancel_ends_a_job_and_all_below_it(bench: Bench) -> None:
    """Once; the second time it has ended."""
    bench.hold()
    fence = bench.start(bench.tree())
    bench.spawn(fence, "echo a", "echo b")
    async with bench.serving() as orch:
        found = await orch.data("cancel_job", job_id="#1")
        assert (found["ended"], found["stopping"]) == (2, 1)
        assert "has ended" in await orch.refused("cancel_job", job_id=2)
    assert bench.job(1).stop_reason == "cancelled"


async def test_retry_runs_again_what_failed_and_sees_to_a_supervisor(bench: Bench) -> None:
    """A completed job is refused."""
    bench.hold()
    bench.run(bench.tree(), Status.FAILED, error="no luck")
    bench.run(bench.tree())
    async with bench.serving() as orch:
        found = await orch.data("retry_job", job_id=1, fresh=True)
        assert (found["queued"], found["message"]) == ([1], "Tried again: #1.")
        assert "only a job that is failed" in await orch.refused("retry_job", job_id=2)
    assert bench.job(1).status is Status.QUEUED
    assert holder(bench.home) is not None


async def test_a_question_is_answered_in_words(bench: Bench) -> None:
    """An allow is no answer to it, nor is nothing."""
    bench.hold()
    ask_id = bench.ask(bench.start(bench.tree()))
    async with bench.serving() as orch:
        assert "is a question" in await orch.refused("answer_ask", ask_id=ask_id, answer="allow")
        assert "answer_ask needs answer" in await orch.refused("answer_ask", ask_id=ask_id)
        assert "it must be one of allow, deny, answered" in await orch.refused(
            "answer_ask", ask_id=ask_id, answer="yes"
        )
        found = await orch.data("answer_ask", ask_id=ask_id, text="blue")
        assert (found["answer"], found["job_id"], found["rule_id"]) == ("answered", "1", None)
        assert "already answered" in await orch.refused("answer_ask", ask_id=ask_id, text="red")
    assert ask_of(bench, ask_id).text == "blue"


async def test_an_answer_can_hold_for_a_subtree_or_the_tree(bench: Bench) -> None:
    """It is kept as the rules that open_asks has shown, or as those given; what they cover is answered with it."""
    bench.hold()
    fence = bench.start(bench.tree())
    bench.spawn(fence, NewJob("child"))
    first = bench.ask(
        fence, kind="permission", question="may I?", tool="Bash", input={"command": "git log -1"}, suggestions=()
    )
    second = bench.ask(
        bench.start(2), kind="permission", question="may I?", tool="Bash", input={"command": "git log -2"}
    )
    async with bench.serving() as orch:
        shown = await orch.text("open_asks")
        assert '"Bash(git log -1)"' in shown
        bad = await orch.refused("answer_ask", ask_id=first, answer="allow", scope="tree", rules=["Read"])
        assert "is not about what ask" in bad
        bad = await orch.refused("answer_ask", ask_id=first, answer="allow", rules=["Bash(git log:*)"])
        assert "how far it goes" in bad
        found = await orch.data("answer_ask", ask_id=first, answer="allow", scope="tree", rules=["Bash(git log:*)"])
        assert f"rule {found['rule_id']} keeps it for the tree" in found["message"]
        assert await orch.text("open_asks") == "Nothing waits for a person."
    assert [ask_of(bench, ask_id).answer for ask_id in (first, second)] == ["allow", "allow"]
    with bench.store.read() as reader:
        (rule,) = rules_in_force(reader)
    assert (rule.rule, rule.verdict, rule.job_id) == ("Bash(git log:*)", "allow", 1)


async def test_two_answers_at_once_are_one(bench: Bench) -> None:
    """One is taken, the other is told so."""
    bench.hold()
    ask_id = bench.ask(bench.start(bench.tree()))
    failed: list[bool] = []
    async with bench.serving() as orch:

        async def answer(text: str) -> None:
            failed.append((await orch.raw("answer_ask", ask_id=ask_id, text=text)).is_error)

        async with anyio.create_task_group() as tasks:
            for text in ("red", "blue"):
                tasks.start_soon(partial(answer, text))
    assert sorted(failed) == [False, True]
    assert ask_of(bench, ask_id).answer == "answered"


async def test_a_worker_answers_no_ask_and_steers_its_own_subtree_alone(bench: Bench) -> None:
    """Not even its own ask; its children it may cancel and try again, and starts no supervisor by that."""
    bench.hold()
    fence = bench.start(bench.tree())
    bench.spawn(fence, "echo a")
    other = bench.tree()
    ask_id = bench.ask(fence)
    async with bench.serving(env=bench.worker(fence)) as orch:
        assert "is for a person" in await orch.refused("answer_ask", ask_id=ask_id, text="yes")
        assert "its own subtree only" in await orch.refused("cancel_job", job_id=other)
        await orch.data("cancel_job", job_id=2)
        assert "its own subtree only" in await orch.refused("retry_job", job_id=other)
        assert (await orch.data("retry_job", job_id=2))["queued"] == [2]
    assert ask_of(bench, ask_id).answer is None
    assert bench.job(other).status is Status.QUEUED
    assert holder(bench.home) is None


async def test_who_has_lost_its_token_may_do_nothing(bench: Bench) -> None:
    """A process that a worker has started is no person, whatever it has dropped from its environment."""
    bench.hold()
    fence = bench.start(bench.tree())
    env = bench.worker(fence)
    del env["ORCH_TOKEN"]
    async with bench.serving(env=env) as orch:
        assert "has lost its ORCH_TOKEN" in await orch.refused("list_jobs")
        assert "has lost its ORCH_TOKEN" in await orch.refused("submit_request", request="x")
    assert bench.count() == 1
