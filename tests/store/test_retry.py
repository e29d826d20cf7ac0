"""Retry: what failed runs again, what consumed the failure is opened again, and what succeeded is left alone."""

import pytest
from at_store import AtStore
from invariants import check

from store import finish, tree
from store.errors import IllegalChange
from store.models import NewJob
from store.repair import failed_leaves, retry_failed
from store.states import Kind, Status


def failed_leaf(at: AtStore) -> tuple[int, int, int, int]:
    """Return a tree that ended partial: #1 > #2 > #3 completed, #4 failed; both above went on with the failure."""
    root, (middle,) = at.waiting_parent(NewJob("middle"))
    fence = at.start(middle)
    good, bad = at.spawn(fence, "good", "bad")
    at.suspend(fence)
    at.run(good, result="good work")
    at.run(bad, Status.FAILED, reason="exit_code", error="it broke")
    at.finish(at.start(middle), result="half of it", delivered=(good, bad))
    at.finish(at.start(root), result="most of it", delivered=(middle,))
    assert at.states(root, middle) == ["partial (children_failed)"] * 2
    return root, middle, good, bad


def test_a_retried_leaf_opens_the_jobs_above_and_leaves_its_sibling(at: AtStore) -> None:
    """They wait again, and are resumed with the repaired ledger one after the other."""
    root, middle, good, bad = failed_leaf(at)
    before = at.job(good)
    at.later(60)
    assert at.retry(bad) == (bad,)
    assert at.states(root, middle, bad) == ["waiting (children)", "waiting (children)", "queued (retry)"]
    assert [at.job(each).result for each in (root, middle, bad)] == [None] * 3
    at.run(bad, result="good now")
    assert at.states(root, middle) == ["waiting (children)", "queued (resume)"]
    with at.store.read() as reader:
        assert [(entry.result, entry.delivered) for entry in tree.ledger(reader, middle)] == [
            ("good work", True),
            ("good now", False),
        ]
    at.run(middle, result="all of it")
    at.run(root, result="everything")
    assert at.states(root, middle, bad) == ["completed"] * 3
    assert at.job(good) == before


def test_a_retry_gives_new_tries_and_new_time(at: AtStore) -> None:
    """Whoever asks for it has seen that the old ones were not enough."""
    root = at.tree(max_attempts=2, timeouts_s=(60.0,))
    for _ in range(2):
        at.run(root, Status.FAILED, retry=True)
        at.later(10)
    assert at.job(root).status is Status.FAILED
    at.later(1000)
    at.retry(root)
    job = at.job(root)
    assert (job.tries, job.error, job.not_before_ms, job.started_ms, job.deadline_ms) == (0, None, None, None, None)
    at.start(root)
    assert (at.job(root).attempt, at.job(root).deadline_ms) == (3, at.now_ms + 60_000)


def test_opened_jobs_above_get_new_time_too_and_the_leaf_ends_no_later(at: AtStore) -> None:
    """Their old deadlines passed long ago."""
    root, middle, _, bad = failed_leaf(at)
    at.later(100_000)
    at.retry(bad)
    assert at.job(root).deadline_ms == at.now_ms + 3_600_000
    assert at.job(middle).deadline_ms == at.now_ms + 1_200_000
    at.start(bad)
    with at.store.read() as reader:
        check(reader)


def test_children_whose_failure_was_not_consumed_come_first(at: AtStore) -> None:
    """The parent was cancelled while it waited: its failed children run, then it goes on itself."""
    root, (one, two, three) = at.waiting_parent("a", "b", "c")
    at.run(one)
    at.run(two, Status.FAILED)
    at.cancel(root)
    assert at.states(root, one, three) == ["cancelled (cancelled)", "completed", "cancelled (cancelled)"]
    assert at.retry(root) == (two, three)
    assert at.states(root, one, two, three) == [
        "waiting (children)", "completed", "queued (retry)", "queued (retry)",
    ]  # fmt: skip
    at.run(two)
    at.run(three)
    assert (at.states(root), at.job(root).session_id) == (["queued (resume)"], "session-1")


