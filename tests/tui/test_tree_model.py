"""The tree without a screen: what it reads, unfolds, keeps and finds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tree_stores import NOW_MS, add_job, add_jobs, change, open_store, plant_many, start

from store import asks
from store.database import Store
from store.models import Job
from tui_orch.tui import tree_model
from tui_orch.tui.branch import Branch
from tui_orch.tui.sorting import Key, Sort
from tui_orch.tui.source import PAGE, StoreSource
from tui_orch.tui.tree_model import TreeModel


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as store:
        yield store


class Follower:
    """A model, and what it is told of its store."""

    def __init__(self, store: Store, *, grow: bool = False, rows: int = 10) -> None:
        self.source = StoreSource(store)
        self.seq = self.source.newest_seq()
        self.model = TreeModel(self.source, grow=grow)
        self.model.open(rows)

    def catch_up(self) -> None:
        jobs = self.source.news(self.seq, 10_000)[0]
        self.seq = self.source.newest_seq()
        self.model.apply(jobs)

    @property
    def ids(self) -> list[int | None]:
        return [line.job_id for line in self.model.window(0, 1_000)]


def plant(store: Store) -> None:
    """#1 over 2 and 3; #2 over 4 and 5; all under way but 3, 4 and 5. #6 is queued."""
    add_job(store)
    start(store, 1)
    add_jobs(store, 1, 2)
    start(store, 2)
    add_jobs(store, 2, 2)
    add_job(store)


def test_opening_unfolds_what_is_under_way_until_the_screen_is_full(store: Store) -> None:
    plant(store)
    assert Follower(store, grow=True).ids == [6, 1, 2, 4, 5, 3]
    assert Follower(store, grow=False).ids == [6, 1]
    assert Follower(store, grow=True, rows=2).ids == [6, 1, 2, 3]


def test_what_gets_children_before_our_eyes_unfolds_but_not_what_a_person_folded(store: Store) -> None:
    plant(store)
    screen = Follower(store, grow=True)
    start(store, 4)
    deeper = add_jobs(store, 4, 2)
    start(store, deeper[0])
    deepest = add_jobs(store, deeper[0], 1)
    screen.catch_up()
    assert screen.ids == [6, 1, 2, 4, deeper[0], *deepest, deeper[1], 5, 3]
    screen.model.fold(4)
    add_jobs(store, 4, 1)
    start(store, 5)
    screen.catch_up()
    assert screen.ids == [6, 1, 2, 4, 5, 3]
    assert not screen.model.unfold(6), "it has no children"


def test_what_a_person_folds_remembers_what_was_unfolded_below(store: Store) -> None:
    plant(store)
    screen = Follower(store, grow=True)
    assert screen.model.fold(1)
    assert screen.ids == [6, 1]
    start(store, 5)
    add_jobs(store, 5, 1)
    screen.catch_up()
    assert screen.model.unfold(1)
    assert not screen.model.unfold(1)
    assert screen.ids[:5] == [6, 1, 2, 4, 5]
    assert screen.model.forest.unfolded()[:2] == [1, 2]


def test_opening_reads_a_page_of_ids_and_the_jobs_of_a_screen(store: Store) -> None:
    plant_many(store, 8 * PAGE)
    screen = Follower(store, rows=24)
    assert screen.model.fetched == PAGE + 24
    assert screen.model.rows == 2_048
    assert [line.job_id for line in screen.model.window(1_900, 3)] == [148, 147, 146]
    assert screen.model.fetched == 2 * PAGE + 24 + 3


def test_scrolling_back_reads_nothing_and_far_away_jobs_are_forgotten(store: Store) -> None:
    plant_many(store, 2_000)
    screen = Follower(store, rows=24)
    screen.model.window(100, 24)
    before = screen.model.fetched
    screen.model.window(0, 24)
    assert screen.model.fetched == before
    for first in range(0, 1_900, 24):
        screen.model.window(first, 24)
    assert len(screen.model._jobs) <= tree_model._KEPT_JOBS + 2 * 24


def test_a_job_is_revealed_wherever_it_is(store: Store) -> None:
    plant_many(store, 1_000)
    screen = Follower(store)
    row = screen.model.reveal(1_000 + 17)  # the child of #17
    assert row == 1_000 - 17 + 1
    assert [line.job_id for line in screen.model.window(row - 1, 3)] == [17, 1_017, 16]
    assert screen.model.reveal(999_999) is None


def test_unfolding_all_stops_at_a_bound(store: Store) -> None:
    top = add_job(store)
    start(store, top)
    for child in add_jobs(store, top, 30):
        start(store, child)
        add_jobs(store, child, 10)
    screen = Follower(store)
    assert not screen.model.unfold_all(top, most=100)
    assert 100 <= screen.model.rows <= 100 + 30 + 10
    assert screen.model.unfold_all(top, most=1_000)
    assert screen.model.rows == 1 + 30 + 300


def test_what_was_unfolded_is_restored(store: Store) -> None:
    plant(store)
    plant_far = Follower(store)
    plant_far.model.unfold_all(1)
    unfolded = plant_far.model.forest.unfolded()
    other = Follower(store)
    other.model.restore([*unfolded, 999])
    assert other.ids == plant_far.ids == [6, 1, 2, 4, 5, 3]


def test_the_open_question_comes_with_the_row_and_goes_with_the_answer(store: Store) -> None:
    add_job(store)
    fence = start(store, 1)
    screen = Follower(store)
    with store.write() as tx:
        ask = asks.ask(tx, fence, kind="question", question="Which one?", now_ms=NOW_MS)
    screen.catch_up()
    line = screen.model.window(0, 1)[0]
    assert line.question == "Which one?"
    assert screen.model.again(line) == line
    with store.write() as tx:
        asks.answer(tx, ask, "answered", "that", NOW_MS)
    screen.catch_up()
    assert screen.model.window(0, 1)[0].question is None


