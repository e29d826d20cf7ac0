"""Our own connections, which carry the marks, are held to the same rules."""

import re
from typing import Any

import apsw
import pytest
from at_store import AtStore
from attacks import FIFTY, assert_sound

from store import claim
from store.errors import BadInput, IllegalChange, LimitExceeded, StoreError
from store.models import Fence

TOTALS = "are computed"


OWN: list[Any] = [
    ("UPDATE jobs SET status = 'running', attempt = 1 WHERE id = 4", LimitExceeded, "max_workers: tree #1 runs as many workers as its max_workers allows (3), so job #4 stays; a person raises it: orch limits 1 --max-workers N"),
    ("UPDATE jobs SET status = 'running', attempt = 2 WHERE id = 8", IllegalChange, "it rises by one when the job starts"),
    ("UPDATE jobs SET attempt = 0 WHERE id = 5", IllegalChange, "it rises by one when the job starts"),
    ("UPDATE jobs SET status = 'waiting', waiting_for = 'children' WHERE id = 4", IllegalChange, "only a group waits without having run"),
    ("UPDATE jobs SET status = 'waiting', waiting_for = 'nobody' WHERE id = 5", IllegalChange, "attempt 1 of job #5 has not ended"),
    ("UPDATE jobs SET waiting_for = NULL WHERE id = 6", IllegalChange, "would wait for nothing"),
    ("UPDATE jobs SET own_status = 'failed' WHERE id = 3", IllegalChange, "its result never changes"),
    ("UPDATE jobs SET denials = '[1]' WHERE id = 3", IllegalChange, "its result never changes"),
    ("UPDATE jobs SET status = 'completed' WHERE id = 6", IllegalChange, "has children that have not ended"),
    ("UPDATE attempts SET number = 2 WHERE job_id = 5", IllegalChange, "an attempt keeps its number"),
    ("UPDATE attempts SET token_sha256 = 'mine' WHERE job_id = 5", IllegalChange, "an attempt keeps its number"),
    ("UPDATE attempts SET claimed_ms = NULL WHERE job_id = 5", IllegalChange, "an attempt keeps its number"),
    ("UPDATE attempts SET cost_usd = 9 WHERE job_id = 3", IllegalChange, "never changes after its end"),
    ("INSERT OR REPLACE INTO attempts(job_id, number, token_sha256, started_ms) VALUES (5, 1, 'mine', 1)", IllegalChange, "an attempt is made when its job starts, once"),
    ("INSERT INTO attempts(job_id, number, token_sha256, started_ms) VALUES (4, 1, 'mine', 1)", IllegalChange, "an attempt is made when its job starts, once"),
    ("UPDATE asks SET used_ms = NULL WHERE id = 2", IllegalChange, "an ask never changes"),
    ("UPDATE asks SET answer = 'perhaps', answered_ms = 1 WHERE id = 1", IllegalChange, "answered once"),
    ("UPDATE rules SET rule = 'Bash' WHERE id = 1", IllegalChange, "a rule never changes; it is removed, once"),
    ("UPDATE rules SET removed_ms = NULL WHERE id = 3", IllegalChange, "a rule never changes; it is removed, once"),
    ("INSERT OR REPLACE INTO rules(id, job_id, verdict, rule, created_ms) VALUES (1, 1, 'allow', 'Bash', 1)", IllegalChange, "a new rule has an id of its own"),
    ("INSERT INTO rules(job_id, verdict, rule, created_ms) VALUES (99, 'allow', 'Bash', 1)", IllegalChange, "a new rule has an id of its own, and a job"),
    ("INSERT INTO rules(job_id, verdict, rule, created_ms) VALUES (1, 'perhaps', 'Bash', 1)", BadInput, "a rule allows or denies"),
    ("INSERT INTO rules(job_id, verdict, rule, created_ms) VALUES (1, 'allow', ' ', 1)", BadInput, "1 to 4000 characters"),
    ("UPDATE keys SET sha256 = 'mine'", IllegalChange, "a key never changes; it is revoked, once"),
    ("UPDATE keys SET revoked_ms = NULL WHERE id = 2", IllegalChange, "a key never changes; it is revoked, once"),
    ("INSERT OR REPLACE INTO keys(id, name, sha256, created_ms) VALUES (1, 'mine', 'mine', 1)", IllegalChange, "a new key has an id of its own"),
    ("INSERT OR REPLACE INTO handed_in VALUES ('key:1', 'first', 'x', 6, NULL, 1)", IllegalChange, "has handed in something under this name"),
    ("UPDATE asks SET rule_id = 1 WHERE id = 2", IllegalChange, "an ask never changes"),
    ("UPDATE trees SET max_depth = 6 WHERE root_id = 1", BadInput, "max_depth is 6; allowed: 0 to 5"),
    ("UPDATE trees SET max_depth = 1 WHERE root_id = 1", BadInput, "tree #1 already has jobs at depth 2"),
    ("UPDATE trees SET max_workers = 11 WHERE root_id = 1", BadInput, "max_workers is 11; allowed: 1 to 10"),
    ("UPDATE trees SET permission_mode = 'all' WHERE root_id = 1", BadInput, "permission_mode is 'all'"),
    ("UPDATE trees SET park_after_s = -1 WHERE root_id = 1", BadInput, "park_after_s is -1"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "error", "says"), OWN, ids=[row[0] for row in OWN])
