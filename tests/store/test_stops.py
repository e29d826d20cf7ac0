"""Stops, shutdowns and jobs that can not start: how they end, and what they leave as it was."""

import pytest
from at_store import AtStore
from invariants import check

from store import claim, control, finish
from store.states import Reason, Status


@pytest.mark.parametrize(
    ("reason", "becomes"),
    [
        (Reason.CANCELLED, "cancelled (cancelled)"),
        (Reason.PARENT_ENDED, "cancelled (parent_ended)"),
        (Reason.TIMEOUT, "failed (timeout)"),
        (Reason.BUDGET, "failed (budget)"),
    ],
)
@pytest.mark.parametrize("end", ["finish", "suspend", "release"])
def test_a_stop_decides_over_how_the_worker_ended(at: AtStore, reason: Reason, becomes: str, end: str) -> None:
    """A worker that was asked to end has ended: it is not tried again, not queued, and waits for nothing."""
    fence = at.start(at.tree(max_attempts=9))
    ask_to_stop(at, reason)
    if end == "finish":
        at.finish(fence, Status.FAILED, retry=True, reason="exit_code")
    elif end == "suspend":
        at.suspend(fence, "ask")
    else:
        at.release(fence)
    assert at.states(1) == [becomes]


def ask_to_stop(at: AtStore, reason: Reason) -> None:
    with at.store.write() as tx:
        assert control.request_stop(tx, 1, reason, at.now_ms)


def test_a_success_that_came_before_the_stop_stands(at: AtStore) -> None:
    """What is done is done."""
    fence = at.start(at.tree())
    at.cancel(1)
    at.finish(fence, result="just in time")
    assert (at.states(1), at.job(1).result) == (["completed"], "just in time")


def test_a_shutdown_costs_a_job_nothing(at: AtStore) -> None:
    """Its worker ends with the supervisor; the job is queued, waits, or is tried again as it would have been."""
    root = at.tree()
    fence = at.start(root)
    ask_to_stop(at, Reason.SHUTDOWN)
    at.release(fence, Reason.SHUTDOWN)
    assert at.states(root) == ["queued (shutdown)"]
    fence = at.start(root)
    (child,) = at.spawn(fence, "a")
    ask_to_stop(at, Reason.SHUTDOWN)
    assert at.suspend(fence) is Status.WAITING
    assert (at.job(root).stop_reason, at.job(root).own_status) == (None, None)
    at.run(child)
    fence = at.start(root)
    ask_to_stop(at, Reason.SHUTDOWN)
    at.finish(fence, Status.FAILED, retry=True, reason="exit_code")
    assert (at.states(root), at.job(root).stop_reason) == (["queued (retry)"], None)
    fence = at.start(root)
    ask_to_stop(at, Reason.SHUTDOWN)
    at.finish(fence, Status.FAILED, reason="exit_code")
    assert at.states(root) == ["failed (exit_code)"]


def test_a_job_that_can_not_start_fails_with_its_reason(at: AtStore) -> None:
    """And its parent learns of it at once."""
    root, (one, two) = at.waiting_parent("a", "b")
    at.run(one)
    with at.store.write() as tx:
        assert finish.fail_unstarted(tx, two, Reason.BAD_REQUEST, "no such folder", at.now_ms) is Status.FAILED
    assert at.states(two, root) == ["failed (bad_request)", "queued (resume)"]
    assert (at.job(two).error, at.job(two).attempt, at.job(two).ended_ms) == ("no such folder", 0, at.now_ms)


def test_what_is_not_queued_any_more_does_not_fail_for_not_starting(at: AtStore) -> None:
    """It was started, cancelled or ended by someone else meanwhile."""
    running, cancelled = at.tree(), at.tree()
    at.start(running)
    at.cancel(cancelled)
    before = at.everything()
    with at.store.write() as tx:
        assert finish.fail_unstarted(tx, running, Reason.BAD_REQUEST, "x", at.now_ms) is Status.RUNNING
        assert finish.fail_unstarted(tx, cancelled, Reason.BAD_REQUEST, "x", at.now_ms) is Status.CANCELLED
    assert at.everything() == before


def test_settling_what_waits_rightly_changes_nothing(at: AtStore) -> None:
    """A supervisor may look as often as it likes."""
    root, _ = at.waiting_parent("a")
    before = at.everything()
    with at.store.write() as tx:
        assert finish.settle(tx, root, at.now_ms) is Status.WAITING
        assert finish.settle(tx, 2, at.now_ms) is Status.QUEUED
    assert at.everything() == before


def test_an_unclaimed_attempt_ends_like_any_other(at: AtStore) -> None:
    """Its process died before it came so far."""
    root = at.tree()
    with at.store.write() as tx:
        fence = claim.start_attempt(tx, root, claim.token_hash("x"), at.now_ms)
        finish.release(tx, fence, Reason.LOST, at.now_ms)
    assert at.states(root) == ["queued (lost)"]
    with at.store.read() as reader:
        check(reader)