def test_a_message_that_comes_late_never_brings_an_old_row_back(store: Store) -> None:
    add_job(store)
    screen = Follower(store)
    old = screen.source.job(1)
    change(store, "UPDATE jobs SET activity = 'new' WHERE id = 1")
    screen.catch_up()
    screen.model.apply([old])
    job = screen.model.window(0, 1)[0].job
    assert job is not None
    assert job.activity == "new"


def test_sorted_siblings_move_with_all_below_them(store: Store) -> None:
    plant(store)
    screen = Follower(store, grow=True)
    screen.model.set_sort(Sort.COST)
    assert screen.ids == [6, 1, 2, 4, 5, 3], "nothing costs anything yet"
    change(store, "UPDATE attempts SET cost_usd = 2 WHERE job_id = 1")
    screen.catch_up()
    assert screen.ids == [1, 2, 4, 5, 3, 6]
    screen.model.set_sort(Sort.ID)
    assert screen.ids == [6, 1, 2, 4, 5, 3]


def test_very_many_siblings_stay_in_the_order_of_ids(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_model, "MOST_SORTED", 999)
    plant_many(store, 1_000)
    screen = Follower(store)
    before = screen.model.fetched
    screen.model.set_sort(Sort.STATE)
    screen.model.window(0, 10)
    assert screen.model.fetched == before
    assert screen.ids[:3] == [1_000, 999, 998]
    add_job(store)
    screen.catch_up()
    assert screen.ids[0] == 2_001


def test_a_sort_looks_only_at_branches_in_view(store: Store) -> None:
    plant_many(store, 600)
    screen = Follower(store)
    for root in (600, 5):
        screen.model.reveal(600 + root)
    before = screen.model.fetched
    screen.model.set_sort(Sort.STATE)
    screen.model.window(0, 10)
    assert screen.model.fetched - before <= 600 + 600 + 1 + 10, "the child of #5 was read"


def _hit(job: Job) -> bool:
    return job.activity == "hit"


def hit(store: Store, *ids: int, miss: bool = False) -> None:
    """Let some jobs match, or match no more."""
    for job_id in ids:
        change(store, "UPDATE jobs SET activity = ? WHERE id = ?", "miss" if miss else "hit", job_id)


def test_a_filter_keeps_the_jobs_above_a_match_and_follows_what_happens(store: Store) -> None:
    plant(store)
    screen = Follower(store, grow=True)
    screen.model.set_filter(_hit)
    assert screen.model.sieve is not None
    while screen.model.sieve.search():
        pass
    assert screen.ids == []
    hit(store, 5, 6)
    screen.catch_up()
    assert screen.ids == [6, 1, 2, 5]
    assert [line.folded for line in screen.model.window(0, 9)] == [None, False, False, None]
    hit(store, 2)
    hit(store, 5, miss=True)
    screen.catch_up()
    assert screen.ids == [6, 1, 2]
    hit(store, 2, 6, miss=True)
    screen.catch_up()
    assert screen.ids == []
    screen.model.set_filter(None)
    assert screen.ids == [6, 1, 2, 4, 5, 3]


def test_a_match_that_has_matches_below_stays_when_it_matches_no_more(store: Store) -> None:
    plant(store)
    hit(store, 2, 5)
    screen = Follower(store)
    screen.model.set_filter(_hit)
    assert screen.model.sieve is not None
    screen.model.sieve.search()
    hit(store, 2, miss=True)
    screen.catch_up()
    assert screen.ids == [1, 2, 5]
    assert screen.model.reveal(4) is None, "the filter hides it"
    assert screen.model.reveal(5) == 2


def test_the_row_above_a_row_that_is_gone_is_found(store: Store) -> None:
    plant(store)
    screen = Follower(store, grow=True)
    screen.model.fold(1)
    assert screen.model.row_of(4, 2) is None
    assert screen.model.shown_above(2) == (1, 1, None)
    assert screen.model.shown_above(None) is None


# Single branches, where the number of rows tells.


def _sorted_branch() -> tuple[Branch, Branch]:
    """A top branch sorted by key over jobs 1 to 3, and the open branch of #2 with four rows."""
    top = Branch(None, None, 0)
    top.resort(Sort.COST, {})
    for job_id in (1, 2, 3):
        top.add(job_id, (float(job_id), 0.0))
    two = Branch(2, top, 4)
    two.set_open(True)
    return top, two


def test_a_child_that_moves_takes_its_rows_along_and_one_that_goes_takes_them_away() -> None:
    top, two = _sorted_branch()
    assert (top.rows, top.row_of(3)) == (7, 6)
    key: Key = (0.0, 0.0)
    assert top.move(2, key)
    assert not top.move(2, key)
    assert (top.rows, top.row_of(2), top.row_of(1)) == (7, 0, 5)
    assert top.remove(2) is two
    assert (top.rows, top.size, top.row_of(1)) == (2, 2, 0)
    assert top.remove(2) is None


def test_rows_below_a_folded_job_count_only_when_it_is_unfolded_again() -> None:
    top, two = _sorted_branch()
    two.set_open(False)
    assert top.rows == 3
    assert two.set_total(9)
    assert (top.rows, two.rows, two.shown) == (3, 9, False)
    two.set_open(True)
    assert (top.rows, two.shown) == (12, True)
