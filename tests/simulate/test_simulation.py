"""Imagined trees, run by the real ``plan``: no limit is ever broken, everything ends, and chance is the same each time."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.states import Kind
from tui_orch.simulate.engine import ORDERS, Scenario, simulate
from tui_orch.simulate.memory_store import KIND_MB, MemoryStore, TreeLimits
from tui_orch.simulate.shape import Level, Shape

BOUNDLESS = TreeLimits(1_000, 1_000_000, 1_000, 1, ())
SECONDS = st.sampled_from([0.0, 0.4, 1.0, 7.5])
PROMISE = Shape((Level(4, kind=Kind.GROUP), Level(3), Level(0, 20 * 60.0)))


def levels() -> st.SearchStrategy[tuple[Level, ...]]:
    worker = st.builds(Level, st.integers(0, 4), SECONDS, SECONDS, st.sampled_from([Kind.CLAUDE, Kind.COMMAND]))
    group = st.builds(Level, st.integers(1, 4), kind=st.just(Kind.GROUP))
    return st.tuples(st.lists(st.one_of(worker, group), max_size=4), worker).map(lambda found: (*found[0], found[1]))


SHAPES = st.builds(Shape, levels(), st.sampled_from([0.0, 0.2, 1.0]), st.sampled_from([0.0, 0.5]))
LIMITS = st.builds(
    TreeLimits,
    st.integers(1, 6),
    st.integers(1, 200),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from([(), (20.0,), (60.0, 8.0, 3.0)]),
)
SCENARIOS = st.builds(
    Scenario,
    SHAPES,
    LIMITS,
    st.integers(1, 8),
    st.integers(1, 4),
    SECONDS,
    st.sampled_from([None, 400, 900]),
    st.just(0.5),
    st.integers(0, 5),
)


@settings(max_examples=150, deadline=None)
@given(SCENARIOS, st.sampled_from(sorted(ORDERS)))
def test_no_limit_is_ever_broken_and_every_job_ends(scenario: Scenario, order: str) -> None:
    limits = scenario.limits

    def look(store: MemoryStore) -> None:
        running = [job for job, _ in store.running.values()]
        assert len(running) <= scenario.slots
        for root_id in {job.tree.root_id for job in running}:
            assert sum(job.tree.root_id == root_id for job in running) <= limits.max_workers
        for job in running:
            assert job.tree.jobs <= limits.max_jobs
            assert len(job.open or ()) <= limits.max_children
            assert job.attempt <= (limits.max_attempts) * 2  # once before and once after its children
        used_mb = sum(KIND_MB[job.kind] for job in running)
        assert store.used_mb == used_mb
        if scenario.memory_mb is not None and sum(job.kind is Kind.CLAUDE for job in running) > 1:
            assert used_mb <= scenario.memory_mb + KIND_MB[Kind.COMMAND] * scenario.slots

    found = simulate(scenario, order, look)
    assert sum(found.ended.values()) == found.jobs >= scenario.trees
    assert found.makespan_s >= found.ideal_s - 0.001
    assert found.peaks.workers <= min(scenario.slots, limits.max_workers * scenario.trees)


@settings(max_examples=40, deadline=None)
@given(SCENARIOS)
def test_the_same_seed_gives_the_same_figures(scenario: Scenario) -> None:
    assert simulate(scenario) == simulate(scenario)


@settings(max_examples=40, deadline=None)
@given(levels(), st.sampled_from(sorted(ORDERS)))
def test_one_slot_is_enough_for_any_depth(found: tuple[Level, ...], order: str) -> None:
    """Without failures all complete, one after the other, and the time is the work."""
    shape = Shape(found)
    one = simulate(Scenario(shape, BOUNDLESS, slots=1), order)
    assert one.ended == {"completed": shape.jobs}
    assert one.makespan_s == pytest.approx(one.work_s)
    assert one.work_s == pytest.approx(shape.whole_s(0))


def test_chance_does_not_depend_on_the_order() -> None:
    """Which jobs fail and how long each takes is the job's own, whoever comes before it."""
    shape = Shape((Level(5), Level(5, 1.0, 1.0), Level(0, 2.0)), failing=0.2, spread=0.5)
    scenario = Scenario(shape, replace(BOUNDLESS, max_attempts=3), slots=3)
    found = [simulate(scenario, order) for order in ORDERS]
    assert found[0].ended == found[1].ended
    assert found[0].work_s == found[1].work_s
    assert simulate(replace(scenario, seed=2)).work_s != found[0].work_s


