"""Handing in under a name: a call that is made again makes nothing again."""

import pytest
from at_store import AtStore

from store.errors import IllegalChange
from store.handed_in import Handle, once
from store.models import NewJob, NewTree
from store.submit import submit_tree


def hand_in(at: AtStore, name: str | None, asked: str = "{}", caller: str = "key:1") -> tuple[Handle, bool]:
    with at.store.write() as tx:
        return once(
            tx, caller, name, asked, at.now_ms, lambda: Handle(submit_tree(tx, NewTree(NewJob("x")), at.now_ms))
        )


def test_the_same_name_gives_the_same_tree(at: AtStore) -> None:
    assert hand_in(at, "a") == (Handle(1), True)
    assert hand_in(at, "a") == (Handle(1), False)
    assert hand_in(at, "b") == (Handle(2), True)
    assert at.value("SELECT count(*) FROM jobs") == 2


def test_another_caller_has_names_of_its_own(at: AtStore) -> None:
    assert hand_in(at, "a")[0] != hand_in(at, "a", caller="key:2")[0] != hand_in(at, "a", caller="job:1")[0]


def test_without_a_name_it_is_always_new(at: AtStore) -> None:
    assert [hand_in(at, None)[1] for _ in range(2)] == [True, True]
    assert at.value("SELECT count(*) FROM handed_in") == 0


def test_another_request_under_the_same_name_is_refused(at: AtStore) -> None:
    """Whatever characters it holds."""
    hand_in(at, "a", "{}")
    with pytest.raises(IllegalChange, match="another request was handed in under the name 'a'; take a new name"):
        hand_in(at, "a", "\udc80")
    assert at.value("SELECT count(*) FROM jobs") == 1


def test_what_could_not_be_made_leaves_its_name_free(at: AtStore) -> None:
    def fail() -> Handle:
        raise RuntimeError

    with pytest.raises(RuntimeError), at.store.write() as tx:
        once(tx, "key:1", "a", "{}", at.now_ms, fail)
    assert hand_in(at, "a") == (Handle(1), True)


def test_a_batch_is_called_by_its_parent_and_number() -> None:
    assert (Handle(12).name, Handle(12, 1).name) == ("12", "12-1")
