"""Attempts while they live: start, claim, what they write, and their slot."""

import pytest
from at_store import AtStore

from store import claim, tree
from store.errors import IllegalChange, NotAllowed, NotFound, StaleAttempt
from store.models import Fence, Usage
from store.states import Status


def start(at: AtStore, job_id: int, token: str = "secret") -> Fence:
    with at.store.write() as tx:
        return claim.start_attempt(tx, job_id, claim.token_hash(token), at.now_ms)


def test_a_start_is_committed_before_any_process_exists(at: AtStore) -> None:
    """The job runs at its next attempt, whose process has not come yet."""
    root = at.tree()
    assert start(at, root) == Fence(root, 1)
    job = at.job(root)
    assert (job.status, job.attempt, job.started_ms, job.fence) == (Status.RUNNING, 1, at.now_ms, Fence(root, 1))
    with at.store.read() as reader:
        (attempt,) = claim.open_attempts(reader)
    assert (attempt.number, attempt.started_ms, attempt.claimed_ms, attempt.pid) == (1, at.now_ms, None, None)


def test_an_attempt_is_claimed_once(at: AtStore) -> None:
    """Of two processes for one attempt the second is told to stop."""
    fence = start(at, at.tree())
    with at.store.write() as tx:
        job = claim.claim(tx, fence, 4711, at.later(1))
    assert job.id == fence.job_id
    with at.store.read() as reader:
        assert [(each.pid, each.claimed_ms) for each in tree.attempts(reader, 1)] == [(4711, at.now_ms)]
    with pytest.raises(StaleAttempt, match="attempt 1 of job #1 is taken or over"), at.store.write() as tx:
        claim.claim(tx, fence, 4712, at.now_ms)


def test_an_attempt_that_is_over_can_not_be_claimed(at: AtStore) -> None:
    """A process that comes late finds its job at the next attempt, or ended."""
    root = at.tree()
    old = start(at, root)
    at.release(old)
    for fence in (old, Fence(root, 2), Fence(99, 1)):
        with pytest.raises(StaleAttempt), at.store.write() as tx:
            claim.claim(tx, fence, 1, at.now_ms)
    start(at, root)
    with pytest.raises(StaleAttempt), at.store.write() as tx:
        claim.claim(tx, old, 1, at.now_ms)


def test_only_a_queued_job_starts(at: AtStore) -> None:
    """Once, too: two supervisors would not start two processes."""
    root = at.tree()
    start(at, root)
    with pytest.raises(IllegalChange, match="job #1 is running, not queued"):
        start(at, root)
    with pytest.raises(NotFound, match="there is no job #9"):
        start(at, 9)
    group = at.group("a", "b")
    with pytest.raises(IllegalChange, match="is waiting, not queued"):
        start(at, group)


def test_a_queued_job_that_is_being_stopped_does_not_start(at: AtStore) -> None:
    """It ends with its last child, though the plan that would start it was made before."""
    root = at.tree()
    fence = at.start(root)
    (child,) = at.spawn(fence, "a")
    at.start(child)
    at.release(fence)
    at.cancel(root)
    assert at.job(root).status is Status.QUEUED
    with pytest.raises(IllegalChange, match=r"job #1 is being stopped \(cancelled\)"):
        start(at, root)


def test_attempts_are_numbered_and_keep_the_session(at: AtStore) -> None:
    """The next attempt resumes what the last one began."""
    root = at.tree()
    first = at.start(root)
    with at.store.write() as tx:
        claim.set_session(tx, first, "session-7")
    at.release(first)
    assert start(at, root) == Fence(root, 2)
    with at.store.read() as reader:
        assert [(each.number, each.session_id) for each in tree.attempts(reader, root)] == [
            (1, "session-7"),
            (2, "session-7"),
        ]
    assert at.job(root).session_id == "session-7"


@pytest.mark.parametrize(
    ("timeouts_s", "due_s"),
    [
        ((60.0, 30.0, 20.0), [60, 5 + 30, 10 + 20]),
        ((60.0, 300.0), [60, 60, 60]),  # a child ends no later than its parent
        ((60.0,), [60, 60, 60]),  # the last timeout holds for all below
        ((100.0, 50.0, 2.0), [100, 55, 12]),
    ],
)
def test_a_deadline_is_that_of_the_depth_and_never_later_than_the_parents(
    at: AtStore, timeouts_s: tuple[float, ...], due_s: list[float]
) -> None:
    """It counts from the job's own first start: here the levels start 5 s one after the other."""
    begin_ms, job_id = at.now_ms, at.tree(timeouts_s=timeouts_s)
    for name in "ab":
        (below,) = at.spawn(at.start(job_id), name)
        job_id = below
        at.later(5)
    at.start(job_id)
    assert [(at.job(each).deadline_ms or 0) - begin_ms for each in (1, 2, 3)] == [1000 * due for due in due_s]


def test_a_job_keeps_its_deadline_over_attempts(at: AtStore) -> None:
    """A worker that is lost again and again does not live for ever."""
    root = at.tree(timeouts_s=(60.0,))
    at.release(at.start(root))
    due_ms = at.job(root).deadline_ms
    at.later(20)
    at.start(root)
    assert at.job(root).deadline_ms == due_ms


