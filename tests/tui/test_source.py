"""What the screen reads of a store: pages in the order of the screen, and never a look at every job."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tree_stores import NOW_MS, add_job, add_jobs, change, open_store, start

from store import asks, browse
from store.browse import Link
from store.database import Store
from store.errors import NotFound, StoreUnusable
from tui_orch.tui.source import Source, StoreSource


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as store:
        yield store


@pytest.fixture
def source(store: Store) -> Source:
    """Six root jobs; #4 has five children, 7 to 11."""
    add_jobs(store, None, 6)
    start(store, 4)
    add_jobs(store, 4, 5)
    return StoreSource(store)


def test_root_jobs_come_newest_first_in_pages(source: Source) -> None:
    assert source.ids(None, limit=4) == [6, 5, 4, 3]
    assert source.ids(None, after_id=3, limit=4) == [2, 1]
    assert source.ids(None, after_id=6, skip=2, limit=2) == [3, 2]


def test_children_come_oldest_first_in_pages(source: Source) -> None:
    assert source.ids(4, limit=3) == [7, 8, 9]
    assert source.ids(4, after_id=9) == [10, 11]
    assert source.ids(4, skip=3, limit=9) == [10, 11]
    assert source.ids(5) == []


def test_siblings_are_counted_between_two(source: Source) -> None:
    assert (source.count(None), source.count(4), source.count(5)) == (6, 5, 0)
    assert source.count(None, after_id=5, before_id=2) == 2
    assert source.count(4, after_id=7, before_id=10) == 2
    assert source.count(4, before_id=9) == 2


def test_jobs_links_and_path(source: Source) -> None:
    assert {job.id for job in source.jobs([2, 9, 99])} == {2, 9}
    assert source.links([9, 4, 99]) == [Link(4, None, 5), Link(9, 4, 0)]
    assert [job.id for job in source.path(9)] == [4, 9]
    assert source.path(99) == []
    assert source.job(9).parent_id == 4
    with pytest.raises(NotFound):
        source.job(99)


def test_all_jobs_come_newest_first(source: Source) -> None:
    assert [job.id for job in source.older(None, 3)] == [11, 10, 9]
    assert [job.id for job in source.older(3, 9)] == [2, 1]


def test_the_oldest_open_question_of_a_job(store: Store, source: Source) -> None:
    fence = source.job(4).fence
    with store.write() as tx:
        first = asks.ask(tx, fence, kind="question", question="Which one?", now_ms=NOW_MS)
        asks.ask(tx, fence, kind="question", question="And then?", now_ms=NOW_MS)
    assert source.questions([4, 5]) == {4: "Which one?"}
    with store.write() as tx:
        asks.answer(tx, first, "answered", "this", NOW_MS)
    assert source.questions([4]) == {4: "And then?"}


def test_changes_and_totals(store: Store, source: Source) -> None:
    seq = source.newest_seq()
    assert source.news(seq, 10)[0] == []
    change(store, "UPDATE jobs SET activity = 'x' WHERE id = 2")
    added = add_job(store)
    changed = source.news(seq, 10)[0]
    assert [job.id for job in changed] == [2, added]
    assert source.newest_seq() == changed[-1].seq == source.state().seq
    assert sum(source.state().counts.values()) == 12
    change(store, "UPDATE attempts SET cost_usd = 1.5 WHERE job_id = 4")
    assert source.spent_usd() == 1.5


def test_another_connection_s_commit_changes_the_version_and_our_own_reads_do_not(store: Store) -> None:
    source = StoreSource(store)
    before = source.data_version()
    source.ids(None)
    assert source.data_version() == before
    with Store.open(store.home) as other:
        add_job(other)
    assert source.data_version() != before


def test_a_version_that_can_not_be_read_is_a_store_error(store: Store) -> None:
    """A watch asks for it: anything else than a StoreError would end the app."""
    source = StoreSource(store)
    store._connection.close()
    with pytest.raises(StoreUnusable):
        source.data_version()


@pytest.mark.parametrize(
    "sql",
    [
        (browse._CHILD_IDS, (4, None, 256, 0)),
        (browse._ROOT_IDS, (None, 256, 0)),
        (browse._CHILDREN_BETWEEN, (4, None, None)),
        (browse._ROOTS_BETWEEN, (None, None)),
        ("SELECT id, parent_id, children FROM jobs WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", ("[1]",)),
    ],
)
def test_no_query_looks_at_every_job(store: Store, source: Source, sql: tuple[str, tuple[object, ...]]) -> None:
    """Each is a range of an index, or a lookup by id."""
    with store.read() as reader:
        plan = [row[3] for row in reader.rows(f"EXPLAIN QUERY PLAN {sql[0]}", sql[1])]
    about_jobs = [line for line in plan if "jobs" in line]
    assert about_jobs
    assert all(line.startswith("SEARCH jobs") or "USING COVERING INDEX jobs_roots" in line for line in about_jobs), plan
