"""Parts of a transaction that are done whole or not at all, and the claims that are noted in such."""

import pytest
from at_store import AtStore

from store.apart import apart
from store.claim import claim, note_claim, start_attempt, token_hash
from store.database import Store, Transaction
from store.errors import BadInput, IllegalChange, LimitExceeded, StaleAttempt
from store.finish import finish
from store.models import Fence, Limits, NewJob, NewTree, Outcome
from store.states import Kind, Status
from store.submit import submit_tree
from store.tree import attempts, get_job


def tree(store: Store, jobs: int = 2) -> list[int]:
    items = (NewJob("true", Kind.COMMAND),) * jobs
    with store.write() as tx:
        root = submit_tree(tx, NewTree(NewJob("all", Kind.GROUP), items, Limits(max_workers=1)), 1)
    return [root + 1 + n for n in range(jobs)]


def change_and_start(tx: Transaction, job_id: int) -> None:
    with apart(tx):
        assert tx.run("UPDATE jobs SET activity = 'changed' WHERE id = ?", (job_id,))
        start_attempt(tx, job_id, token_hash("2"), 2)


def test_what_is_refused_apart_undoes_nothing_else(at: AtStore) -> None:
    first, second = tree(at.store)
    with at.store.write() as tx:
        with apart(tx):
            start_attempt(tx, first, token_hash("1"), 2)
        with pytest.raises(LimitExceeded, match="max_workers"):
            change_and_start(tx, second)
        with pytest.raises(IllegalChange, match="is running, not queued"), apart(tx):
            start_attempt(tx, first, token_hash("3"), 2)
        with pytest.raises(BadInput), apart(tx):
            tx.run("UPDATE settings SET slots = 0")
    with at.store.read() as reader:
        assert get_job(reader, first).status is Status.RUNNING
        after = get_job(reader, second)
        assert (after.status, after.activity) == (Status.QUEUED, None)


def test_a_claim_is_noted_once_and_for_one_process(at: AtStore) -> None:
    first, second = tree(at.store)
    with at.store.write() as tx:
        fence = start_attempt(tx, first, token_hash("1"), 2)
        note_claim(tx, fence, 11, 3)
        note_claim(tx, fence, 11, 4)
        with pytest.raises(StaleAttempt, match="not that of process 12"):
            note_claim(tx, fence, 12, 4)
        with pytest.raises(StaleAttempt):
            claim(tx, fence, 11, 4)
        assert [(each.pid, each.claimed_ms) for each in attempts(tx, first)] == [(11, 3)]
        finish(tx, fence, Outcome(Status.COMPLETED), 5)
        with pytest.raises(StaleAttempt):
            note_claim(tx, fence, 11, 6)
        with pytest.raises(StaleAttempt):
            note_claim(tx, Fence(second, 1), 11, 6)
