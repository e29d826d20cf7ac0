"""What a supervisor sees: the order in which jobs start, what is due, and that looking costs little."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from at_store import AtStore

from store import asks, brake, claim, control, feed, queue, tree
from store.database import Reader
from store.models import NewJob, NewTree, Usage
from store.states import Kind, Status


def order(at: AtStore, per_tree: int = 99) -> list[list[int]]:
    """Return the startable jobs of each tree, in the order in which they start."""
    with at.store.read() as reader:
        return [[job.id for job in found.queued] for found in queue.queued_trees(reader, at.now_ms, per_tree)]


def test_an_empty_store_has_nothing_to_start(at: AtStore) -> None:
    """And nothing to wait for."""
    with at.store.read() as reader:
        assert queue.queued_trees(reader, at.now_ms, 9) == []
        assert queue.next_time_ms(reader, at.now_ms) is None
        assert not queue.has_open_jobs(reader)


def test_priority_comes_first_then_the_deepest_then_the_oldest(at: AtStore) -> None:
    """What has begun is finished before something new begins."""
    fence = at.start(at.tree())
    urgent, first, second, third = at.spawn(
        fence, NewJob("urgent", priority=1), NewJob("first"), NewJob("second"), NewJob("last", priority=-1)
    )
    deeper = at.spawn(at.start(first), "deeper", "deeper too")
    at.release(fence)
    assert order(at) == [[urgent, *deeper, second, 1, third]]
    assert order(at, per_tree=2) == [[urgent, deeper[0]]]


def test_each_tree_comes_with_what_decides_about_it(at: AtStore) -> None:
    """Its limit of workers, its pause, its budget, and its own queue."""
    one = at.tree(max_workers=2)
    two = at.submit(NewTree(NewJob("two", Kind.COMMAND, priority=5)))
    spent = at.tree(budget_usd=1.0)
    at.release(at.start(spent), usage=Usage(cost_usd=1.0))
    at.run(at.tree())  # over: not a tree with queued jobs
    with at.store.write() as tx:
        control.pause(tx, two, at.now_ms)
    with at.store.read() as reader:
        found = {each.root_id: each for each in queue.queued_trees(reader, at.now_ms, 9)}
    assert sorted(found) == [one, two, spent]
    assert (found[one].max_workers, found[one].paused, found[one].over_budget) == (2, False, False)
    assert (found[two].paused, found[two].queued[0].kind, found[two].queued[0].priority) == (True, Kind.COMMAND, 5)
    assert [found[root].over_budget for root in (one, two, spent)] == [False, False, True]


def test_a_job_in_back_off_starts_when_its_time_has_come(at: AtStore) -> None:
    """Until then the clock says when to look again."""
    root = at.tree()
    at.run(root, Status.FAILED, retry=True)
    assert order(at) == [[]]
    with at.store.read() as reader:
        assert queue.next_time_ms(reader, at.now_ms) == at.now_ms + 2_000
    at.later(2)
    assert order(at) == [[root]]


def test_a_queued_job_that_is_being_stopped_does_not_start(at: AtStore) -> None:
    """It ends with its running child."""
    fence = at.start(at.tree())
    at.start(*at.spawn(fence, "a"))
    at.release(fence)
    at.cancel(1)
    assert order(at) == [[]]


def test_running_jobs_come_with_their_attempt(at: AtStore) -> None:
    """Whether it was claimed, by which process, whether it lends its slot or is to stop."""
    lending = at.start(at.tree())
    at.lend(lending)
    unclaimed = at.tree()
    with at.store.write() as tx:
        claim.want_slot(tx, lending)
        claim.start_attempt(tx, unclaimed, claim.token_hash("x"), at.now_ms)
    at.cancel(1)
    with at.store.read() as reader:
        one, two = queue.running_jobs(reader)
    assert (one.id, one.pid, one.claimed_ms, one.lending, one.wants_slot) == (1, 4711, at.now_ms, True, True)
    assert (one.stop_reason, one.stop_requested_ms) == ("cancelled", at.now_ms)
    assert (two.id, two.attempt, two.claimed_ms, two.pid, two.lending) == (unclaimed, 1, None, None, False)


def test_deadlines_are_due_once_and_then_the_next(at: AtStore) -> None:
    """Those of queued and waiting jobs too; a job that was already told to stop is not told again."""
    root, (child, _) = at.waiting_parent("a", "b", timeouts_s=(60.0, 20.0))
    at.later(5)
    at.start(child)
    with at.store.read() as reader:
        assert queue.overdue_jobs(reader, at.now_ms) == []
        assert queue.next_time_ms(reader, at.now_ms) == at.now_ms + 20_000
    at.later(20)
    with at.store.read() as reader:
        assert queue.overdue_jobs(reader, at.now_ms) == [child]
    at.expire(child)
    with at.store.read() as reader:
        assert queue.overdue_jobs(reader, at.now_ms) == []
        assert queue.next_time_ms(reader, at.now_ms) == at.now_ms + 35_000
    at.later(35)
    with at.store.read() as reader:
        assert queue.overdue_jobs(reader, at.now_ms) == [root]


def test_a_brake_is_a_time_to_look_again(at: AtStore) -> None:
    """It ends by itself."""
    with at.store.write() as tx:
        brake.set_brake(tx, "usage limit", at.now_ms + 9_000)
        assert queue.next_time_ms(tx, at.now_ms) == at.now_ms + 9_000
        assert queue.next_time_ms(tx, at.now_ms + 9_000) is None


def test_what_plain_sql_left_waiting_is_found(at: AtStore) -> None:
    """A child that was ended by hand has settled nobody."""
    root, (child,) = at.waiting_parent("a")
    with at.store.read() as reader:
        assert queue.jobs_to_settle(reader) == []
    at.shell(f"UPDATE jobs SET status = 'cancelled' WHERE id = {child}")
    with at.store.read() as reader:
        assert queue.jobs_to_settle(reader) == [root]


def test_open_jobs_are_those_that_may_still_do_something(at: AtStore) -> None:
    """Queued, running and waiting ones."""
    root, (child,) = at.waiting_parent("a")
    for step in (lambda: at.run(child), lambda: at.run(root)):
        with at.store.read() as reader:
            assert queue.has_open_jobs(reader)
        step()
    with at.store.read() as reader:
        assert not queue.has_open_jobs(reader)


# -- what looking costs ------------------------------------------------------------------------------------------------


class Explaining(Reader):
    """Reads, and keeps the plan of every query."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader._connection)
        self.plans: list[tuple[str, list[str]]] = []

    def rows(self, sql: str, args: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        self.plans.append((sql, [str(row[3]) for row in super().rows(f"EXPLAIN QUERY PLAN {sql}", args)]))
        return super().rows(sql, args)


#: Ways of reading that cost what they return: a key, a range of an index, a whole index of few rows by its own WHERE.
CHEAP = (
    "SEARCH ", "SCAN step", "SCAN above", "SCAN below", "SCAN CONSTANT ROW", "SCAN store", "SCAN settings",
    "SCAN jobs USING INDEX jobs_running", "SCAN jobs USING INDEX jobs_children_done", "SCAN jobs USING INDEX jobs_answered",
    "SCAN asks USING INDEX asks_open", "SCAN attempts USING INDEX attempts_open",
    "CO-ROUTINE", "MATERIALIZE", "SETUP", "RECURSIVE STEP", "COMPOUND", "LEFT-MOST", "UNION ALL", "LIST SUBQUERY",
    "SCALAR SUBQUERY", "CORRELATED SCALAR SUBQUERY",
)  # fmt: skip
SORTS = "USE TEMP B-TREE FOR ORDER BY"

LOOKS: list[tuple[Callable[[Reader], object], bool]] = [
    (lambda reader: queue.queued_trees(reader, 2_000_000, 10), False),
    (queue.running_jobs, True),  # sorts what runs, which is little
    (lambda reader: queue.overdue_jobs(reader, 2_000_000), False),
    (queue.jobs_to_settle, False),
    (queue.rootless_jobs, False),
    (lambda reader: queue.next_time_ms(reader, 2_000_000), False),
    (queue.has_open_jobs, False),
    (lambda reader: feed.changed_since(reader, 5), False),
    (lambda reader: feed.changed_since(reader, 5, root_id=1), False),
    (feed.newest_seq, False),
    (tree.store_state, False),
    (lambda reader: tree.counts(reader, 1), False),
    (lambda reader: tree.get_job(reader, 1), False),
    (lambda reader: tree.tree_of(reader, 1), False),
    (lambda reader: tree.roots(reader, before_id=9), False),
    (lambda reader: tree.children(reader, 1), False),
    (lambda reader: tree.subtree(reader, 1), False),
    (lambda reader: tree.subtree_ids(reader, 1), True),
    (lambda reader: tree.path(reader, 2), True),
    (lambda reader: tree.is_within(reader, 2, 1), False),
    (lambda reader: tree.ledger(reader, 1, 1), False),
    (lambda reader: tree.attempts(reader, 1), False),
    (lambda reader: tree.history(reader, 1), False),
    (asks.open_asks, False),
    (lambda reader: asks.open_asks(reader, 1), False),
    (lambda reader: asks.job_asks(reader, 1), False),
    (lambda reader: asks.unused_answers(reader, 1), False),
    (claim.open_attempts, False),
    (lambda reader: claim.last_session_cost(reader, 1, "s"), False),
]


@pytest.mark.parametrize(("look", "may_sort"), LOOKS)
def test_looking_costs_what_it_finds(at: AtStore, look: Callable[[Reader], object], may_sort: bool) -> None:
    """Every query is a key or a range of an index: no walk over all jobs, no sorting of them."""
    at.waiting_parent("a", "b")
    with at.store.read() as reader:
        explaining = Explaining(reader)
        look(explaining)
    assert explaining.plans
    for sql, plan in explaining.plans:
        dear = [step for step in plan if not step.startswith(CHEAP) and not (may_sort and step == SORTS)]
        assert dear == [], sql
