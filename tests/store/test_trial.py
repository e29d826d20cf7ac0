"""A tree on trial gets the limits, or the refusal, that the store itself would give it."""

from dataclasses import replace

import pytest
from at_store import AtStore

from store.errors import BadInput, LimitExceeded
from store.models import Limits, NewJob, NewTree
from store.settings import get_settings
from store.states import Kind
from store.submit import submit_tree
from store.tree import get_tree
from store.trial import shipped_settings, try_tree


def test_the_settings_that_are_shipped_are_those_of_a_new_store(at: AtStore) -> None:
    with at.store.read() as reader:
        assert shipped_settings() == get_settings(reader)


def test_the_limits_are_those_in_force(at: AtStore) -> None:
    """Given, or the settings'."""
    new = NewTree(NewJob("x"), limits=Limits(max_depth=2, timeouts_s=(60.0, 5.0)), work_dir="/")
    with at.store.write() as tx:
        stored = get_tree(tx, submit_tree(tx, new, 1_000))
    assert try_tree(new).tree == stored
    wide = replace(shipped_settings(), max_jobs=7, slots=12, allowed_tools=("Read", "Bash(ls:*)"))
    found = try_tree(new, wide)
    assert (found.tree.max_jobs, found.tree.allowed_tools) == (7, ("Read", "Bash(ls:*)"))
    assert found.settings == wide


def test_what_the_store_refuses_is_refused() -> None:
    with pytest.raises(BadInput, match="max_workers is 11; allowed: 1 to 10"):
        try_tree(NewTree(NewJob("x"), limits=Limits(max_workers=11)))
    items = (NewJob("true", Kind.COMMAND),) * 3
    with pytest.raises(LimitExceeded, match="max_children"):
        try_tree(NewTree(NewJob("x", Kind.GROUP), items, Limits(max_children=2)))
