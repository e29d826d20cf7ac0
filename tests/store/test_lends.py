"""Named lends: a client whose call got lost says it again, and it counts once."""

import pytest
from at_store import AtStore

from store import claim
from store.errors import StaleAttempt
from store.models import Fence


def want(at: AtStore, fence: Fence, name: str | None = None) -> bool:
    with at.store.write() as tx:
        return claim.want_slot(tx, fence, name)


def grant(at: AtStore, job_id: int = 1) -> bool:
    with at.store.write() as tx:
        return claim.grant_slot(tx, job_id)


def names(at: AtStore) -> list[str]:
    return [row[0] for row in at.rows("SELECT name FROM lends ORDER BY name")]


def test_lending_twice_under_a_name_counts_once(at: AtStore) -> None:
    """Without one, each counts."""
    fence = at.start(at.tree())
    for _ in range(3):
        at.lend(fence, "a")
    assert at.job(1).lending == 1
    at.lend(fence, "b")
    at.lend(fence)
    assert at.job(1).lending == 3
    assert names(at) == ["a", "b"]


def test_the_last_lender_waits_for_the_slot_however_often_it_asks(at: AtStore) -> None:
    fence = at.start(at.tree())
    at.lend(fence, "a")
    assert [want(at, fence, "a") for _ in range(3)] == [False] * 3
    assert at.job(1).wants_slot
    assert grant(at)
    assert [want(at, fence, "a") for _ in range(2)] == [True] * 2
    assert (at.job(1).lending, names(at)) == (0, [])


def test_of_two_lenders_the_first_goes_on_without_and_asking_again_takes_nothing_more(at: AtStore) -> None:
    fence = at.start(at.tree())
    at.lend(fence, "a")
    at.lend(fence, "b")
    assert [want(at, fence, "a") for _ in range(3)] == [True] * 3
    assert (at.job(1).lending, names(at)) == (1, ["b"])
    assert not want(at, fence, "b")


def test_who_never_lent_holds_the_slot(at: AtStore) -> None:
    fence = at.start(at.tree())
    assert want(at, fence, "never")
    at.lend(fence, "a")
    assert want(at, fence, "never")
    assert at.job(1).lending == 1


def test_lending_again_after_the_slot_came_back_counts_anew(at: AtStore) -> None:
    fence = at.start(at.tree())
    for _ in range(2):
        at.lend(fence, "a")
        assert not want(at, fence, "a")
        assert grant(at)
    at.lend(fence, "a")
    assert at.job(1).lending == 1


def test_lends_belong_to_an_attempt(at: AtStore) -> None:
    """Those of one that is over stand in nobody's way."""
    old = at.start(at.tree())
    at.lend(old, "a")
    at.release(old)
    with pytest.raises(StaleAttempt):
        at.lend(old, "a")
    fresh = at.start(1)
    assert want(at, fresh, "a")
    at.lend(fresh, "a")
    assert at.job(1).lending == 1
