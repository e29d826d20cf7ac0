"""Limits: what may be given, what holds, and what a refusal says."""

from collections.abc import Sequence

import pytest
from at_store import AtStore

from store import settings, submit
from store.errors import BadInput, LimitExceeded
from store.models import Limits, NewJob, NewTree
from store.states import Kind
from store.tree import get_tree


def test_a_tree_without_limits_gets_the_defaults(at: AtStore) -> None:
    """Depth 3, 200 jobs, 20 children each, 5 workers, 2 attempts, an hour for the root and less below, no budget."""
    root = at.tree()
    with at.store.read() as reader:
        tree = get_tree(reader, root)
    assert (tree.max_depth, tree.max_jobs, tree.max_children, tree.max_workers) == (3, 200, 20, 5)
    assert (tree.max_attempts, tree.timeouts_s, tree.budget_usd) == (2, (3600, 1200, 600, 300), None)
    assert (tree.permission_mode, tree.park_after_s, tree.paused_ms) == ("acceptEdits", 300.0, None)


def test_a_tree_keeps_what_it_was_given_when_the_defaults_change(at: AtStore) -> None:
    """Settings are for trees to come."""
    old = at.tree()
    with at.store.write() as tx:
        settings.set_setting(tx, "max_depth", 1)
        settings.set_setting(tx, "timeouts_s", [60.0])
    new = at.tree()
    with at.store.read() as reader:
        assert [get_tree(reader, root).max_depth for root in (old, new)] == [3, 1]
        assert [get_tree(reader, root).timeouts_s for root in (old, new)] == [(3600, 1200, 600, 300), (60,)]


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(max_depth=6), "max_depth is 6; allowed: 0 to 5"),
        (Limits(max_depth=-1), "max_depth is -1; allowed: 0 to 5"),
        (Limits(max_jobs=0), "max_jobs is 0; allowed: 1 to 10000000"),
        (Limits(max_children=0), "max_children is 0; allowed: 1 to 100000"),
        (Limits(max_workers=0), "max_workers is 0; allowed: 1 to 10"),
        (Limits(max_workers=11), r"max_workers is 11; allowed: 1 to 10 \(a person raises that: orch settings max_workers_ceiling N\)"),
        (Limits(max_attempts=0), "max_attempts is 0; allowed: 1 to 100"),
        (Limits(timeouts_s=()), "timeouts_s is a JSON array of seconds"),
        (Limits(timeouts_s=(60.0, 0.0)), "timeouts_s is a JSON array of seconds"),
        (Limits(timeouts_s=(float("inf"),)), "timeouts_s is a JSON array of seconds"),
        (Limits(timeouts_s=(float("nan"),)), "timeouts_s is a JSON array of seconds"),
        (Limits(budget_usd=0), "budget_usd is 0.0; allowed: above 0"),
        (Limits(budget_usd=float("inf")), "budget_usd is Inf; allowed: above 0"),
        (Limits(budget_usd=float("nan")), "not a number"),
        (Limits(max_jobs=2**63), "allowed: 64 bits"),
    ],
)  # fmt: skip
def test_a_limit_out_of_range_is_refused_with_its_range(at: AtStore, limits: Limits, says: str) -> None:
    """Nothing of the tree is stored then."""
    with pytest.raises(BadInput, match=says), at.store.write() as tx:
        submit.submit_tree(tx, NewTree(NewJob("x"), limits=limits), at.now_ms)
    assert at.rows("SELECT id FROM jobs") == []


def test_max_depth_0_means_no_children_at_all(at: AtStore) -> None:
    """Recursion is off, and the request runs as one worker."""
    fence = at.start(at.tree(max_depth=0))
    with pytest.raises(LimitExceeded, match="job #1 is at depth 0 and max_depth of tree #1 is 0") as refused:
        at.spawn(fence, "a")
    assert refused.value.limit == "max_depth"
    assert str(refused.value).endswith("or a person raises it: orch limits 1 --max-depth 1")


def test_the_highest_depth_has_no_way_up(at: AtStore) -> None:
    """At depth 5 a refusal does not tell people to raise what can not be raised."""
    job_id = at.tree(max_depth=5, max_workers=6)
    for name in "abcde":
        (job_id,) = at.spawn(at.start(job_id), name)
    with pytest.raises(
        LimitExceeded, match=r"max_depth of tree #1 is 5; do the work in this job \(5 is the highest\)$"
    ):
        at.spawn(at.start(job_id), "f")


