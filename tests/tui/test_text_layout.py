"""Rows are found wherever lines come and go: always those of a layout that is made anew."""

import random

import pytest

from tui_orch.tui.text.layout import Layout
from tui_orch.tui.text.line import Line, line


def text_of(layout: Layout) -> list[str]:
    """Return every row, as it is."""
    found = [layout.row(y) for y in range(layout.rows)]
    return [row.line.text[row.start : row.end] for row in found if row is not None]


def anew(layout: Layout) -> Layout:
    """Return a layout made from the same lines at once."""
    made = Layout(layout.width)
    made.set(list(layout.lines), list(layout.blocks))
    return made


def some_lines(chance: random.Random) -> list[Line]:
    return [line("word " * chance.randrange(12), indent=chance.randrange(3)) for _ in range(chance.randrange(4))]


@pytest.mark.parametrize("seed", range(20))
def test_rows_are_those_of_a_layout_made_anew(seed: int) -> None:
    """After any appending, replacing, dropping and resizing."""
    chance = random.Random(seed)
    layout = Layout(20)
    newest = 0
    for _ in range(60):
        match chance.randrange(4):
            case 0:
                layout.append(some_lines(chance), newest)
                newest += 1
            case 1:
                before = layout.rows
                assert layout.replace(chance.randrange(-1, newest + 1), some_lines(chance)) == layout.rows - before
            case 2:
                before = layout.rows
                assert layout.drop(chance.randrange(newest + 1)) == before - layout.rows
            case _:
                layout.set_width(chance.randrange(5, 40))
        assert text_of(layout) == text_of(anew(layout))
        assert layout.blocks == sorted(layout.blocks)
        for at in range(len(layout.lines)):
            row = layout.row(layout.first_row(at))
            assert row is not None
            assert (row.at, row.start) == (at, 0)


def test_a_character_knows_its_row() -> None:
    """And a row outside is none."""
    layout = Layout(10)
    layout.set([line("a" * 25), line("b")])
    assert [layout.row_at(0, offset) for offset in (0, 9, 10, 24)] == [0, 0, 1, 2]
    assert layout.row_at(1, 0) == 3
    assert layout.row(4) is None
    assert layout.row(-1) is None


def test_rows_behind_the_first_hang() -> None:
    """As far as the line begins, and never more than half of the width."""
    layout = Layout(10)
    layout.set([line("x" * 20, indent=4), line("y" * 20, indent=8)])
    hangs = [row.hang for row in map(layout.row, range(layout.rows)) if row is not None]
    assert hangs[:3] == [0, 4, 4]
    assert max(hangs) == 5
