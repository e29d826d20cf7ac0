"""What a request is imagined as, and which runs are compared."""

import pytest

from store.states import Kind
from tui_orch.simulate.engine import Scenario
from tui_orch.simulate.memory_store import TreeLimits
from tui_orch.simulate.of_request import Work, paths, runs, shape_of

LIMITS = TreeLimits(5, 200, 20, 2, (3600.0,))


@pytest.mark.parametrize(
    ("kind", "items", "depth", "children", "grows"),
    [
        (Kind.CLAUDE, 4, 2, (3,), "1 → 4 → 12"),
        (Kind.CLAUDE, 0, 3, (5,), "1 → 5 → 25 → 125"),
        (Kind.CLAUDE, 0, 3, (2, 7), "1 → 2 → 14"),
        (Kind.CLAUDE, 0, 3, (4, 0, 9), "1 → 4"),
        (Kind.CLAUDE, 0, 0, (3,), "1"),
        (Kind.COMMAND, 5, 1, (0,), "1 → 5"),
    ],
)
def test_a_request_grows_as_its_list_its_depth_and_the_children_say(
    kind: Kind, items: int, depth: int, children: tuple[int, ...], grows: str
) -> None:
    """And its work is the same, however it is split."""
    shape = shape_of(kind, items, depth, Work(children, 3600.0))
    assert paths(shape) == grows
    assert shape.whole_s(0) == pytest.approx(3600.0 * (items or 1))
    assert shape.cut(1).whole_s(0) == pytest.approx(shape.whole_s(0))
    assert shape.levels[-1].kind is kind


def test_what_is_compared_of_a_list() -> None:
    """One worker for all, one for each item, as many as wanted, and what the limits allow in each order."""
    shape = shape_of(Kind.CLAUDE, 4, 2, Work((3,), 3600.0))
    found = {run.name: run for run in runs(Scenario(shape, LIMITS, slots=10))}
    assert list(found) == [
        "one after the other",
        "side by side, none split again",
        "split all the way down",
        "5 at once, deepest first",
        "5 at once, first come",
    ]
    assert found["split all the way down"].scenario.slots == 12
    assert found["5 at once, first come"].scenario.limits == LIMITS


def test_a_request_of_very_many_jobs_is_run_within_its_limits_alone() -> None:
    shape = shape_of(Kind.CLAUDE, 0, 3, Work((20,), 60.0))
    assert [run.name for run in runs(Scenario(shape, LIMITS, slots=10))] == [
        "one after the other",
        "5 at once, deepest first",
        "5 at once, first come",
    ]
