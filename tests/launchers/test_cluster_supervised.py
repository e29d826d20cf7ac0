"""A supervisor over a cluster: what an engine's silence, refusals and losses do to jobs, and that leases decide."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.brake import CRASHES
from store.control import cancel
from store.finish import finish
from store.leases import claim_remote, lease_until_ms, renew
from store.models import Fence, Limits, NewJob, NewTree, Outcome
from store.needs import Needs
from store.states import Kind, Status
from store.submit import submit_tree
from store.tree import get_job, store_state
from tests.launchers.scripted_engine import ScriptedEngine
from tests.supervisor.in_process import Watched
from tui_orch.supervisor.engines import conversation
from tui_orch.supervisor.engines.cluster import ClusterLauncher, engine_name
from tui_orch.supervisor.engines.engine import EngineDown, EngineRefusal, EngineState
from tui_orch.supervisor.launcher import Handle, LocalLauncher
from tui_orch.worker.lock import Standing

RUNNING = EngineState("running", node="n1")


class Supervised(Watched):
    """A store whose workers run in a scripted cluster, by this machine's clock."""

    def __init__(self, project: Path) -> None:
        super().__init__(project)
        self.clock.wall_ms = time.time_ns() // 1_000_000
        self.engine = ScriptedEngine()
        self.cluster = ClusterLauncher(
            self.engine,
            self.store.home,
            "watched",
            url="http://head:8000",
            lease_until_ms=self.lease_until_ms,
            clock_ms=lambda: self.clock.wall_ms,
        )
        self.launcher = self.cluster  # type: ignore[assignment]

    def lease_until_ms(self, job: int, attempt: int) -> int | None:
        with self.workers.read() as reader:
            return lease_until_ms(reader, Fence(job, attempt))

    def claim(self, fence: Fence, lease_ms: int) -> None:
        with self.store.write() as tx:
            claim_remote(tx, fence, "0" * 64, "n1", lease_ms, self.clock.wall_ms)

    async def until_at_engine(self, fence: Fence, state: EngineState = RUNNING) -> None:
        wanted = engine_name("watched", fence.job_id, fence.attempt)
        await self.until(lambda _: any(job.name == wanted for job in self.engine.submitted), f"{fence} at the engine")
        self.engine.states[wanted] = state

    def says(self, fence: Fence, state: EngineState) -> None:
        self.engine.states[engine_name("watched", fence.job_id, fence.attempt)] = state


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervised]:
    monkeypatch.setattr(conversation, "RETRY_FIRST_S", 0.005)
    monkeypatch.setattr(conversation, "RETRY_LONGEST_S", 0.01)
    monkeypatch.setattr(conversation, "REFUSED_LONGEST_S", 0.01)
    monkeypatch.setattr("tui_orch.supervisor.loop.TROUBLE_LOOK_S", 0.01)
    made = Supervised(tmp_path / "project")
    yield made
    made.cluster.close()
    made.close()


async def test_while_the_engine_is_down_jobs_wait_and_lose_no_try_and_then_go_on(watched: Supervised) -> None:
    watched.engine.refuses = EngineDown("the engine takes nothing now")
    job = watched.submit("true", max_attempts=1)
    async with watched.supervisor():
        attempts = CRASHES + 2
        await watched.until(lambda reader: get_job(reader, job).attempt >= attempts, "many attempts")
        watched.engine.refuses = None
        await watched.until(lambda _: watched.engine.submitted, "a submission")
        with watched.store.read() as reader:
            assert store_state(reader).paused_ms is None  # no brake: none of them was a crash
            assert get_job(reader, job).tries == 0


async def test_a_program_that_no_node_has_pauses_the_store(watched: Supervised) -> None:
    job = watched.submit("true")
    async with watched.supervisor():
        for attempt in range(1, CRASHES + 1):
            await watched.until_at_engine(Fence(job, attempt), EngineState("ended", 127, why="orch: not found"))
        await watched.until(lambda reader: store_state(reader).paused_ms is not None, "the brake")


async def test_what_the_engine_refuses_for_good_fails_and_says_why(watched: Supervised) -> None:
    watched.engine.refuses = EngineRefusal("the engine refuses it: Invalid feature specification")
    job = watched.submit("true")
    async with watched.supervisor():
        ended = await watched.until_ended(job)
    assert (ended.status, ended.reason, ended.attempt) == (Status.FAILED, "bad_request", 1)
    assert ended.error == "the engine refuses it: Invalid feature specification"


