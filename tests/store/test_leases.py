"""Attempts on other machines: claimed once, alive until their lease ends, their calls answered once."""

import apsw
import pytest
from at_store import AtStore

from store import claim, leases, schema, tree
from store.clock_jump import move_due_times
from store.database import Store
from store.errors import BadInput, IllegalChange, NotAllowed, StaleAttempt
from store.home import Home
from store.models import Attempt, Fence, Job

LEASE_MS = 60_000


def begin(at: AtStore, job_id: int | None = None) -> Fence:
    """Start a job whose worker has not come yet; its code is ``code``."""
    job_id = job_id or at.tree()
    with at.store.write() as tx:
        return claim.start_attempt(tx, job_id, claim.token_hash("code"), at.now_ms)


def take(at: AtStore, fence: Fence, token: str = "own") -> Job:
    with at.store.write() as tx:
        return leases.claim_remote(tx, fence, claim.token_hash(token), "node-1", LEASE_MS, at.now_ms)


def renew(at: AtStore, fence: Fence) -> Job:
    with at.store.write() as tx:
        return leases.renew(tx, fence, LEASE_MS, at.now_ms)


def lease(at: AtStore, fence: Fence) -> int | None:
    with at.store.read() as reader:
        return leases.lease_until_ms(reader, fence)


def attempt(at: AtStore, fence: Fence) -> Attempt:
    with at.store.read() as reader:
        return tree.attempts(reader, fence.job_id)[fence.attempt - 1]


def test_a_claim_makes_the_code_a_token_and_gives_a_lease(at: AtStore) -> None:
    fence = begin(at)
    assert lease(at, fence) is None
    assert take(at, fence).id == fence.job_id
    taken = attempt(at, fence)
    assert (taken.claimed_ms, taken.pid, taken.host) == (at.now_ms, None, "node-1")
    assert taken.lease_until_ms == lease(at, fence) == at.now_ms + LEASE_MS
    with at.store.read() as reader:
        assert claim.fence_of_token(reader, "own") == fence
        with pytest.raises(NotAllowed):
            claim.fence_of_token(reader, "code")


def test_an_attempt_is_claimed_from_elsewhere_once(at: AtStore) -> None:
    """Whoever made the claim may say it again, after a lost answer; that changes nothing."""
    fence = begin(at)
    take(at, fence)
    before = attempt(at, fence)
    at.later(1)
    assert take(at, fence).id == fence.job_id
    assert attempt(at, fence) == before
    with pytest.raises(StaleAttempt, match="attempt 1 of job #1 is taken or over"):
        take(at, fence, "another")
    with pytest.raises(StaleAttempt), at.store.write() as tx:
        claim.claim(tx, fence, 4711, at.now_ms)


def test_an_attempt_taken_here_is_not_to_be_had_elsewhere(at: AtStore) -> None:
    fence = at.start(at.tree())
    with pytest.raises(StaleAttempt):
        take(at, fence, f"token {fence.job_id}")
    with pytest.raises(StaleAttempt, match="has no lease to renew"):
        renew(at, fence)
    assert lease(at, fence) is None


def test_an_attempt_that_is_over_is_not_to_be_had(at: AtStore) -> None:
    fence = begin(at)
    at.release(fence)
    with pytest.raises(StaleAttempt):
        take(at, fence)
    with pytest.raises(StaleAttempt):
        take(at, Fence(99, 1))


def test_a_lease_is_renewed_while_the_attempt_is_open(at: AtStore) -> None:
    """Late, too: until the head has ended the attempt, nobody has taken its place."""
    fence = begin(at)
    take(at, fence)
    at.later(50)
    assert renew(at, fence).id == fence.job_id
    assert lease(at, fence) == at.now_ms + LEASE_MS
    at.later(100)
    renew(at, fence)
    assert lease(at, fence) == at.now_ms + LEASE_MS
    at.finish(fence)
    assert lease(at, fence) is None
    with pytest.raises(StaleAttempt):
        renew(at, fence)


def test_a_renewal_tells_that_the_job_is_to_stop(at: AtStore) -> None:
    fence = begin(at)
    take(at, fence)
    at.cancel(fence.job_id)
    assert renew(at, fence).stop_reason == "cancelled"


@pytest.mark.parametrize("lease_ms", [0, -1, leases.MOST_LEASE_MS + 1])
def test_a_lease_has_bounds(at: AtStore, lease_ms: int) -> None:
    fence = begin(at)
    with pytest.raises(BadInput, match="allowed: above 0"), at.store.write() as tx:
        leases.claim_remote(tx, fence, "hash", "node", lease_ms, at.now_ms)


