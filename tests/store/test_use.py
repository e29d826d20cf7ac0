"""What is used of a tree's limits, and what is open below a job, counted by the store."""

from pathlib import Path

import pytest

from store import claim, control, submit
from store.database import Store
from store.errors import NotFound
from store.home import Home
from store.models import NewJob, NewTree
from store.states import Status
from store.use import TreeUse, subtree_counts, tree_use

NOW_MS = 1_700_000_000_000


def test_use_counts_levels_children_processes_and_dollars_of_one_tree(tmp_path: Path) -> None:
    """Another tree in the same store changes nothing."""
    with Store.open(Home(tmp_path / ".orch"), create=True) as store:
        with store.write() as tx:
            root = submit.submit_tree(tx, NewTree(NewJob("a")), NOW_MS)
            other = submit.submit_tree(tx, NewTree(NewJob("b")), NOW_MS)
            fence = claim.start_attempt(tx, root, claim.token_hash("a"), NOW_MS)
            first, second = submit.spawn(tx, fence, [NewJob("a1"), NewJob("a2")], NOW_MS).job_ids
            below = claim.start_attempt(tx, first, claim.token_hash("a1"), NOW_MS)
            submit.spawn(tx, below, [NewJob("a11")], NOW_MS)
            claim.lend_slot(tx, fence)
        with store.read() as reader:
            assert tree_use(reader, root) == TreeUse(deepest=2, most_children=2, running=1, spent_usd=0.0)
            assert tree_use(reader, other) == TreeUse(0, 0, 0, 0.0)
            counts = subtree_counts(reader, root)
            assert (counts[Status.RUNNING], counts[Status.QUEUED], sum(counts.values())) == (2, 2, 4)
            assert subtree_counts(reader, second)[Status.QUEUED] == 1
        with store.write() as tx:
            control.cancel(tx, second, NOW_MS)
            assert subtree_counts(tx, second)[Status.CANCELLED] == 1


def test_a_tree_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with Store.open(Home(tmp_path / ".orch"), create=True) as store, store.read() as reader:
        with pytest.raises(NotFound):
            tree_use(reader, 7)
        assert sum(subtree_counts(reader, 7).values()) == 0