async def test_a_lost_worker_is_replaced_when_its_lease_has_ended_and_not_before(watched: Supervised) -> None:
    job = watched.submit("true")
    first = Fence(job, 1)
    async with watched.supervisor():
        await watched.until_at_engine(first)
        watched.claim(first, 60_000)
        watched.says(first, EngineState("lost", node="n1"))
        looks = watched.engine.looks
        other = watched.submit("true")  # the supervisor is at work meanwhile
        await watched.until_at_engine(Fence(other, 1))
        await watched.until(lambda _: watched.engine.looks > looks + 3, "more looks")
        assert watched.job(job).attempt == 1
        with watched.store.write() as tx:
            renew(tx, first, 300, watched.clock.wall_ms)
        watched.clock.pass_by(0.4)
        watched.submit("true")  # a look: the clock of this test goes on without anybody being told
        await watched.until(lambda reader: get_job(reader, job).tries == 1, "that it is given up")
        watched.clock.pass_by(60)  # a failed try is not repeated at once
        watched.submit("true")
        await watched.until_at_engine(Fence(job, 2))


async def test_a_worker_that_delivers_though_the_engine_has_lost_it_completes_its_job(watched: Supervised) -> None:
    job = watched.submit("true")
    fence = Fence(job, 1)
    async with watched.supervisor():
        await watched.until_at_engine(fence)
        watched.claim(fence, 60_000)
        watched.says(fence, EngineState("lost", node="n1"))
        with watched.store.write() as tx:
            finish(tx, fence, Outcome(Status.COMPLETED), watched.clock.wall_ms)
        ended = await watched.until_ended(job)
        await watched.until(lambda _: not watched.cluster.is_alive(job, 1), "the burial")
    assert (ended.status, ended.attempt) == (Status.COMPLETED, 1)


async def test_a_worker_that_never_claimed_is_replaced_at_once_and_no_try_is_used_up(watched: Supervised) -> None:
    job = watched.submit("true")
    async with watched.supervisor():
        await watched.until_at_engine(Fence(job, 1), EngineState("lost", node="n1"))
        await watched.until_at_engine(Fence(job, 2))
    assert watched.job(job).tries == 0


async def test_the_next_supervisor_finds_who_works(watched: Supervised) -> None:
    job = watched.submit("true")
    fence = Fence(job, 1)
    async with watched.supervisor():
        await watched.until_at_engine(fence)
        watched.claim(fence, 60_000)
    looks = watched.engine.looks
    async with watched.supervisor():
        await watched.until(lambda _: watched.engine.looks > looks + 2, "more looks")
        assert watched.job(job).attempt == 1
        with watched.store.write() as tx:
            finish(tx, fence, Outcome(Status.COMPLETED), watched.clock.wall_ms)
        await watched.until_ended(job)


async def test_a_cancelled_job_that_waits_for_a_place_ends_at_once(watched: Supervised) -> None:
    job = watched.submit("true")
    async with watched.supervisor():
        await watched.until_at_engine(Fence(job, 1), EngineState("pending", why="PartitionConfig"))
        with watched.store.write() as tx:
            cancel(tx, job, watched.clock.wall_ms)
        ended = await watched.until_ended(job)
    assert ended.status is Status.CANCELLED
    assert watched.engine.stopped


async def test_the_needs_of_a_job_come_before_those_of_its_tree(watched: Supervised) -> None:
    new = NewTree(
        NewJob("true", Kind.COMMAND, needs=Needs(cpus=2)), limits=Limits(), needs=Needs(cpus=1, memory_mb=500)
    )
    with watched.store.write() as tx:
        job = submit_tree(tx, new, watched.clock.wall_ms)
    async with watched.supervisor():
        await watched.until_at_engine(Fence(job, 1))
    assert watched.engine.submitted[0].needs == Needs(cpus=2, memory_mb=500)


class Looking(LocalLauncher):
    """This machine's launcher, which counts how often it was asked for a worker, and to close an attempt off."""

    looks = 0
    closed = 0

    def adopt(self, job_id: int, attempt: int, pid: int | None) -> Handle | None:
        self.looks += 1
        return super().adopt(job_id, attempt, pid)

    def close_off(self, job_id: int, attempt: int) -> Standing:
        self.closed += 1
        return super().close_off(job_id, attempt)


async def test_a_local_supervisor_leaves_those_alone_that_live_elsewhere(watched: Supervised) -> None:
    job = watched.submit("true")
    fence = Fence(job, 1)
    async with watched.supervisor():
        await watched.until_at_engine(fence)
        watched.claim(fence, 60_000)
    local = Looking(watched.store.home, watched.store.store_id, ("false",))
    watched.launcher = local  # type: ignore[assignment]
    async with watched.supervisor():
        await watched.until(lambda _: local.looks > 2, "some looks")
        assert (watched.job(job).attempt, local.closed) == (1, 0)
        with watched.store.write() as tx:
            finish(tx, fence, Outcome(Status.COMPLETED), watched.clock.wall_ms)
        await watched.until_ended(job)
    local.close()
