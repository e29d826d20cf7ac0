"""Whatever happens in the store and whatever a person does, the rows are those of a tree rebuilt from scratch."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_stores import NOW_MS, add_job, add_jobs, all_jobs, change, open_store, rebuilt, start

from store.database import Store
from store.errors import StoreError
from store.models import Job
from store.states import Status
from tui_orch.tui import blocks, branch, tree_model
from tui_orch.tui.sorting import Sort
from tui_orch.tui.source import StoreSource
from tui_orch.tui.tree_model import TreeModel

#: Where a commit waits for no disk, if there is such a place.
_FAST = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as store:
        yield store


class Screen:
    """A model that follows a store as the app's does, in batches of any size, behind the store by any time."""

    def __init__(self, store: Store, *, grow: bool = False) -> None:
        self.store = store
        self.source = StoreSource(store)
        self.seq = self.source.newest_seq()
        self.model = TreeModel(self.source, grow=grow)
        self.model.open(5)
        self.matches: Callable[[Job], bool] | None = None

    def take(self, limit: int = 1_000) -> bool:
        """Take in one page of changes."""
        jobs = self.source.news(self.seq, limit)[0]
        if jobs:
            self.seq = jobs[-1].seq
            self.model.apply(jobs)
        return bool(jobs)

    def catch_up(self) -> None:
        while self.take():
            pass

    def ids(self, begin: int = 0, most: int = 10_000) -> list[int | None]:
        return [line.job_id for line in self.model.window(begin, most)]

    def expected(self) -> list[int]:
        seen = rebuilt(all_jobs(self.store), self.model.view.unfolded(), self.model.view.sort, self.matches)
        return [row.job_id for row in seen]


_WEIGHTS = {
    "root": 2, "child": 5, "children": 4, "run": 2, "wait": 1, "end": 3, "cost": 3, "activity": 4, "take": 8,
    "catch up": 2, "unfold": 8, "fold": 3, "unfold all": 1, "look": 4, "reveal": 2, "sort": 2, "filter": 2,
    "no filter": 1, "search": 2,
}  # fmt: skip


def _ops() -> st.SearchStrategy[list[tuple[str, int, int]]]:
    names = [name for name, weight in _WEIGHTS.items() for _ in range(weight)]
    numbers = st.integers(0, 10_000)
    return st.lists(st.tuples(st.sampled_from(names), numbers, numbers), min_size=15, max_size=90)


def _some_job(screen: Screen, number: int) -> int:
    """Return a job on which things happen again and again: some of a few, of the first rows, or any."""
    with screen.store.read() as reader:
        ids = [row[0] for row in reader.rows("SELECT id FROM jobs WHERE depth < 4 ORDER BY id")]
    hot = [job_id for job_id in (29, 31, 24, *ids[-2:]) if job_id in ids]
    rows = [job_id for job_id in screen.ids(0, 6) if job_id is not None] if number % 4 == 0 else []
    pool = (rows or ids, hot, hot, ids)[number % 4]
    return pool[number // 4 % len(pool)]


def _act(screen: Screen, op: str, a: int, b: int) -> None:  # noqa: PLR0912 - a table of all that can happen
    store, model = screen.store, screen.model
    some = _some_job(screen, a)
    try:
        match op:
            case "root":
                add_jobs(store, None, 1 + b % 3)
            case "child":
                _under_way(store, some)
                add_job(store, some)
            case "children":
                _under_way(store, some)
                add_jobs(store, some, b % 14)
            case "run":
                start(store, some, NOW_MS + b)
            case "wait":
                change(store, "UPDATE jobs SET status = 'waiting', waiting_for = 'children' WHERE id = ?", some)
            case "end":
                end = ("completed", "failed", "cancelled")[b % 3]
                change(store, f"UPDATE jobs SET status = '{end}', changed_ms = ? WHERE id = ?", NOW_MS + b, some)
            case "cost":
                change(store, "UPDATE attempts SET cost_usd = cost_usd + ? WHERE job_id = ?", b % 100 / 100, some)
            case "activity":
                change(store, "UPDATE jobs SET activity = 'x', activity_ms = ? WHERE id = ?", NOW_MS + b, some)
            case "take":
                screen.take(1 + b % 5)
            case "unfold":
                model.unfold(some)
            case "fold":
                model.fold(some)
            case "unfold all":
                model.unfold_all(some, 1 + b % 40)
            case "look":
                model.window(a % (model.rows + 1), b % 12)
            case "reveal":
                model.reveal(some)
            case "sort":
                model.set_sort(list(Sort)[b % len(Sort)])
            case "filter":
                screen.matches = [_failed, _even, _busy][b % 3]
                model.set_filter(screen.matches)
            case "no filter":
                screen.matches = None
                model.set_filter(None)
            case "search" if model.sieve is not None:
                model.sieve.search()
            case "catch up":
                screen.catch_up()
    except StoreError:
        pass  # the store refused the change: it was not to be


def _under_way(store: Store, job_id: int) -> None:
    with store.read() as reader:
        queued = reader.value("SELECT status = 'queued' FROM jobs WHERE id = ?", (job_id,))
    if queued:
        start(store, job_id)


def _failed(job: Job) -> bool:
    return job.status is Status.FAILED


def _even(job: Job) -> bool:
    return job.id % 2 == 0


def _busy(job: Job) -> bool:
    return job.status in (Status.RUNNING, Status.WAITING) or job.subtree_cost_usd > 0.5


@given(_ops(), st.booleans(), st.integers(0, 10_000), st.integers(1, 30))
@settings(max_examples=80, deadline=None)
def test_rows_are_always_those_of_a_tree_rebuilt_from_the_store(
    ops: list[tuple[str, int, int]], grow: bool, begin: int, most: int
) -> None:
    """Pages of 4 and blocks of 8, so that gaps, splits and pages are everywhere in a small tree."""
    with (
        tempfile.TemporaryDirectory(dir=_FAST) as folder,
        open_store(Path(folder)) as store,
        patch.object(blocks, "PAGE", 4),
        patch.object(branch, "PAGE", 4),
        patch.object(tree_model, "PAGE", 4),
    ):
        _plant(store)
        screen = Screen(store, grow=grow)
        for op, a, b in ops:
            _act(screen, op, a, b)
            if op != "catch up":
                continue
            _check(screen, begin, most)
        screen.catch_up()
        _check(screen, begin, most)
        assert screen.ids() == screen.expected()
        assert screen.model.rows == len(screen.expected())


def _plant(store: Store) -> None:
    """30 root jobs; #29 has 40 children, one of which has 6, and #24 has 3."""
    add_jobs(store, None, 30)
    for parent_id, count in ((29, 40), (31, 6), (24, 3)):
        start(store, parent_id)
        add_jobs(store, parent_id, count)


def _check(screen: Screen, begin: int, most: int) -> None:
    if screen.model.sieve is not None:
        while screen.model.sieve.search():
            pass
    expected = screen.expected()
    assert screen.model.rows == len(expected)
    begin %= len(expected) + 1
    assert screen.ids(begin, most) == expected[begin : begin + most]
    jobs = {job.id: job for job in all_jobs(screen.store)}
    for line in screen.model.window(begin, most):
        assert line.job_id is not None
        row = screen.model.row_of(line.job_id, line.parent_id)
        assert row is not None
        assert expected[row] == line.job_id
        assert line.parent_id == jobs[line.job_id].parent_id
        assert line.job == jobs[line.job_id], "a row shows an old job"
