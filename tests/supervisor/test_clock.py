"""Somebody sets the wall clock, or the machine sleeps: time that is left stays time that is left."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.brake import BACK_OFF_FIRST_S, meet
from store.claim import claim, start_attempt, token_hash
from store.control import cancel
from store.finish import release
from store.models import Trouble
from store.states import Reason, Status
from store.tree import get_job, store_state
from tests.store.invariants import check
from tests.supervisor.in_process import Watched
from tui_orch.supervisor.clock import JUMP_S, JumpWatch

DAY_S = 86_400.0
HOUR_S = 3_600.0


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    found = Watched(tmp_path)
    yield found
    found.close()


async def wake(watched: Watched) -> None:
    """Have the supervisor look: a job of its own runs to its end."""
    await watched.until_ended(watched.submit("look at the clock"))


def test_only_a_jump_is_a_jump() -> None:
    """Time that passes, and the small steps of a time server, are none; each jump is told once."""
    wall_s, steady_s = 1_000.0, 50.0
    watch = JumpWatch(lambda: round(wall_s * 1000), lambda: steady_s)
    assert watch.jumped_ms() == 0
    wall_s, steady_s = wall_s + DAY_S, steady_s + DAY_S
    assert watch.jumped_ms() == 0
    wall_s += JUMP_S - 1
    assert watch.jumped_ms() == 0
    wall_s += HOUR_S
    assert watch.jumped_ms() == round((HOUR_S + JUMP_S - 1) * 1000)
    assert watch.jumped_ms() == 0
    wall_s -= DAY_S
    assert watch.jumped_ms() == -round(DAY_S * 1000)


@pytest.mark.parametrize("jump_s", [DAY_S, -HOUR_S], ids=["a day ahead", "an hour back"])
async def test_a_clock_that_is_set_ends_no_job_and_gives_none_more_time(watched: Watched, jump_s: float) -> None:
    """The job ends when its own time is up, by whatever the clock says then."""
    root = watched.submit("stays", timeouts_s=(600.0,))
    watched.launcher.stay = {root}
    async with watched.supervisor():
        await watched.until(lambda reader: get_job(reader, root).status is Status.RUNNING, "the start")
        due_ms = watched.job(root).deadline_ms
        assert due_ms is not None
        watched.clock.pass_by(300)
        watched.clock.set_by(jump_s)
        await wake(watched)
        assert watched.job(root).stop_reason is None
        assert watched.job(root).deadline_ms == due_ms + round(jump_s * 1000)
        watched.clock.pass_by(299)
        await wake(watched)
        assert watched.job(root).stop_reason is None
        watched.clock.pass_by(2)
        await wake(watched)
        await watched.until(lambda reader: get_job(reader, root).stop_reason == Reason.TIMEOUT, "the deadline")
    with watched.store.read() as reader:
        check(reader)


@pytest.mark.parametrize("jump_s", [DAY_S, -HOUR_S], ids=["a day ahead", "an hour back"])
async def test_the_grace_of_a_stop_is_what_it_was(watched: Watched, jump_s: float) -> None:
    """Neither is a worker killed at once, nor is it left alone for an hour."""
    root = watched.submit("stays")
    watched.launcher.stay = {root}
    async with watched.supervisor():
        await watched.until(lambda reader: get_job(reader, root).status is Status.RUNNING, "the start")
        with watched.store.write() as tx:
            cancel(tx, root, watched.clock.wall_ms)
        await wake(watched)
        assert watched.launcher.stops == [(root, False)]
        watched.clock.set_by(jump_s)
        watched.clock.pass_by(9)
        await wake(watched)
        assert watched.launcher.stops == [(root, False)]
        watched.clock.pass_by(2)
        await wake(watched)
        assert watched.launcher.stops == [(root, False), (root, True)]


async def test_a_clock_set_back_holds_up_no_back_off_but_a_reset_is_a_moment_of_the_world(watched: Watched) -> None:
    """The API's back-off goes by time that passes; a usage limit resets when its clock says so."""
    reset_ms = watched.clock.wall_ms + 1_800_000
    limited, failed = watched.submit("limited"), watched.submit("failed")
    with watched.store.write() as tx:
        now_ms = watched.clock.wall_ms
        for job_id, reason, due_ms in (
            (limited, Reason.USAGE_LIMIT, reset_ms),
            (failed, Reason.API_ERROR, now_ms + 10_000),
        ):
            fence = start_attempt(tx, job_id, token_hash(str(job_id)), now_ms)
            claim(tx, fence, 1, now_ms)
            release(tx, fence, reason, now_ms, not_before_ms=due_ms)
        meet(tx, Trouble("api", "down"), now_ms, 0.0)
    async with watched.supervisor():
        watched.clock.set_by(-HOUR_S)
        await watched.until(lambda reader: get_job(reader, failed).not_before_ms != now_ms + 10_000, "the move")
        assert watched.job(failed).not_before_ms == now_ms + 10_000 - round(HOUR_S * 1000)
        assert watched.job(limited).not_before_ms == reset_ms
        with watched.store.read() as reader:
            until_ms = store_state(reader).brake_until_ms
        assert until_ms == now_ms + round((BACK_OFF_FIRST_S - HOUR_S) * 1000)
        watched.clock.pass_by(BACK_OFF_FIRST_S + 1)
        await wake(watched)
        assert (await watched.until_ended(failed)).status is Status.COMPLETED
        assert watched.job(limited).status is Status.QUEUED
