"""Waiting: bounded, with progress, woken by what matters, and without a slot."""

import time
from functools import partial
from typing import Any

import anyio
from mcp_bench import Bench

from store.claim import grant_slot
from store.states import Status
from tests.by_hand import PATIENCE_S


async def test_it_returns_when_the_time_is_over_and_says_how_it_stands(bench: Bench) -> None:
    """Without a supervisor it says that nothing goes on; more than 50 seconds are not taken."""
    bench.hold()
    bench.tree()
    async with bench.serving() as orch:
        began = time.monotonic()
        found = await orch.data("wait_for_job", job_id=1, timeout_s=0.6)
        assert 0.6 <= time.monotonic() - began < PATIENCE_S
        assert (found["ended"], found["status"], found["jobs"]["queued"]) == (False, "queued", 1)
        assert "No supervisor runs" in found["message"]
        assert "from 0 to 50" in await orch.refused("wait_for_job", job_id=1, timeout_s=51)
        assert "from 0 to 50" in await orch.refused("wait_for_job", job_id=1, timeout_s="long")


async def test_it_returns_as_soon_as_the_job_has_ended(bench: Bench) -> None:
    """And tells progress meanwhile: a number that grows, and how many jobs are in which state."""
    bench.hold()
    fence = bench.start(bench.tree())
    bench.spawn(fence, "echo a")
    heard: list[tuple[float, str]] = []
    found: list[Any] = []
    spoken = anyio.Event()

    async def progress(amount: float, _: float | None, message: str | None) -> None:
        heard.append((amount, message or ""))
        spoken.set()

    async with bench.serving() as orch:

        async def wait() -> None:
            call = partial(orch.client.call_tool, "wait_for_job", {"job_id": 1, "timeout_s": 50})
            found.append(await call(progress_callback=progress))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            bench.run(2)
            with anyio.fail_after(PATIENCE_S):
                await spoken.wait()
            bench.finish(fence, result="done")
    assert found[0].structured_content["ended"] is True
    assert "job_results" in found[0].structured_content["message"]
    assert "job #1 is running; 2 jobs: 1 running, 1 completed" in heard[0][1]
    assert [amount for amount, _ in heard] == sorted({amount for amount, _ in heard})


async def test_a_new_ask_ends_the_wait_of_a_person(bench: Bench) -> None:
    """One that was open before does not: whoever left it open wants to wait."""
    bench.hold()
    fence = bench.start(bench.tree())
    bench.ask(fence)
    found: list[dict[str, Any]] = []
    async with bench.serving() as orch:
        before = await orch.data("wait_for_job", job_id=1, timeout_s=0.2)
        assert (before["ended"], before["open_asks"]) == (False, 1)
        assert "see open_asks" in before["message"]

        async def wait() -> None:
            found.append(await orch.data("wait_for_job", job_id=1, timeout_s=50))

        with anyio.fail_after(PATIENCE_S):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait)
                await anyio.sleep(0.3)
                bench.ask(fence, question="and which size?")
    assert (found[0]["ended"], found[0]["open_asks"]) == (False, 2)


async def test_a_worker_lends_its_slot_while_it_waits(bench: Bench) -> None:
    """With one slot in all, its children run meanwhile; it goes on only when it has a slot again."""
    bench.hold()
    fence = bench.start(bench.tree(max_workers=1))
    bench.spawn(fence, "echo a")
    found: list[dict[str, Any]] = []
    async with bench.serving(env=bench.worker(fence)) as orch:

        async def wait() -> None:
            found.append(await orch.data("wait_for_job", job_id="1-1", timeout_s=50))

        with anyio.fail_after(PATIENCE_S):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait)
                await anyio.to_thread.run_sync(lambda: bench.until(lambda: bench.job(1).lending == 1, "a lent slot"))
                bench.run(2)
                await anyio.to_thread.run_sync(
                    lambda: bench.until(lambda: bench.job(1).wants_slot, "the wish for a slot")
                )
                assert not found
                with bench.store.write() as tx:
                    assert grant_slot(tx, 1)
    assert found[0]["status"] == "completed"
    assert bench.job(1).lending == 0


async def test_a_client_that_goes_away_leaves_nothing_waiting(bench: Bench) -> None:
    """The call is given up within a step, the slot that was lent is asked for, and the server lives on."""
    bench.hold()
    fence = bench.start(bench.tree())
    bench.spawn(fence, "echo a")
    async with bench.serving(env=bench.worker(fence)) as orch:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(orch.raw, "wait_for_job", job_id="1-1", timeout_s=50))
            await anyio.to_thread.run_sync(lambda: bench.until(lambda: bench.job(1).lending == 1, "a lent slot"))
            tasks.cancel_scope.cancel()
        await anyio.to_thread.run_sync(lambda: bench.until(lambda: bench.job(1).wants_slot, "the wish for a slot"))
        assert "Batch 1-1 is queued" in await orch.text("subtask_status", job_id="1-1")


async def test_the_end_of_the_waiting_attempt_ends_the_wait(bench: Bench) -> None:
    """Whoever goes on without a claim to the job is told to stop."""
    bench.hold()
    fence = bench.start(bench.tree())
    bench.spawn(fence, "echo a")
    refusals: list[str] = []
    async with bench.serving(env=bench.worker(fence)) as orch:

        async def wait() -> None:
            refusals.append(await orch.refused("wait_for_job", job_id="1-1", timeout_s=50))

        with anyio.fail_after(PATIENCE_S):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait)
                await anyio.to_thread.run_sync(lambda: bench.until(lambda: bench.job(1).lending == 1, "a lent slot"))
                bench.finish(fence, Status.FAILED)
    assert refusals[0].startswith("This attempt is over: stop")
