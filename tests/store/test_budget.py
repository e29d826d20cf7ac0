"""What all attempts of a tree may spend together is never more than its budget, whoever starts when."""

import pytest
from at_store import AtStore
from hypothesis import given, settings
from hypothesis import strategies as st

from store import budget, control
from store.budget import reserve, set_share
from store.errors import BadInput
from store.models import Fence, Limits, NewJob, Usage
from store.states import Status
from store.tree import get_job


def ceiling(at: AtStore, fence: Fence) -> float | None:
    with at.store.write() as tx:
        return reserve(tx, fence).usd


def why(at: AtStore, fence: Fence) -> str:
    with at.store.write() as tx:
        return reserve(tx, fence).why or ""


def test_without_a_budget_nothing_is_set_aside(at: AtStore) -> None:
    assert ceiling(at, at.start(at.tree())) is None


def test_one_that_is_alone_gets_all_that_is_left(at: AtStore) -> None:
    root = at.tree(budget_usd=4.0)
    fence = at.start(root)
    assert ceiling(at, fence) == 4.0
    at.finish(fence, Status.FAILED, retry=True, usage=Usage(cost_usd=1.0))
    at.later(60)
    assert ceiling(at, at.start(root)) == 3.0


def test_children_that_start_together_share_what_is_left(at: AtStore) -> None:
    _, children = at.waiting_parent(*(NewJob(f"part {number}") for number in range(3)), budget_usd=6.0)
    assert [ceiling(at, at.start(child)) for child in children] == pytest.approx([2.0, 2.0, 2.0])


def test_what_a_child_did_not_spend_is_there_for_the_next(at: AtStore) -> None:
    _, (first, second) = at.waiting_parent(NewJob("one"), NewJob("two"), budget_usd=6.0, max_workers=1)
    fence = at.start(first)
    assert ceiling(at, fence) == 6.0, "with one worker at once nobody starts beside it"
    at.finish(fence, usage=Usage(cost_usd=0.5))
    assert ceiling(at, at.start(second)) == 5.5


def test_a_share_holds_for_a_job_and_all_below_it(at: AtStore) -> None:
    _, (child, other) = at.waiting_parent(NewJob("one", budget_usd=1.0), NewJob("two"), budget_usd=10.0)
    fence = at.start(child)
    assert ceiling(at, fence) == 0.5, "half of the share: the other job could start beside it"
    (grandchild,) = at.spawn(fence, NewJob("below"))
    at.suspend(fence)
    at.finish(at.start(grandchild), usage=Usage(cost_usd=1.0))
    fence = at.start(child)
    assert why(at, fence) == f"the share of job #{child} is spent; a person raises it: orch limits {child} --share USD"
    assert ceiling(at, at.start(other)) == pytest.approx(9.0), (
        "what the share's subtree has spent, and no more, is gone"
    )


def test_raising_a_share_or_a_budget_lets_those_who_wait_for_money_look_again(at: AtStore) -> None:
    root, (child,) = at.waiting_parent(NewJob("one", budget_usd=1.0), budget_usd=2.0)

    def wait_for_money() -> None:
        fence = at.start(child)
        at.release(fence, "budget", not_before_ms=at.now_ms + 60_000)
        assert at.job(child).not_before_ms is not None

    wait_for_money()
    with at.store.write() as tx:
        assert set_share(tx, child, 2.0).budget_usd == 2.0
        assert get_job(tx, child).not_before_ms is None
    wait_for_money()
    with at.store.write() as tx:
        control.set_limits(tx, root, Limits(budget_usd=9.0))
        assert get_job(tx, child).not_before_ms is None


def test_a_share_is_a_sum_above_nothing_and_no_roots(at: AtStore) -> None:
    root, (child,) = at.waiting_parent(NewJob("one"))
    for usd in (0.0, -1.0):
        with pytest.raises(BadInput, match="budget_usd"), at.store.write() as tx:
            set_share(tx, child, usd)
    with pytest.raises(BadInput, match="orch limits 1 --budget"), at.store.write() as tx:
        set_share(tx, root, 1.0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1)), min_size=1, max_size=30))
def test_in_any_order_what_was_spent_and_set_aside_is_never_more_than_the_budget(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, float]]
) -> None:
    """Five children start and end in any order, each spending some part of its ceiling."""
    at = AtStore.create(tmp_path_factory.mktemp("budget"))
    try:
        root, children = at.waiting_parent(*(NewJob(f"part {number}") for number in range(5)), budget_usd=10.0)
        running: dict[int, tuple[Fence, float]] = {}
        for place, part in steps:
            child = children[place]
            if child in running:
                fence, usd = running.pop(child)
                at.finish(fence, Status.FAILED, retry=True, usage=Usage(cost_usd=usd * part))
                at.later(10_000)
            elif at.job(child).status is Status.QUEUED:
                fence = at.start(child)
                running[child] = (fence, ceiling(at, fence) or 0.0)
            spent = at.job(root).subtree_cost_usd
            assert spent + sum(usd for _, usd in running.values()) <= 10.0 + 1e-9
    finally:
        at.store.close()


def test_less_than_a_hundredth_of_a_cent_is_nothing(at: AtStore) -> None:
    root = at.tree(budget_usd=1.0)
    at.finish(at.start(root), Status.FAILED, retry=True, usage=Usage(cost_usd=1.0 - budget.LEAST_USD / 2))
    at.later(60)
    assert "the budget of tree #1 is spent" in why(at, at.start(root))
