"""What a person does to a tree: cancel, pause, raise limits. Retry has a file of its own."""

import pytest
from at_store import AtStore
from invariants import check

from store import brake, control, feed, tree
from store.control import Stopped
from store.errors import BadInput, IllegalChange, NotFound
from store.models import Limits, NewJob
from store.states import Kind, Reason, Status
from store.submit import expand_group

# -- cancel and deadlines ----------------------------------------------------------------------------------------------


def deep_tree(at: AtStore) -> tuple[int, int, int, int]:
    """Return a root that waits for a job that waits for two, one of them running: #1 > #2 > #3 running, #4 queued."""
    root, (middle,) = at.waiting_parent("middle")
    fence = at.start(middle)
    running, queued = at.spawn(fence, "a", "b")
    at.suspend(fence)
    at.start(running)
    return root, middle, running, queued


def test_cancel_ends_what_has_no_process_and_asks_the_rest_to_stop(at: AtStore) -> None:
    """The jobs above a running one stay open until its worker has ended, and take nothing new meanwhile."""
    root, middle, running, queued = deep_tree(at)
    assert at.cancel(root) == Stopped(ended=1, stopping=1)
    assert at.states(queued) == ["cancelled (cancelled)"]
    assert at.states(root, middle) == ["waiting (cancelled)"] * 2
    job = at.job(running)
    assert (job.status, job.stop_reason, job.stop_requested_ms) == (Status.RUNNING, "cancelled", at.now_ms)
    at.later(3)
    at.finish(job.fence, Status.CANCELLED)
    assert at.states(root, middle, running) == ["cancelled (cancelled)"] * 3
    assert {at.job(each).ended_ms for each in (root, middle, running)} == {at.now_ms}


@pytest.mark.parametrize("top", [2, 3, 4])
def test_cancel_at_any_depth_leaves_the_rest_to_go_on(at: AtStore, top: int) -> None:
    """The jobs above get the cancelled job as a child that ended, and go on with what there is."""
    root, middle, running, _ = deep_tree(at)
    at.cancel(top)
    if at.job(running).stop_reason:
        at.finish(at.job(running).fence, Status.CANCELLED)
    assert at.states(top) == ["cancelled (cancelled)"]
    if top == middle:
        assert at.states(root) == ["queued (resume)"]
    else:
        assert at.states(root, middle) == ["waiting (children)"] * 2


def test_a_cancelled_group_is_cancelled_not_failed(at: AtStore) -> None:
    """Its children end because of it, not the other way round; so with every level in between."""
    group = at.group("a", "b")
    assert at.cancel(group) == Stopped(ended=3, stopping=0)
    assert at.states(1, 2, 3) == ["cancelled (cancelled)"] * 3
    root, (inner,) = at.waiting_parent(NewJob("1. a\n2. b", Kind.GROUP))
    with at.store.write() as tx:
        expand_group(tx, inner, [NewJob("a"), NewJob("b")], at.now_ms)
    at.cancel(root)
    assert at.states(root, inner, 6, 7) == ["cancelled (cancelled)"] * 4


def test_a_job_whose_own_work_is_done_is_cancelled_with_its_result_kept(at: AtStore) -> None:
    """What it found stays readable; its state says that not everything was done."""
    fence = at.start(at.tree())
    at.spawn(fence, "a")
    at.finish(fence, result="mine")
    at.cancel(1)
    assert (at.states(1), at.job(1).result) == (["cancelled (cancelled)"], "mine")


def test_history_tells_no_step_that_was_not_made(at: AtStore) -> None:
    """A waiting job that is cancelled was not queued on the way."""
    root, _ = at.waiting_parent("a", "b")
    at.cancel(root)
    with at.store.read() as reader:
        assert [change.status for change in tree.history(reader, root)] == ["queued", "running", "waiting", "cancelled"]