def test_the_promise_of_20_minutes() -> None:
    """Four services of an hour: 240 minutes in a row, 60 side by side, 20 where each is split in three."""
    assert simulate(Scenario(PROMISE.cut(1), BOUNDLESS, slots=1)).makespan_s == 240 * 60
    assert simulate(Scenario(PROMISE.cut(1), BOUNDLESS, slots=4)).makespan_s == 60 * 60
    split = simulate(Scenario(PROMISE, BOUNDLESS, slots=12))
    assert split.makespan_s <= 1.05 * 20 * 60
    assert (split.peaks.workers, split.peaks.waiting_sessions) == (12, 4)


def test_deepest_first_keeps_fewer_sessions_waiting() -> None:
    """What has begun is finished before anything is begun beside it."""
    shape = Shape((Level(5), Level(5, 1.0), Level(5, 1.0), Level(0, 1.0)), spread=0.5)
    deepest, first_come = (simulate(Scenario(shape, BOUNDLESS, slots=2), order) for order in ORDERS)
    assert deepest.peaks.waiting_sessions < first_come.peaks.waiting_sessions == 31
    assert deepest.peaks.alive_if_parents_stayed < first_come.peaks.alive_if_parents_stayed
    assert deepest.jobs == first_come.jobs == 156


def test_who_may_not_spawn_does_the_work_itself() -> None:
    """A tree of 6 jobs at most has no room for the children of its children."""
    shape = Shape((Level(5, 1.0), Level(5, 1.0, 2.0), Level(0, 3.0)))
    found = simulate(Scenario(shape, replace(BOUNDLESS, max_jobs=6), slots=5))
    assert found.ended == {"completed": 6}
    assert found.work_s == shape.whole_s(0)


def test_a_job_whose_time_is_up_takes_all_below_it_along() -> None:
    """The root's deadline holds for all, whatever theirs would be."""
    shape = Shape((Level(2, 1.0), Level(2, 1.0), Level(0, 50.0)))
    late = simulate(Scenario(shape, replace(BOUNDLESS, timeouts_s=(10.0, 60.0, 60.0)), slots=8))
    assert (late.makespan_s, late.ended) == (10.0, {"failed": 1, "cancelled": 6})
    part = simulate(Scenario(shape, replace(BOUNDLESS, timeouts_s=(100.0, 60.0, 20.0)), slots=8))
    assert (part.makespan_s, part.ended) == (22.0, {"partial": 3, "failed": 4})


def test_a_group_takes_no_slot_and_no_memory() -> None:
    shape = Shape((Level(2, kind=Kind.GROUP), Level(3, kind=Kind.GROUP), Level(0, 1.0, kind=Kind.COMMAND)))
    found = simulate(Scenario(shape, BOUNDLESS, slots=6))
    assert (found.makespan_s, found.peaks.workers) == (1.0, 6)
    assert found.peaks.memory_mb == 6 * KIND_MB[Kind.COMMAND]


def test_too_little_memory_starts_one_worker_after_the_other() -> None:
    shape = Shape((Level(3, kind=Kind.GROUP), Level(0, 1.0)))
    assert simulate(Scenario(shape, BOUNDLESS, slots=3, memory_mb=500)).makespan_s == 3.0
    assert simulate(Scenario(shape, BOUNDLESS, slots=3, memory_mb=1_200)).makespan_s == 1.0