def test_our_own_connections_are_held_to_the_same_rules(
    hit: AtStore, sql: str, error: type[StoreError], says: str
) -> None:
    """A fault in our own code is refused like anyone's statement, as one of the store's errors."""
    before = hit.everything()
    with pytest.raises(error, match=re.escape(says)), hit.store.write() as tx:
        tx.run(sql)
    assert hit.everything() == before


def test_an_error_within_a_savepoint_keeps_what_was_right_alone(hit: AtStore) -> None:
    """Half a batch never stays, whatever the writer commits after the refusal."""
    writer = apsw.Connection(str(hit.home.database))
    writer.execute(
        "BEGIN; SAVEPOINT a; INSERT INTO jobs(parent_id, request) VALUES (6, 'right'); SAVEPOINT b"
    ).fetchall()
    with pytest.raises(apsw.Error, match="max_children: job #6 has 20 children"):
        writer.execute(f"{FIFTY} INSERT INTO jobs(parent_id, request) SELECT 6, 'part ' || i FROM n").fetchall()
    writer.execute("RELEASE b; RELEASE a; COMMIT").fetchall()
    writer.close()
    assert hit.rows("SELECT request FROM jobs WHERE parent_id = 6 AND id > 10") == [("right",)]
    assert_sound(hit)


def test_a_stopped_job_takes_no_more_children(hit: AtStore) -> None:
    """Otherwise a worker that is asked to end could go on by its children."""
    hit.cancel(6)
    hit.cancel(2)
    for parent_id in (2, 5):
        done = hit.shell(f"INSERT INTO jobs(parent_id, request) VALUES ({parent_id}, 'x')")
        assert f"job #{parent_id} is being stopped (cancelled); it takes no more children" in done.stderr
    assert_sound(hit)


def test_a_slot_is_given_back_within_max_workers_only(hit: AtStore) -> None:
    """A worker that lent its slot goes on only when its tree has one: the database counts, not the caller."""
    with hit.store.write() as tx:
        claim.lend_slot(tx, Fence(5, 1))
    hit.start(4)
    with hit.store.write() as tx:
        claim.want_slot(tx, Fence(5, 1))
    with pytest.raises(LimitExceeded, match="max_workers: tree #1") as refused, hit.store.write() as tx:
        claim.grant_slot(tx, 5)
    assert refused.value.limit == "max_workers"
    hit.finish(Fence(4, 1))
    with hit.store.write() as tx:
        assert claim.grant_slot(tx, 5)
    assert_sound(hit)