def test_cancel_needs_something_to_cancel(at: AtStore) -> None:
    """An ended job, or none at all, is told so."""
    at.run(at.tree())
    with pytest.raises(IllegalChange, match=r"job #1 has ended \(completed\); there is nothing to cancel"):
        at.cancel(1)
    with pytest.raises(NotFound, match="there is no job #9; see: orch list"):
        at.cancel(9)


def test_a_second_cancel_changes_nothing(at: AtStore) -> None:
    """Neither reason nor time of the first."""
    root, _, running, _ = deep_tree(at)
    at.cancel(root)
    first = at.job(running)
    at.later(1)
    assert at.cancel(root) == Stopped(ended=0, stopping=0)
    assert at.job(running) == first


def test_open_asks_end_with_their_job(at: AtStore) -> None:
    """Nobody is asked for what nobody waits for."""
    fence = at.start(at.tree())
    at.ask(fence)
    at.ask(fence, "and which size?")
    at.suspend(fence, "ask")
    at.cancel(1)
    assert at.rows("SELECT answer, answered_ms FROM asks") == [("void", None)] * 2
    assert at.job(1).open_asks == 0


def test_a_deadline_fails_the_job_and_cancels_all_below(at: AtStore) -> None:
    """The reason says whose time was over."""
    root, middle, running, queued = deep_tree(at)
    assert at.expire(middle) == Stopped(ended=1, stopping=1)
    at.finish(at.job(running).fence, Status.CANCELLED)
    assert at.states(queued, running) == ["cancelled (parent_ended)"] * 2
    assert at.states(middle, root) == ["failed (timeout)", "queued (resume)"]


def test_a_deadline_that_comes_too_late_changes_nothing(at: AtStore) -> None:
    """The job had ended."""
    at.run(at.tree(), result="in time")
    before = at.everything()
    assert at.expire(1) == Stopped(0, 0)
    assert at.everything() == before


def test_a_cancel_takes_over_from_a_shutdown_and_not_the_reverse(at: AtStore) -> None:
    """A job that a person cancelled is not queued again because the supervisor went down too."""
    at.start(at.tree())
    with at.store.write() as tx:
        assert control.request_stop(tx, 1, Reason.SHUTDOWN, at.now_ms)
    at.cancel(1)
    assert at.job(1).stop_reason == "cancelled"
    with at.store.write() as tx:
        assert not control.request_stop(tx, 1, Reason.SHUTDOWN, at.now_ms)
    assert at.job(1).stop_reason == "cancelled"


def test_only_what_runs_is_asked_to_stop(at: AtStore) -> None:
    """A queued job would never see it."""
    at.tree()
    with at.store.write() as tx:
        assert not control.request_stop(tx, 1, Reason.SHUTDOWN, at.now_ms)
    assert at.job(1).stop_reason is None


def test_a_queued_job_with_running_children_ends_with_them(at: AtStore) -> None:
    """It was queued again while its children ran; cancelled, it waits for their workers to end."""
    fence = at.start(at.tree())
    (child,) = at.spawn(fence, "a")
    below = at.start(child)
    at.release(fence)
    at.cancel(1)
    assert at.states(1) == ["queued (cancelled)"]
    at.finish(below, Status.CANCELLED)
    assert at.states(1, child) == ["cancelled (cancelled)"] * 2


# -- pause and brake ---------------------------------------------------------------------------------------------------


def test_a_tree_and_the_store_are_paused_and_resumed_once(at: AtStore) -> None:
    """Each by itself; a second time tells that nothing changed."""
    root = at.tree()
    for root_id, sql in ((root, "SELECT paused_ms FROM trees"), (None, "SELECT paused_ms FROM store")):
        with at.store.write() as tx:
            assert not control.resume(tx, root_id)
            assert control.pause(tx, root_id, at.now_ms)
            assert not control.pause(tx, root_id, at.now_ms + 5)
        assert at.value(sql) == at.now_ms
        with at.store.write() as tx:
            assert control.resume(tx, root_id)
        assert at.value(sql) is None
    with pytest.raises(NotFound, match="there is no tree #9"), at.store.write() as tx:
        control.pause(tx, 9, at.now_ms)


