"""How attempts and jobs end: in one transaction with everything above them."""

import math

import pytest
from at_store import AtStore
from invariants import check

from store import finish, settings, tree
from store.errors import StaleAttempt
from store.models import Fence, NewJob, Outcome, Usage
from store.states import Kind, Reason, Status
from store.submit import expand_group

# -- the end of an attempt ---------------------------------------------------------------------------------------------


def test_a_job_without_children_ends_with_its_attempt(at: AtStore) -> None:
    """What the worker found and used is in the row, once and for all."""
    fence = at.start(at.tree())
    usage = Usage(0.25, 10, 20, 30, 40, 3, 0.75)
    told = {
        "result": "done",
        "data": {"a": [1]},
        "denials": ("Bash",),
        "exit_code": 0,
        "session_id": "s",
        "usage": usage,
    }
    at.later(2)
    assert at.finish(fence, **told) is Status.COMPLETED
    job = at.job(1)
    assert (job.status, job.reason, job.own_status, job.ended_ms) == (
        Status.COMPLETED,
        None,
        Status.COMPLETED,
        at.now_ms,
    )
    assert (job.result, job.error, job.data, job.denials, job.session_id) == ("done", None, {"a": [1]}, ("Bash",), "s")
    assert (job.cost_usd, job.subtree_cost_usd, job.tokens, job.subtree_tokens) == (0.25, 0.25, 30, 30)
    with at.store.read() as reader:
        (attempt,) = tree.attempts(reader, 1)
    assert (attempt.outcome, attempt.exit_code, attempt.ended_ms, attempt.usage) == ("completed", 0, at.now_ms, usage)


def test_an_attempt_ends_once(at: AtStore) -> None:
    """A second word, and that of an attempt that was superseded, are refused and change nothing."""
    root = at.tree()
    old = at.start(root)
    at.release(old)
    new = at.start(root)
    at.finish(new, result="the first word")
    for stale in (old, new, Fence(root, 3)):
        with pytest.raises(StaleAttempt):
            at.finish(stale, result="another word")
        with pytest.raises(StaleAttempt):
            at.suspend(stale)
        with pytest.raises(StaleAttempt):
            at.release(stale)
    assert at.job(root).result == "the first word"


@pytest.mark.parametrize("text", ["half a pair \ud83d", "a NUL \0 in it", "\x1b[31m red", "日本語 😀"])
def test_no_word_of_a_worker_is_lost_for_a_character(at: AtStore, text: str) -> None:
    """What a command printed may be anything; what can not be stored is marked, the rest stays."""
    at.finish(at.start(at.tree()), result=text, error=text, data={"said": text})
    job, stored = at.job(1), text.replace("\ud83d", "?")
    assert (job.result, job.error, job.data) == (stored, stored, {"said": stored})


def test_data_that_json_does_not_have_becomes_null(at: AtStore) -> None:
    """NaN would make the row unreadable for anyone else."""
    at.finish(at.start(at.tree()), data={"mean": math.nan, "max": [math.inf], "n": 3})
    assert at.job(1).data == {"mean": None, "max": [None], "n": 3}


# -- tries -------------------------------------------------------------------------------------------------------------


def test_a_failure_is_tried_again_with_a_doubling_back_off(at: AtStore) -> None:
    """2, 4, 8 ... seconds, up to max_attempts tries; the reason of the last one stays."""
    root = at.tree(max_attempts=4)
    for number, wait_s in enumerate([2, 4, 8], start=1):
        assert at.run(root, Status.FAILED, retry=True, reason="exit_code", error=f"try {number}") is Status.QUEUED
        job = at.job(root)
        assert (job.reason, job.tries, job.error) == (Reason.RETRY, number, f"try {number}")
        assert job.not_before_ms == at.now_ms + 1000 * wait_s
        at.later(wait_s)
    assert at.run(root, Status.FAILED, retry=True, reason="exit_code", error="try 4") is Status.FAILED
    job = at.job(root)
    assert (job.reason, job.error, job.attempt, job.not_before_ms) == ("exit_code", "try 4", 4, None)


def test_the_base_of_the_back_off_is_a_setting(at: AtStore) -> None:
    """In seconds, before the second try."""
    with at.store.write() as tx:
        settings.set_setting(tx, "retry_base_s", 0.5)
    at.run(at.tree(), Status.FAILED, retry=True)
    assert at.job(1).not_before_ms == at.now_ms + 500


