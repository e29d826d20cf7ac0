"""Counts per block: sums and searches are those of a plain list."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tui_orch.tui.row_counts import RowCounts

_COUNTS = st.lists(st.integers(0, 9), max_size=40)


@given(_COUNTS, st.data())
@settings(max_examples=100, deadline=None)
def test_sums_and_searches_are_those_of_a_plain_list(counts: list[int], data: st.DataObject) -> None:
    fast, plain = RowCounts(counts), list(counts)
    for _ in range(6):
        if plain and data.draw(st.booleans()):
            index = data.draw(st.integers(0, len(plain) - 1))
            fast.add(index, 3)
            plain[index] += 3
        else:
            start = data.draw(st.integers(0, len(plain)))
            stop = data.draw(st.integers(start, len(plain)))
            new = data.draw(st.lists(st.integers(0, 9), max_size=3))
            fast.splice(start, stop, new)
            plain[start:stop] = new
        assert (len(fast), fast.total) == (len(plain), sum(plain))
        assert [fast.before(index) for index in range(len(plain) + 1)] == [
            sum(plain[:index]) for index in range(len(plain) + 1)
        ]
        owners = [(index, rest) for index, count in enumerate(plain) for rest in range(count)]
        assert [fast.find(row) for row in range(sum(plain))] == owners
        assert [fast[index] for index in range(len(fast))] == plain
