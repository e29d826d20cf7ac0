"""Spans, order, workers at once and the critical path: from changes of states alone."""

import random
from itertools import pairwise

import pytest

from store.models import Change
from store.states import FINAL, Reason, Status
from store.timed import TimedJob
from tui_orch.tui.timeline import Life, Phase, Piece, Span, at_work, critical_path, in_order, life, spans_of

Q, R, W, C, F = Status.QUEUED, Status.RUNNING, Status.WAITING, Status.COMPLETED, Status.FAILED
ASK = "ask"


def job(
    job_id: int, parent_id: int | None, *changes: tuple[int, Status] | tuple[int, Status, str], lending: bool = False
) -> Life:
    """Return a job from (moment, state, reason) of its changes."""
    made = tuple(
        Change(at, job_id, found[0], found[1], found[2] if len(found) > 2 else None, 1)
        for at, found in enumerate(changes)
    )
    status = made[-1].status
    ended = made[-1].at_ms if status in FINAL else None
    return life(TimedJob(job_id, parent_id, 0, f"job {job_id}", status, made[0].at_ms, ended, lending, made))


def path(lives: list[Life], now: int = 1_000) -> list[tuple[int, str, int, int]]:
    return [(piece.job_id, piece.phase.value, piece.start_ms, piece.end_ms) for piece in critical_path(lives, 1, now)]


def test_changes_become_spans() -> None:
    """The last one is open unless the job has ended; a retry opens another."""
    found = job(1, None, (0, Q), (5, R), (9, F), (20, Q, Reason.RETRY), (25, R))
    assert found.spans == (
        Span(Phase.QUEUED, 0, 5), Span(Phase.RUNNING, 5, 9), Span(Phase.QUEUED, 20, 25), Span(Phase.RUNNING, 25, None)
    )  # fmt: skip
    assert found.ends_ms == (9,)
    assert found.spans[-1].until(30) == 30
    assert found.spans[-1].until(10) == 25


def test_a_wait_for_an_answer_is_not_one_for_children() -> None:
    """The reason of the change tells."""
    spans, _ = spans_of([Change(1, 1, 0, W, "children", 1), Change(2, 1, 5, W, ASK, 1)])
    assert [span.for_children for span in spans] == [True, False]


def test_times_that_go_backwards_make_no_span_less_than_nothing() -> None:
    """A clock was set."""
    found = job(1, None, (100, Q), (50, R), (40, C))
    assert all(span.end_ms is not None and span.end_ms >= span.start_ms for span in found.spans)


def test_children_stand_below_their_parents() -> None:
    """In the order of their ids, what hangs on nothing left out."""
    lives = [job(one, parent, (0, Q)) for one, parent in ((1, None), (2, 1), (3, 1), (4, 2), (5, 99))]
    assert [(one.id, one.level) for one in in_order(lives, 1)] == [(1, 0), (2, 1), (4, 2), (3, 1)]
    assert in_order(lives, 77) == []


def test_a_ring_of_parents_has_an_end() -> None:
    """Rows that were written behind the store's rules."""
    lives = [job(1, None, (0, Q)), job(2, 3, (0, Q)), job(3, 2, (0, Q))]
    assert [one.id for one in in_order(lives, 1)] == [1]
    assert critical_path(lives, 1, 10)


def test_workers_at_once_are_counted() -> None:
    """From each moment on, until the next one."""
    lives = [job(1, None, (0, R), (10, C)), job(2, 1, (5, R), (8, C)), job(3, 1, (8, R)), job(4, 1, (0, Q))]
    assert at_work(lives, 20) == [(0, 1), (5, 2), (8, 2), (10, 1), (20, 0)]
    assert at_work([], 20) == []


def test_the_path_goes_through_the_child_that_ended_last() -> None:
    """From the root's end back to its beginning, each moment once."""
    lives = [
        job(1, None, (0, Q), (10, R), (20, W, "children"), (90, Q, "resume"), (95, R), (100, C)),
        job(2, 1, (15, Q), (20, R), (50, C)),
        job(3, 1, (15, Q), (30, R), (90, C)),
    ]
    assert path(lives) == [
        (1, "queued", 0, 10), (1, "running", 10, 15), (3, "queued", 15, 30), (3, "running", 30, 90),
        (1, "queued", 90, 95), (1, "running", 95, 100),
    ]  # fmt: skip


def test_the_path_goes_down_as_deep_as_someone_waits() -> None:
    """A child that itself waited for a child."""
    lives = [
        job(1, None, (0, R), (10, W, "children"), (80, C)),
        job(2, 1, (5, R), (20, W, "children"), (80, C)),
        job(3, 2, (15, R), (80, C)),
    ]
    assert path(lives) == [(1, "running", 0, 5), (2, "running", 5, 15), (3, "running", 15, 80)]


def test_of_an_open_tree_it_is_told_who_holds_it_now() -> None:
    """Of the children that live, the oldest."""
    lives = [
        job(1, None, (0, R), (10, W, "children")),
        job(2, 1, (5, R), (40, C)),
        job(3, 1, (5, Q), (40, R)),
        job(4, 1, (6, R)),
    ]
    assert path(lives, now=100) == [(1, "running", 0, 5), (3, "queued", 5, 40), (3, "running", 40, 100)]