def test_a_job_that_consumed_the_failure_does_its_own_work_again(at: AtStore) -> None:
    """It knows of its children what there is to know; only a retry of the child repairs that."""
    root, middle, _, bad = failed_leaf(at)
    assert at.retry(middle) == (middle,)
    assert at.states(root, middle, bad) == ["waiting (children)", "queued (retry)", "failed (exit_code)"]


def test_the_session_is_resumed_unless_a_fresh_start_is_wanted(at: AtStore) -> None:
    """A session may be what went wrong."""
    for fresh, session in ((False, "s"), (True, None)):
        root = at.tree()
        at.run(root, Status.FAILED, session_id="s")
        at.retry(root, fresh=fresh)
        assert at.job(root).session_id == session


def test_a_group_is_retried_by_its_failed_children(at: AtStore) -> None:
    """It has no work of its own."""
    group = at.group("a", "b", "c")
    for child, status in ((2, Status.COMPLETED), (3, Status.FAILED), (4, Status.CANCELLED)):
        at.run(child, status)
    assert at.retry(group) == (3, 4)
    at.run(3)
    at.run(4)
    assert at.states(group) == ["completed"]


def test_a_group_that_was_stopped_too_late_is_completed_by_a_retry(at: AtStore) -> None:
    """All its items are done: they are not inserted once more."""
    group = at.group("a", "b")
    fences = [at.start(2), at.start(3)]
    at.cancel(group)
    for fence in fences:
        at.finish(fence)
    assert at.states(group, 2, 3) == ["cancelled (cancelled)", "completed", "completed"]
    assert at.retry(group) == ()
    assert (at.states(group), at.job(group).children) == (["completed"], 2)


def test_a_command_keeps_its_own_result_while_its_children_are_repaired(at: AtStore) -> None:
    """It can not be resumed, and run again it would spawn the same children; so its own work stands."""
    root = at.tree("a script", Kind.COMMAND)
    fence = at.start(root)
    good, bad = at.spawn(fence, "good", "bad")
    at.finish(fence, result="printed", data={"n": 1})
    at.run(good)
    at.run(bad, Status.FAILED)
    assert at.states(root) == ["partial (children_failed)"]
    assert at.retry(root) == (bad,)
    assert (at.states(root), at.job(root).result) == (["waiting (children)"], "printed")
    at.run(bad)
    job = at.job(root)
    assert (at.states(root), job.result, job.data, job.attempt) == (["completed"], "printed", {"n": 1}, 1)


def test_a_command_that_failed_itself_runs_again(at: AtStore) -> None:
    """A person wants it so, knowing that it spawns anew."""
    root = at.tree("a script", Kind.COMMAND)
    fence = at.start(root)
    (child,) = at.spawn(fence, "child")
    at.run(child, Status.FAILED)
    at.finish(fence, Status.FAILED, error="no")
    assert at.retry(root) == (root,)
    assert (at.states(root, child), at.job(root).error) == (["queued (retry)", "failed"], None)


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING, Status.WAITING, Status.COMPLETED])
def test_there_must_be_something_to_repair(at: AtStore, status: Status) -> None:
    """The message says what the job is."""
    root = at.tree()
    if status is Status.COMPLETED:
        at.run(root)
    elif status is not Status.QUEUED:
        fence = at.start(root)
        at.spawn(fence, "a")
        if status is Status.WAITING:
            at.suspend(fence)
    with pytest.raises(IllegalChange, match=f"job #1 is {status}; only a job that is failed, partial or cancelled"):
        at.retry(root)


def test_below_a_job_that_is_being_stopped_nothing_is_tried_again(at: AtStore) -> None:
    """Its worker would find nobody who waits; once it has ended, all of it can be opened."""
    root, (one, two) = at.waiting_parent("a", "b")
    at.run(one, Status.FAILED)
    fence = at.start(two)
    at.cancel(root)
    with pytest.raises(IllegalChange, match="job #1 above job #2 is being stopped; try again when it has ended"):
        at.retry(one)
    at.finish(fence, Status.CANCELLED)
    assert at.retry(one) == (one,)
    assert at.states(root, one, two) == ["waiting (children)", "queued (retry)", "cancelled (cancelled)"]