@pytest.mark.parametrize(
    ("base_ms", "tries", "wait_ms"),
    [(2000, 0, 2000), (2000, 8, 512_000), (2000, 9, 600_000), (2000, 5000, 600_000), (900_000, 3, 900_000), (0, 9, 0)],
)
def test_the_back_off_doubles_up_to_ten_minutes(base_ms: int, tries: int, wait_ms: int) -> None:
    """Killed again and again, a job still is tried this year; a longer base is a person's own wish."""
    assert finish.back_off_ms(base_ms, tries) == wait_ms


@pytest.mark.parametrize("told", [{"retry": False}, {"status": Status.CANCELLED, "retry": True}])
def test_what_must_not_be_tried_again_is_not(at: AtStore, told: dict[str, object]) -> None:
    """A worker that reports its own failure, or one that was stopped."""
    fence = at.start(at.tree(max_attempts=5))
    assert at.finish(fence, **({"status": Status.FAILED} | told)) in (Status.FAILED, Status.CANCELLED)  # type: ignore[arg-type]


def test_a_command_that_has_spawned_is_not_run_again(at: AtStore) -> None:
    """It would spawn the same children once more; a session goes on where it was."""
    for kind, becomes in ((Kind.COMMAND, Status.FAILED), (Kind.CLAUDE, Status.QUEUED)):
        fence = at.start(at.tree(f"a {kind}", kind))
        at.run(*at.spawn(fence, "child"))
        assert at.finish(fence, Status.FAILED, retry=True) is becomes


def test_a_release_uses_up_no_try(at: AtStore) -> None:
    """The fault was not the job's: it is queued again, when it is told to, with its session."""
    root = at.tree(max_attempts=1)
    for _ in range(5):
        at.release(at.start(root), "api_error", error="overloaded", session_id="s", not_before_ms=at.now_ms + 9)
    job = at.job(root)
    assert (job.status, job.reason, job.tries, job.attempt) == (Status.QUEUED, "api_error", 0, 5)
    assert (job.error, job.session_id, job.not_before_ms) == ("overloaded", "s", at.now_ms + 9)
    with at.store.read() as reader:
        assert {attempt.outcome for attempt in tree.attempts(reader, root)} == {"released"}


# -- children ----------------------------------------------------------------------------------------------------------


def test_a_parent_is_queued_in_the_transaction_in_which_its_last_child_ends(at: AtStore) -> None:
    """Status, counters and cost of everything above are right at once, for anyone who looks."""
    root, (one, two) = at.waiting_parent("a", "b")
    at.run(one, usage=Usage(cost_usd=0.5, input_tokens=1))
    assert (at.job(root).status, at.job(root).open_children, at.job(root).subtree_cost_usd) == ("waiting", 1, 0.5)
    fence = at.start(two)
    with at.store.write() as tx:
        finish.finish(tx, fence, Outcome(Status.FAILED, retry=False, usage=Usage(cost_usd=0.25)), at.now_ms)
        found = tree.get_job(tx, root)
    assert (found.status, found.reason, found.open_children) == (Status.QUEUED, Reason.RESUME, 0)
    assert (found.subtree_cost_usd, found.cost_usd, found.subtree_tokens, found.session_id) == (
        0.75,
        0.0,
        1,
        "session-1",
    )


def test_the_end_of_the_deepest_leaf_ends_every_group_above(at: AtStore) -> None:
    """Also over several levels, in one transaction."""
    fence = at.start(at.tree(max_depth=5))
    (outer,) = at.spawn(fence, NewJob("1. a\n2. b", Kind.GROUP))
    at.suspend(fence)
    with at.store.write() as tx:
        from_list = [NewJob("inner: 1. a\n2. b", Kind.GROUP), NewJob("leaf", Kind.COMMAND)]
        inner, leaf = expand_group(tx, outer, from_list, at.now_ms)
        (deep,) = expand_group(tx, inner, [NewJob("deep", Kind.COMMAND)], at.now_ms)
    at.run(leaf)
    at.later(1)
    at.run(deep)
    assert at.states(deep, inner, outer, 1) == ["completed", "completed", "completed", "queued (resume)"]
    assert {at.job(each).ended_ms for each in (deep, inner, outer)} == {at.now_ms}