def test_whose_process_blocks_for_its_children_is_held_up_by_them() -> None:
    """It runs and lends its slot; the bar says that it runs, the path goes on below."""
    child = job(2, 1, (10, Q), (20, R))
    assert path([job(1, None, (0, Q), (5, R)), child], now=50) == [(1, "queued", 0, 5), (1, "running", 5, 50)]
    blocked = job(1, None, (0, Q), (5, R), lending=True)
    assert blocked.spans[-1].phase is Phase.RUNNING
    assert path([blocked, child], now=50) == [
        (1, "queued", 0, 5),
        (1, "running", 5, 10),
        (2, "queued", 10, 20),
        (2, "running", 20, 50),
    ]


def test_a_gap_between_the_last_child_and_the_going_on_is_the_parents() -> None:
    """Nothing of it is left out."""
    lives = [job(1, None, (0, R), (10, W, "children"), (70, C)), job(2, 1, (5, R), (50, C))]
    assert path(lives) == [(1, "running", 0, 5), (2, "running", 5, 50), (1, "waiting", 50, 70)]


def test_who_waits_for_an_answer_is_held_up_by_itself() -> None:
    """Not by a child that happens to run."""
    lives = [job(1, None, (0, R), (10, W, ASK), (60, Q), (65, R), (70, C)), job(2, 1, (5, R), (60, C))]
    assert (1, "waiting", 10, 60) in path(lives)
    assert {piece[0] for piece in path(lives)} == {1}


def test_who_waits_twice_is_held_up_twice() -> None:
    """Once by each batch."""
    lives = [
        job(1, None, (0, R), (10, W, "children"), (30, R), (40, W, "children"), (80, C)),
        job(2, 1, (5, R), (30, C)),
        job(3, 1, (35, R), (80, C)),
    ]
    assert path(lives) == [
        (1, "running", 0, 5), (2, "running", 5, 30), (1, "running", 30, 35), (3, "running", 35, 80)
    ]  # fmt: skip


def test_a_child_that_had_ended_before_is_not_what_was_waited_for() -> None:
    """The wait is the parent's own then."""
    lives = [job(1, None, (0, R), (50, W, "children"), (90, C)), job(2, 1, (5, R), (20, C))]
    assert path(lives) == [(1, "running", 0, 50), (1, "waiting", 50, 90)]


def test_a_child_that_outlives_the_root_holds_it_to_its_end() -> None:
    """A cancelled tree: the root ends first."""
    lives = [job(1, None, (0, R), (10, W, "children"), (60, Status.CANCELLED)), job(2, 1, (5, R), (65, C))]
    assert path(lives)[-1] == (2, "running", 5, 60)


def test_of_a_retried_root_the_time_between_is_nobodys() -> None:
    """It had ended then."""
    lives = [job(1, None, (0, R), (10, F), (500, Q), (510, R), (520, C))]
    assert path(lives) == [(1, "running", 0, 10), (1, "queued", 500, 510), (1, "running", 510, 520)]


def test_without_the_root_there_is_no_path() -> None:
    """Nor of a job that has not begun."""
    assert critical_path([job(2, 1, (0, R))], 1, 10) == []
    assert critical_path([job(1, None, (10, Q))], 1, 10) == []


def some_tree(chance: random.Random) -> list[Life]:
    """Return jobs whose changes have any order of states, at moments that may be alike."""
    lives = []
    for one in range(1, chance.randrange(2, 30)):
        moment = chance.randrange(20)
        changes: list[tuple[int, Status, str]] = []
        for _ in range(chance.randrange(1, 7)):
            status = chance.choice([Q, R, W, W, C, F])
            changes.append((moment, status, chance.choice(["children", "children", ASK])))
            moment += chance.randrange(15)
        lives.append(job(one, None if one == 1 else chance.randrange(1, one), *changes))
    return lives


@pytest.mark.parametrize("seed", range(200))
def test_the_path_never_goes_back_nor_overlaps(seed: int) -> None:
    """Whatever the history: pieces follow each other, each within its job's life and its phase."""
    chance = random.Random(seed)
    lives = some_tree(chance)
    found = critical_path(lives, 1, 200)
    by_id = {one.id: one for one in lives}
    for before, after in pairwise(found):
        assert before.end_ms <= after.start_ms
    for piece in found:
        assert piece.start_ms < piece.end_ms <= 200
        assert any(
            span.phase is piece.phase and span.start_ms <= piece.start_ms and piece.end_ms <= span.until(200)
            for span in by_id[piece.job_id].spans
        )
    assert isinstance(found, list)
    assert all(isinstance(piece, Piece) for piece in found)


def test_thousands_of_jobs_take_little_time() -> None:
    """A chain of a thousand levels, and a parent of ten thousand that came one after the other."""
    deep = [job(one, one - 1 or None, (one, R), (one + 1, W, "children")) for one in range(1, 3_000)]
    assert len(critical_path(deep, 1, 10_000)) > 2_000
    wide = [job(1, None, (0, W, "children")), *(job(one, 1, (one, R), (one + 1, C)) for one in range(2, 10_000))]
    assert critical_path(wide, 1, 10_000)
