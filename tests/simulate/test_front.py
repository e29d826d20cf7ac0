"""The front of an order is what sorting everything would give first."""

from hypothesis import given
from hypothesis import strategies as st

from tui_orch.simulate.front import Front


@given(st.integers(1, 4), st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=60))
def test_the_first_are_those_of_a_sorted_list(width: int, steps: list[tuple[bool, int]]) -> None:
    """And it is told when they change."""
    front, model = Front(width), list[tuple[int, ...]]()
    for number, (adds, value) in enumerate(steps):
        before = list(front.first)
        if adds or not model:
            key = (value, number)
            model.append(key)
            changed = front.add(key)
        else:
            key = model.pop(value % len(model))
            changed = front.remove(key)
        model.sort()
        assert front.first == model[:width]
        assert len(front) == len(model)
        assert changed or front.first == before