def test_a_call_is_answered_once_until_the_attempt_ends(at: AtStore) -> None:
    fence = begin(at)
    take(at, fence)
    with at.store.write() as tx:
        assert leases.recall(tx, fence, "a") is None
        leases.remember(tx, fence, "a", '{"done":true}')
    with at.store.read() as reader:
        assert leases.recall(reader, fence, "a") == '{"done":true}'
        assert leases.recall(reader, fence, "b") is None
    with pytest.raises(IllegalChange, match="a call is answered once"), at.store.write() as tx:
        leases.remember(tx, fence, "a", "again")
    at.finish(fence)
    assert at.rows("SELECT * FROM attempt_calls") == []
    with pytest.raises(StaleAttempt), at.store.write() as tx:
        leases.remember(tx, fence, "c", "late")
    with pytest.raises(StaleAttempt), at.store.read() as reader:
        leases.recall(reader, fence, "a")


def test_answers_of_other_attempts_stay(at: AtStore) -> None:
    first, second = begin(at), begin(at)
    for fence in (first, second):
        take(at, fence, f"own {fence.job_id}")
        with at.store.write() as tx:
            leases.remember(tx, fence, "a", str(fence.job_id))
    at.release(first)
    assert at.rows("SELECT job_id, answer FROM attempt_calls") == [(2, "2")]


@pytest.mark.parametrize(
    "assignments",
    [
        "lease_until_ms = NULL",
        "host = 'another'",
        "token_sha256 = 'mine'",
        "claimed_ms = NULL",
        "lease_until_ms = -1",
    ],
)
def test_what_a_claim_gave_stays(at: AtStore, assignments: str) -> None:
    fence = begin(at)
    take(at, fence)
    with pytest.raises(IllegalChange), at.store.write() as tx:
        tx.run(f"UPDATE attempts SET {assignments} WHERE job_id = ?", (fence.job_id,))


def test_an_attempt_here_gets_no_lease(at: AtStore) -> None:
    fence = at.start(at.tree())
    with pytest.raises(IllegalChange, match="from its claim on, or never"), at.store.write() as tx:
        tx.run("UPDATE attempts SET lease_until_ms = 5 WHERE job_id = ?", (fence.job_id,))


def moved(at: AtStore, fence: Fence, by_ms: int) -> int | None:
    """Return how long the lease lasts after the clock was set (ms)."""
    at.now_ms += by_ms
    with at.store.write() as tx:
        move_due_times(tx, by_ms, at.now_ms)
    until_ms = lease(at, fence)
    return None if until_ms is None else until_ms - at.now_ms


@pytest.mark.parametrize("by_ms", [86_400_000, -86_400_000, 3_600_000])
def test_a_lease_moves_with_the_clock(at: AtStore, by_ms: int) -> None:
    at.now_ms = 1_000_000_000
    fence = begin(at)
    take(at, fence)
    at.later(10)
    assert moved(at, fence, by_ms) == LEASE_MS - 10_000


@pytest.mark.parametrize("by_ms", [86_400_000, -86_400_000, -40_000])
def test_a_lease_renewed_by_the_new_clock_is_not_shortened(at: AtStore, by_ms: int) -> None:
    """Nor is it longer than the longest lease."""
    at.now_ms = 1_000_000_000
    fence = begin(at)
    take(at, fence)
    at.now_ms += by_ms
    renew(at, fence)
    with at.store.write() as tx:
        move_due_times(tx, by_ms, at.now_ms)
    until_ms = lease(at, fence)
    assert until_ms is not None
    assert LEASE_MS <= until_ms - at.now_ms <= leases.MOST_LEASE_MS


def test_a_store_of_one_machine_becomes_one_of_many(home: Home) -> None:
    """What is in it stays: its jobs have no needs, its attempts no lease."""
    Store.open(home, create=True).close()
    older = apsw.Connection(":memory:")
    schema.mark(older)
    for sql in schema.migrations()[:4]:
        older.execute(sql).fetchall()
    older.execute("INSERT INTO jobs(request, created_ms) VALUES ('remember me', 1000)")
    older.execute("UPDATE jobs SET status = 'running', attempt = 1, started_ms = 1000, changed_ms = 1000")
    older.execute("INSERT INTO attempts(job_id, number, token_sha256, started_ms) VALUES (1, 1, 'a token', 1000)")
    older.pragma("user_version", 4)
    home.database.unlink()
    for end in ("-wal", "-shm"):
        home.database.with_name(f"{home.database.name}{end}").unlink(missing_ok=True)
    older.execute("VACUUM INTO ?", (str(home.database),))
    home.database.chmod(0o600)
    with Store.open(home) as store:
        assert store.schema_differences() == []
        with store.read() as reader:
            assert (tree.get_job(reader, 1).request, tree.get_job(reader, 1).needs) == ("remember me", None)
            assert tree.attempts(reader, 1)[0].lease_until_ms is None
        with store.write() as tx:
            leases.claim_remote(tx, Fence(1, 1), "its token", "node", LEASE_MS, 1_000)