def test_a_retry_below_a_job_that_still_works_is_a_child_more_for_it(at: AtStore) -> None:
    """It is not opened again, since it is open; its end then waits for the child."""
    fence = at.start(at.tree())
    (child,) = at.spawn(fence, "a")
    at.run(child, Status.FAILED)
    at.retry(child)
    assert (at.job(1).status, at.job(1).open_children) == (Status.RUNNING, 1)
    assert at.finish(fence, result="mine") is Status.WAITING
    at.run(child)
    assert at.states(1) == ["completed"]


def test_a_job_that_never_started_is_tried_again(at: AtStore) -> None:
    """Its folder may be there now."""
    root = at.tree()
    with at.store.write() as tx:
        finish.fail_unstarted(tx, root, "bad_request", "no folder", at.now_ms)
    assert at.retry(root) == (root,)
    assert at.run(root) is Status.COMPLETED


def test_history_keeps_every_round(at: AtStore) -> None:
    """Also what a retry has taken out of the row."""
    root = at.tree()
    at.run(root, Status.FAILED, reason="exit_code", error="first")
    at.retry(root)
    at.run(root)
    with at.store.read() as reader:
        told = [(change.status, change.reason, change.attempt) for change in tree.history(reader, root)]
        attempts = [(attempt.outcome, attempt.error) for attempt in tree.attempts(reader, root)]
    assert told == [
        ("queued", None, 0),
        ("running", None, 1),
        ("failed", "exit_code", 1),
        ("queued", "retry", 1),
        ("running", None, 2),
        ("completed", None, 2),
    ]
    assert attempts == [("failed", "first"), ("completed", None)]


def test_all_failed_leaves_are_tried_again_at_once_and_nothing_else(at: AtStore) -> None:
    """Two branches failed, one was cancelled; what had succeeded keeps its one attempt."""
    root, middle, good, bad = failed_leaf(at)
    with at.store.read() as reader:
        assert failed_leaves(reader, root) == [bad]
    with at.store.write() as tx:
        assert retry_failed(tx, root, at.now_ms) == (bad,)
    at.run(bad, result="good now")
    at.run(middle, result="all of it")
    at.run(root, result="everything")
    assert at.states(root, middle, good, bad) == ["completed"] * 4
    assert at.job(good).attempt == 1
    with at.store.read() as reader:
        check(reader)


def test_a_job_that_failed_by_itself_is_its_own_leaf(at: AtStore) -> None:
    root = at.tree()
    at.run(root, Status.FAILED)
    with at.store.write() as tx:
        assert retry_failed(tx, root, at.now_ms) == (root,)
    at.run(root)
    with pytest.raises(IllegalChange, match="nothing at or below #1 has failed"), at.store.write() as tx:
        retry_failed(tx, root, at.now_ms)


def test_a_command_that_failed_by_itself_says_so_again_when_its_children_are_repaired(at: AtStore) -> None:
    """Its own work is not done again, so its failure stands, and the reason of it is told, not lost."""
    root = at.tree(kind=Kind.COMMAND)
    fence = at.start(root)
    (child,) = at.spawn(fence, "leaf")
    at.finish(fence, Status.FAILED, reason="exit_code", error="exit code 3")
    at.run(child, Status.FAILED, reason="exit_code")
    assert at.states(root, child) == ["failed (exit_code)"] * 2
    at.retry(child)
    at.run(child)
    assert at.states(root, child) == ["failed (exit_code)", "completed"]


def test_a_command_that_was_cancelled_while_it_waited_says_so_again_when_its_children_are_repaired(at: AtStore) -> None:
    """As with a failure of its own."""
    root = at.tree(kind=Kind.COMMAND)
    fence = at.start(root)
    (child,) = at.spawn(fence, "leaf")
    at.finish(fence)
    at.cancel(root)
    assert at.states(root, child) == ["cancelled (cancelled)"] * 2
    at.retry(child)
    at.run(child)
    assert at.states(root, child) == ["cancelled (cancelled)", "completed"]
