"""Reading the tree: jobs, children, ledgers, paths, attempts, totals."""

import pytest
from at_store import AtStore

from store import tree
from store.errors import NotFound
from store.models import Usage
from store.states import Kind, Status


def family(at: AtStore) -> tuple[int, int, int, int]:
    """Return #1 > #2 > #4, and #3 beside #2; all but #3 at work."""
    fence = at.start(at.tree())
    left, right = at.spawn(fence, "left", "right")
    (leaf,) = at.spawn(at.start(left), "leaf")
    at.start(leaf)
    return 1, left, right, leaf


def test_the_tree_is_read_from_every_place(at: AtStore) -> None:
    """Down, up, and whether one is below another."""
    root, left, right, leaf = family(at)
    other = at.tree()
    with at.store.read() as reader:
        assert [job.id for job in tree.children(reader, root)] == [left, right]
        assert [job.id for job in tree.subtree(reader, root)] == [root, left, right, leaf]
        assert [job.id for job in tree.subtree(reader, root, limit=2)] == [root, left]
        assert tree.subtree_ids(reader, left) == [left, leaf]
        assert [job.id for job in tree.path(reader, leaf)] == [root, left, leaf]
        assert tree.tree_of(reader, leaf).root_id == root
        within = [tree.is_within(reader, leaf, top) for top in (leaf, left, root, right, other)]
    assert within == [True, True, True, False, False]


def test_roots_come_newest_first_in_pages(at: AtStore) -> None:
    """The next page begins before the last one's last."""
    roots = [at.tree() for _ in range(4)]
    at.start(roots[0])
    with at.store.read() as reader:
        page = tree.roots(reader, limit=3)
        rest = tree.roots(reader, limit=3, before_id=page[-1].id)
    assert [job.id for job in page] == roots[:0:-1]
    assert [job.id for job in rest] == roots[:1]


def test_a_ledger_is_what_a_parent_knows_of_its_children(at: AtStore) -> None:
    """In their order, with the cost of everything below each, by batch where one is named."""
    fence = at.start(at.tree())
    good, bad = at.spawn(fence, "good", "bad")
    (later,) = at.spawn(fence, "later")
    below = at.start(good)
    at.run(*at.spawn(below, "leaf"), usage=Usage(cost_usd=0.25))
    at.finish(below, result="found", data=[1], usage=Usage(cost_usd=0.5))
    at.run(bad, Status.FAILED, reason="exit_code", error="it broke")
    with at.store.read() as reader:
        first, second, third = tree.ledger(reader, 1)
        assert [entry.id for entry in tree.ledger(reader, 1, 2)] == [later]
        assert tree.ledger(reader, 1, 3) == []
    assert (first.id, first.batch, first.kind, first.request) == (good, 1, Kind.COMMAND, "good")
    assert (first.status, first.result, first.data, first.cost_usd, first.attempts) == (
        "completed",
        "found",
        [1],
        0.75,
        1,
    )
    assert (second.status, second.reason, second.error, second.delivered) == ("failed", "exit_code", "it broke", False)
    assert (third.status, third.attempts) == (Status.QUEUED, 0)


def test_the_totals_of_the_store_and_of_a_tree(at: AtStore) -> None:
    """Every state is named; slots in use are those of workers that do not lend theirs."""
    family(at)
    at.lend(at.job(2).fence)
    at.ask(at.job(4).fence)
    at.run(at.tree())
    with at.store.read() as reader:
        state = tree.store_state(reader)
        counts = tree.counts(reader, 1)
    assert (state.slots, state.using_slots, state.open_asks, state.paused_ms) == (10, 2, 1, None)
    assert (state.brake_reason, state.brake_until_ms) == (None, None)
    assert set(state.counts) == set(Status)
    assert (state.counts[Status.RUNNING], state.counts[Status.QUEUED], state.counts[Status.COMPLETED]) == (3, 1, 1)
    assert (counts[Status.RUNNING], counts[Status.COMPLETED], sum(counts.values())) == (3, 0, 4)


def test_history_and_attempts_are_told_in_order(at: AtStore) -> None:
    """With the time of each step; a limit takes the first ones."""
    begin_ms, root = at.now_ms, at.tree()
    for _ in range(2):
        at.later(1)
        at.release(at.start(root), "api_error")
    with at.store.read() as reader:
        history = tree.history(reader, root)
        assert tree.history(reader, root, limit=2) == history[:2]
        attempts = tree.attempts(reader, root)
    assert [(change.status, change.reason) for change in history] == [
        ("queued", None),
        ("running", None),
        ("queued", "api_error"),
        ("running", None),
        ("queued", "api_error"),
    ]
    assert [change.at_ms - begin_ms for change in history] == [0, 1000, 1000, 2000, 2000]
    assert [change.seq for change in history] == sorted(change.seq for change in history)
    assert [(attempt.number, attempt.started_ms) for attempt in attempts] == [(1, at.now_ms - 1000), (2, at.now_ms)]


@pytest.mark.parametrize("read", [tree.get_job, tree.tree_of])
def test_what_is_not_there_is_not_found(at: AtStore, read: object) -> None:
    """One line that says what, and how to see what there is."""
    at.tree()
    with at.store.read() as reader:
        for wrong in (0, -1, 2, 2**62):
            with pytest.raises(NotFound, match=f"there is no job #{wrong}; see: orch list"):
                read(reader, wrong)  # type: ignore[operator]
        assert tree.children(reader, 9) == []
        assert tree.ledger(reader, 9) == []
        assert tree.path(reader, 9) == []
        assert not tree.is_within(reader, 9, 1)
