"""The rate of dollars follows from a few samples, and their sum costs little however many trees there are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tree_stores import add_job, open_store

from store.errors import StoreBusy
from tui_orch.tui.source import StoreSource
from tui_orch.tui.spending import (
    LEAST_MS,
    PART,
    PERIOD_S,
    WINDOW_MS,
    Sample,
    Spending,
    Spent,
    usd_per_minute,
    with_sample,
)


def samples_of(*pairs: tuple[int, float]) -> tuple[Sample, ...]:
    found: tuple[Sample, ...] = ()
    for at_ms, usd in pairs:
        found = with_sample(found, Sample(at_ms, usd))
    return found


def test_nothing_is_told_of_too_short_a_time() -> None:
    assert usd_per_minute((), 1_000) is None
    assert usd_per_minute(samples_of((0, 1.0)), LEAST_MS - 1) is None


def test_what_was_spent_before_counts_for_nothing() -> None:
    """The store held 100 dollars when the screen was opened."""
    assert usd_per_minute(samples_of((0, 100.0)), 60_000) == 0
    assert usd_per_minute(samples_of((0, 100.0), (30_000, 101.0)), 60_000) == 1.0


def test_the_rate_falls_to_nothing_when_nothing_is_spent_any_more() -> None:
    """The window moves on without new samples."""
    samples = samples_of((0, 0.0), (60_000, 5.0))
    assert usd_per_minute(samples, WINDOW_MS) == 1.0
    assert usd_per_minute(samples, 60_000 + WINDOW_MS + 1) == 0


def test_a_total_that_falls_is_no_negative_rate() -> None:
    """Somebody put another store in its place."""
    assert usd_per_minute(samples_of((0, 5.0), (10_000, 1.0)), 60_000) == 0


@given(st.lists(st.tuples(st.integers(1, 60_000), st.integers(0, 100)), min_size=1, max_size=300))
def test_few_samples_are_kept_and_the_rate_is_nearly_that_of_all(steps: list[tuple[int, int]]) -> None:
    """Samples that are near to each other become one, so what is lost is at most what fell within five seconds."""
    kept: tuple[Sample, ...] = ()
    everything: list[Sample] = []
    now_ms, usd = 0, 0.0
    for wait_ms, spent in steps:
        now_ms, usd = now_ms + wait_ms, usd + spent
        everything.append(Sample(now_ms, usd))
        kept = with_sample(kept, everything[-1])
    assert len(kept) <= WINDOW_MS // 5_000 * 2 + 3
    rate = usd_per_minute(kept, now_ms)
    if rate is not None:
        start = max(now_ms - WINDOW_MS, everything[0].at_ms)
        late = [sample.usd for sample in everything if sample.at_ms <= start + 5_000]
        early = [sample.usd for sample in everything if sample.at_ms <= max(start - 5_000, everything[0].at_ms)]
        minutes = (now_ms - start) / 60_000
        assert (usd - late[-1]) / minutes - 1e-6 <= rate <= (usd - early[-1]) / minutes + 1e-6


class Trees:
    """Root jobs and what each has spent, and how often a part of them was read."""

    def __init__(self, usd: dict[int, float]) -> None:
        self.usd = usd
        self.reads = 0

    def read(self, first_id: int, last_id: int) -> float:
        self.reads += 1
        return sum(usd for job_id, usd in self.usd.items() if first_id <= job_id <= last_id)


def whole(spent: Spent) -> float:
    assert spent.look(1.0, lambda: 0.0)
    return spent.usd


def test_a_look_reads_one_part_when_its_time_is_over_and_the_sum_is_whole_in_the_end() -> None:
    """A million trees keep no key waiting."""
    trees = Trees({1: 1.0, PART: 2.0, 5 * PART: 4.0})
    spent = Spent(trees.read, 5 * PART)
    assert [spent.look(0.0, lambda: 1.0) for _ in range(6)] == [False] * 5 + [True]
    assert (spent.usd, trees.reads) == (7.0, 6)


def test_nothing_is_read_while_nothing_changes_and_only_the_parts_that_changed_afterwards() -> None:
    trees = Trees({1: 1.0, 9 * PART: 2.0})
    spent = Spent(trees.read, 9 * PART)
    assert whole(spent) == 3.0
    assert trees.reads == 10
    assert whole(spent) == 3.0
    assert trees.reads == 10
    trees.usd |= {1: 1.5, 2: 0.25, 20 * PART: 8.0}
    spent.changed([1, 2, 20 * PART])
    assert whole(spent) == 11.75
    assert trees.reads == 12


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 6 * PART), st.integers(0, 9)), max_size=40))
def test_the_sum_is_that_of_all_trees_whenever_they_change_while_it_is_read(steps: list[tuple[bool, int, int]]) -> None:
    trees = Trees({4 * PART: 1.0})
    spent = Spent(trees.read, 4 * PART)
    for looks, root_id, usd in steps:
        if looks:
            spent.look(0.0, lambda: 1.0)
        trees.usd[root_id] = float(usd)
        spent.changed([root_id])
    assert whole(spent) == sum(trees.usd.values())


def test_a_store_that_can_not_be_read_keeps_the_sum_and_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(tmp_path) as store:
        source = StoreSource(store)
        root = source.job(add_job(store))
        answers: list[float | None] = []

        def spent_usd(*_: object) -> float:
            answer = answers.pop()
            if answer is None:
                raise StoreBusy("orch.db is locked by another program")
            return answer

        monkeypatch.setattr(source, "spent_usd", spent_usd)
        spending = Spending(source, lambda: 1)
        for answer, usd in ((None, 0.0), (2.5, 2.5), (None, 2.5), (3.0, 3.0)):
            answers.append(answer)
            spending.changed([root])
            assert spending.read() == PERIOD_S
            assert spending.usd == usd