@pytest.mark.parametrize(
    ("limits", "tasks", "limit"),
    [
        ({"max_children": 2}, ["a", "b", "c"], "max_children"),
        ({"max_jobs": 3}, ["a", "b", "c"], "max_jobs"),
        ({"max_depth": 0}, ["a"], "max_depth"),
        ({}, ["a", "the whole thing"], "repeats"),
    ],
)
def test_a_batch_beyond_a_limit_inserts_none_of_it(
    at: AtStore, limits: dict[str, int], tasks: Sequence[str], limit: str
) -> None:
    """All or nothing, and the error names the limit for programs too."""
    fence = at.start(at.tree(**limits))
    with pytest.raises(LimitExceeded) as refused:
        at.spawn(fence, *tasks)
    assert refused.value.limit == limit
    assert at.job(1).children == 0
    assert len(at.rows("SELECT id FROM jobs")) == 1


def test_ended_children_count_too(at: AtStore) -> None:
    """Otherwise a worker could spawn for ever, one after the other."""
    fence = at.start(at.tree(max_children=2))
    for name in ("a", "b"):
        at.run(*at.spawn(fence, name))
    with pytest.raises(LimitExceeded, match="max_children: job #1 has 2 children"):
        at.spawn(fence, "c")


def test_max_workers_holds_in_the_store(at: AtStore) -> None:
    """Whoever plans badly is refused; the slot of a worker that lends it does not count."""
    at.group("a", "b", "c", max_workers=2)
    first = at.start(2)
    at.start(3)
    with pytest.raises(LimitExceeded, match="max_workers: tree #1 runs as many workers as its max_workers allows"):
        at.start(4)
    at.lend(first)
    at.start(4)


def test_a_group_with_more_items_than_allowed_is_refused_whole(at: AtStore) -> None:
    """Also the root is not left behind."""
    with pytest.raises(LimitExceeded, match="max_children of tree #1 is 2"):
        at.group("a", "b", "c", max_children=2)
    assert at.rows("SELECT root_id FROM trees") == []


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("slots", 0, "slots is 0; allowed: 1 to 1000"),
        ("max_workers_ceiling", 0, "max_workers_ceiling is 0; allowed: 1 to 1000"),
        ("max_workers", 11, "max_workers is 11; allowed: 1 to 10"),
        ("min_free_memory_mb", -1, "min_free_memory_mb is -1; allowed: 0 and more"),
        ("grace_s", 3601.0, "grace_s is 3601.0; allowed: 0 to 3600"),
        ("retry_base_s", -0.5, "retry_base_s is -0.5; allowed: 0 to 3600"),
        ("park_after_s", float("nan"), "not a number"),
        ("permission_mode", "bypassPermissions", "allowed for the whole store: acceptEdits, default, plan, dontAsk"),
        ("timeouts_s", [], "timeouts_s is a JSON array of seconds"),
        ("colour", "red", "there is no setting 'colour'; there are: slots, "),
        ("one", 2, "there is no setting 'one'"),
    ],
)
def test_a_setting_out_of_range_is_refused(at: AtStore, name: str, value: object, says: str) -> None:
    """The message names the range; the setting stays."""
    with at.store.read() as reader:
        before = settings.get_settings(reader)
    with pytest.raises(BadInput, match=says), at.store.write() as tx:
        settings.set_setting(tx, name, value)
    with at.store.read() as reader:
        assert settings.get_settings(reader) == before


def test_a_raised_ceiling_lets_a_tree_have_more_workers(at: AtStore) -> None:
    """It is a person's setting for the whole store."""
    with at.store.write() as tx:
        settings.set_setting(tx, "max_workers_ceiling", 40)
    root = at.tree(max_workers=40)
    with at.store.read() as reader:
        assert get_tree(reader, root).max_workers == 40


def test_kinds_of_children_do_not_change_the_limits(at: AtStore) -> None:
    """A group is a job like any other: it has a depth and is counted."""
    fence = at.start(at.tree(max_depth=1))
    (group,) = at.spawn(fence, NewJob("1. a\n2. b", Kind.GROUP))
    with pytest.raises(LimitExceeded, match="job #2 is at depth 1"), at.store.write() as tx:
        submit.expand_group(tx, group, [NewJob("a")], at.now_ms)
