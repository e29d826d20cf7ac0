"""How own work and children make an end: the whole table."""

from itertools import combinations_with_replacement

import pytest

from store.rollup import roll_up
from store.states import FINAL, Reason, Status

C, P, F, X = Status.COMPLETED, Status.PARTIAL, Status.FAILED, Status.CANCELLED


@pytest.mark.parametrize(
    ("own", "children", "becomes"),
    [
        (C, [], (C, None)),
        (C, [C, C], (C, None)),
        (C, [C, F], (P, Reason.CHILDREN_FAILED)),
        (C, [F, F], (P, Reason.CHILDREN_FAILED)),  # its own work is worth something
        (C, [X], (P, Reason.CHILDREN_FAILED)),
        (C, [P], (P, Reason.CHILDREN_FAILED)),
        (F, [C, C], (F, None)),  # what children did does not mend the job's own work
        (X, [C], (X, None)),
        (X, [], (X, None)),
        (None, [], (C, None)),
        (None, [C, C], (C, None)),
        (None, [C, F], (P, Reason.CHILDREN_FAILED)),
        (None, [P, F], (P, Reason.CHILDREN_FAILED)),
        (None, [F, X], (F, Reason.CHILDREN_FAILED)),
    ],
)
def test_an_end_follows_from_own_work_and_children(
    own: Status | None, children: list[Status], becomes: tuple[Status, Reason | None]
) -> None:
    """None stands for a group, which has no work of its own."""
    assert roll_up(own, children) == becomes


def test_every_combination_ends_and_completed_means_all_of_it() -> None:
    """No mixture of ends is forgotten, and the order of children means nothing."""
    for own in (C, F, X, None):
        for number in range(4):
            for children in combinations_with_replacement(sorted(FINAL), number):
                status, reason = roll_up(own, children)
                assert status in FINAL
                assert (status is C) == (own in (C, None) and set(children) <= {C})
                assert (reason is None) == (status is C or own in (F, X))
                assert roll_up(own, children[::-1]) == (status, reason)