def test_what_an_attempt_writes_is_refused_when_it_is_over(at: AtStore) -> None:
    """Every write carries the fence; the new attempt's words stay."""
    root = at.tree()
    old = at.start(root)
    at.release(old)
    new = at.start(root)
    with at.store.write() as tx:
        claim.set_activity(tx, new, "reads main.py", at.now_ms)
    with pytest.raises(StaleAttempt), at.store.write() as tx:
        claim.set_activity(tx, old, "old news", at.now_ms)
    with pytest.raises(StaleAttempt), at.store.write() as tx:
        claim.set_session(tx, old, "old")
    for verb in (claim.lend_slot, claim.want_slot):
        with pytest.raises(StaleAttempt), at.store.write() as tx:
            verb(tx, old)
    with pytest.raises(StaleAttempt), at.store.read() as reader:
        claim.require_running(reader, old)
    job = at.job(root)
    assert (job.activity, job.activity_ms, job.session_id, job.lending) == ("reads main.py", at.now_ms, None, False)


def test_no_character_of_a_worker_stops_it(at: AtStore) -> None:
    """Half a UTF-16 pair in what it shows, as models write it at times, is marked and goes on."""
    fence = at.start(at.tree())
    with at.store.write() as tx:
        claim.set_activity(tx, fence, "says \ud83d", at.now_ms)
    ask_id = at.ask(fence, "what is \ud83d?", options=("\ud83d",), kind="permission", tool="Bash", input={"\ud83d": 1})
    assert at.job(1).activity == "says ?"
    assert at.rows("SELECT question, options, input FROM asks WHERE id = ?", ask_id) == [
        ("what is ??", '["?"]', '{"?":1}')
    ]


def test_a_slot_is_lent_and_given_back(at: AtStore) -> None:
    """The worker asks for it, the supervisor gives it; nobody gets one for nothing."""
    fence = at.start(at.tree())
    with at.store.write() as tx:
        assert not claim.grant_slot(tx, 1)
        assert claim.want_slot(tx, fence)  # what it has not lent it need not want back
        assert not claim.grant_slot(tx, 1)
        claim.lend_slot(tx, fence)
        assert not claim.grant_slot(tx, 1)
        claim.want_slot(tx, fence)
    assert (at.job(1).lending, at.job(1).wants_slot) == (True, True)
    with at.store.write() as tx:
        assert claim.grant_slot(tx, 1)
    assert (at.job(1).lending, at.job(1).wants_slot) == (False, False)


def test_several_clients_of_one_worker_may_block_at_once(at: AtStore) -> None:
    """The slot stays lent until the last of them goes on, or the children that one waits for might never get it."""
    fence = at.start(at.tree())
    at.lend(fence)
    at.lend(fence)
    with at.store.write() as tx:
        assert claim.want_slot(tx, fence)
        assert not claim.grant_slot(tx, 1)
        assert not claim.want_slot(tx, fence)
        assert not claim.want_slot(tx, fence)
    assert (at.job(1).lending, at.job(1).wants_slot) == (1, True)
    with at.store.write() as tx:
        assert claim.grant_slot(tx, 1)
        assert claim.want_slot(tx, fence)
    assert (at.job(1).lending, at.job(1).wants_slot) == (0, False)


def test_an_ended_attempt_lends_nothing(at: AtStore) -> None:
    """Its slot is free, and the next attempt starts with one of its own."""
    root = at.tree()
    fence = at.start(root)
    at.lend(fence)
    at.release(fence)
    assert not at.job(root).lending
    at.start(root)
    assert not at.job(root).lending


def test_a_token_names_the_running_attempt_alone(at: AtStore) -> None:
    """The store keeps no token, only its hash; one that is over, or unknown, names nothing."""
    root = at.tree()
    fence = start(at, root, "secret-1")
    with at.store.read() as reader:
        assert claim.fence_of_token(reader, "secret-1") == fence
        for wrong in ("secret-2", "", claim.token_hash("secret-1")):
            with pytest.raises(NotAllowed, match="an attempt that is over, or to another store"):
                claim.fence_of_token(reader, wrong)
    at.release(fence)
    start(at, root, "secret-2")
    with at.store.read() as reader:
        with pytest.raises(NotAllowed):
            claim.fence_of_token(reader, "secret-1")
        assert claim.fence_of_token(reader, "secret-2") == Fence(root, 2)
    assert "secret" not in str(at.everything())


def test_the_last_known_cost_of_a_session_is_the_highest_one(at: AtStore) -> None:
    """Claude Code tells totals per session; an attempt's own cost is the difference."""
    root = at.tree()
    for total in (0.5, 0.75):
        at.release(at.start(root), session_id="s", usage=Usage(cost_usd=0.5, session_cost_usd=total))
    at.release(at.start(root), session_id="other", usage=Usage(cost_usd=3.0, session_cost_usd=3.0))
    with at.store.read() as reader:
        costs = [claim.last_session_cost(reader, root, session) for session in ("s", "other", "new")]
    assert costs == [0.75, 3.0, 0.0]


def test_denials_of_a_run_are_added_to_those_before(at: AtStore) -> None:
    """By the attempt that runs, and by no other."""
    fence = at.start(at.tree())
    for line in ("rm x", "rm y"):
        with at.store.write() as tx:
            claim.note_denials(tx, fence, [{"tool": "Bash", "input": {"command": line}}])
    assert [one["input"]["command"] for one in at.job(1).denials] == ["rm x", "rm y"]
    at.release(fence)
    with pytest.raises(StaleAttempt), at.store.write() as tx:
        claim.note_denials(tx, fence, [{}])