def test_a_parent_that_waits_for_nothing_open_goes_on_at_once(at: AtStore) -> None:
    """Its children were quicker than it, or there are none: it never waits for what does not come."""
    fence = at.start(at.tree())
    at.run(*at.spawn(fence, "a"))
    assert at.suspend(fence) is Status.QUEUED
    assert at.states(1) == ["queued (resume)"]
    assert at.suspend(at.start(1), "ask") is Status.QUEUED
    with at.store.read() as reader:
        check(reader)


def test_own_work_that_is_over_waits_for_open_children(at: AtStore) -> None:
    """Its result is kept, its process and slot are gone, and its end comes with the last child's."""
    fence = at.start(at.tree())
    one, two = at.spawn(fence, "a", "b")
    assert at.finish(fence, result="mine", usage=Usage(cost_usd=1.0)) is Status.WAITING
    job = at.job(1)
    assert (job.status, job.reason, job.own_status, job.result) == ("waiting", "children", "completed", "mine")
    at.run(one)
    assert at.job(1).status is Status.WAITING
    at.later(5)
    at.run(two)
    job = at.job(1)
    assert (job.status, job.reason, job.result, job.ended_ms) == ("completed", None, "mine", at.now_ms)


@pytest.mark.parametrize(
    ("own", "children", "becomes"),
    [
        (Status.COMPLETED, (Status.COMPLETED, Status.COMPLETED), "completed"),
        (Status.COMPLETED, (Status.COMPLETED, Status.FAILED), "partial (children_failed)"),
        (Status.COMPLETED, (Status.FAILED, Status.FAILED), "partial (children_failed)"),
        (Status.FAILED, (Status.COMPLETED, Status.COMPLETED), "failed (exit_code)"),
        (Status.CANCELLED, (Status.COMPLETED, Status.FAILED), "cancelled (exit_code)"),
    ],
)
def test_own_work_and_children_make_the_end(
    at: AtStore, own: Status, children: tuple[Status, Status], becomes: str
) -> None:
    """Children that failed hide nothing of what succeeded."""
    fence = at.start(at.tree())
    both = at.spawn(fence, "a", "b")
    at.finish(fence, own, reason=None if own is Status.COMPLETED else "exit_code", result="mine")
    for child, status in zip(both, children, strict=True):
        at.run(child, status, result=f"of {child}")
    assert at.states(1) == [becomes]
    assert at.job(1).result == "mine"
    with at.store.read() as reader:
        assert [entry.result for entry in tree.ledger(reader, 1)] == ["of 2", "of 3"]


@pytest.mark.parametrize(
    ("children", "becomes"),
    [
        ((Status.COMPLETED, Status.COMPLETED), "completed"),
        ((Status.COMPLETED, Status.FAILED), "partial (children_failed)"),
        ((Status.FAILED, Status.CANCELLED), "failed (children_failed)"),
    ],
)
def test_a_group_is_what_its_children_are(at: AtStore, children: tuple[Status, Status], becomes: str) -> None:
    """It has no work of its own that could save it."""
    group = at.group("a", "b")
    for child, status in zip((2, 3), children, strict=True):
        at.run(child, status)
    assert at.states(group) == [becomes]


def test_a_failure_of_its_own_with_open_children_may_be_tried_again_meanwhile(at: AtStore) -> None:
    """The children go on; the next attempt finds them."""
    fence = at.start(at.tree())
    (child,) = at.spawn(fence, "a")
    assert at.finish(fence, Status.FAILED, retry=True) is Status.QUEUED
    at.run(child)
    assert at.states(1, child) == ["queued (retry)", "completed"]


def test_a_failed_parent_keeps_its_reason_while_it_waits_and_after(at: AtStore) -> None:
    """Waiting for children is why it is open, not why it failed."""
    for reason, becomes in (("exit_code", "failed (exit_code)"), (None, "failed")):
        root = at.tree()
        fence = at.start(root)
        (child,) = at.spawn(fence, "a")
        at.finish(fence, Status.FAILED, reason=reason, error="broke")
        at.run(child)
        assert at.states(root) == [becomes]


def test_results_are_delivered_when_the_parent_ends_well(at: AtStore) -> None:
    """Only its own children's, and only of those that have ended."""
    root, (one, two) = at.waiting_parent("a", "b")
    _, (strange,) = at.waiting_parent("c")
    at.run(one)
    at.run(two)
    at.run(strange)
    fence = at.start(root)
    (late,) = at.spawn(fence, "late")
    at.suspend(fence, delivered=(one, late, strange))
    assert [at.job(each).delivered for each in (one, two, late, strange)] == [True, False, False, False]