def test_a_pause_of_a_tree_is_in_the_feed(at: AtStore) -> None:
    """Who shows the root sees it change."""
    root = at.tree()
    at.tree()
    with at.store.write() as tx:
        seen = feed.newest_seq(tx)
        control.pause(tx, root, at.now_ms)
        assert [job.id for job in feed.changed_since(tx, seen)] == [root]


def test_a_later_brake_is_not_shortened_by_an_earlier_one(at: AtStore) -> None:
    """Two workers hear of two limits; a person takes both back at once."""
    with at.store.write() as tx:
        brake.set_brake(tx, "usage limit", 5_000)
        brake.set_brake(tx, "API overloaded", 3_000)
        assert tx.rows("SELECT brake_reason, brake_until_ms FROM store") == [("usage limit", 5_000)]
        brake.set_brake(tx, "API overloaded", 8_000)
        assert tx.rows("SELECT brake_reason, brake_until_ms FROM store") == [("API overloaded", 8_000)]
        assert control.resume(tx, None)
        assert tx.rows("SELECT brake_reason, brake_until_ms FROM store") == [(None, None)]


# -- limits of a tree at work ------------------------------------------------------------------------------------------


def test_raised_limits_hold_at_once_and_the_others_stay(at: AtStore) -> None:
    """A worker that was refused may try again."""
    fence = at.start(at.tree(max_depth=0, max_jobs=7, budget_usd=2.0))
    with at.store.write() as tx:
        found = control.set_limits(tx, 1, Limits(max_depth=1))
    assert (found.max_depth, found.max_jobs, found.budget_usd) == (1, 7, 2.0)
    assert at.spawn(fence, "a") == (2,)


def test_deadlines_move_with_the_timeouts(at: AtStore) -> None:
    """Of everything that has started, top down; what has not started gets its own when it starts."""
    begin_ms = at.now_ms
    root, middle, running, queued = deep_tree(at)
    with at.store.write() as tx:
        control.set_limits(tx, root, Limits(timeouts_s=(7200.0, 5000.0, 9000.0)))
    due_s = [((at.job(each).deadline_ms or begin_ms) - begin_ms) / 1000 for each in (root, middle, running, queued)]
    assert due_s == [7200, 5000, 5000, 0]
    with at.store.write() as tx:
        control.set_limits(tx, root, Limits(timeouts_s=(60.0,)))
        check(tx)
    assert {at.job(each).deadline_ms for each in (root, middle, running)} == {begin_ms + 60_000}


def test_ended_jobs_keep_their_deadline(at: AtStore) -> None:
    """History is not rewritten."""
    root, (one, _) = at.waiting_parent("a", "b")
    at.run(one)
    before = at.job(one)
    with at.store.write() as tx:
        control.set_limits(tx, root, Limits(timeouts_s=(7200.0,)))
    assert at.job(one) == before


def test_a_limit_can_not_fall_below_what_is_there(at: AtStore) -> None:
    """Depth is refused; counts may fall, and then nothing more is let in."""
    root, _, running, _ = deep_tree(at)
    with (
        pytest.raises(BadInput, match="max_depth is 1, but tree #1 already has jobs at depth 2"),
        at.store.write() as tx,
    ):
        control.set_limits(tx, root, Limits(max_depth=1))
    with at.store.write() as tx:
        control.set_limits(tx, root, Limits(max_jobs=1))
    with pytest.raises(Exception, match="tree #1 of job #3 has 4 jobs and its max_jobs is 1"):
        at.spawn(at.job(running).fence, "c")
    with pytest.raises(NotFound), at.store.write() as tx:
        control.set_limits(tx, 2, Limits(max_jobs=1))


def test_any_job_names_its_tree(at: AtStore) -> None:
    """People may point at what they see."""
    deep_tree(at)
    with at.store.write() as tx:
        assert [control.root_of(tx, job_id) for job_id in (1, 2, 4)] == [1, 1, 1]
        with pytest.raises(NotFound):
            control.root_of(tx, 5)
