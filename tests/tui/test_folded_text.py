"""Blocks are folded, replaced and dropped, and a place in them is found again."""

import pytest

from tui_orch.tui.detail import folded_text
from tui_orch.tui.detail.blocks import Block
from tui_orch.tui.detail.folded_text import FoldedText, Place
from tui_orch.tui.text.layout import Layout
from tui_orch.tui.text.line import line


def block(text: str, hidden: int = 0) -> Block:
    return Block((line(text),), tuple(line(f"{text} hidden {number}") for number in range(hidden)))


def texts(text: FoldedText) -> list[str]:
    return [found.text for found in text.layout.lines]


@pytest.fixture
def text() -> FoldedText:
    """Three blocks, of which two have something to unfold."""
    made = FoldedText(Layout(20))
    made.append([block("a", 2), block("b"), block("c", 1)])
    return made


def test_a_block_is_unfolded_and_folded(text: FoldedText) -> None:
    """Its mark tells which; one without anything to fold has none."""
    assert texts(text) == ["▸ a", "b", "▸ c"]
    assert text.toggle(0)
    assert texts(text) == ["▾ a", "a hidden 0", "a hidden 1", "b", "▸ c"]
    assert text.toggle(0)
    assert texts(text) == ["▸ a", "b", "▸ c"]
    assert not text.toggle(1)
    assert not text.toggle(99)


def test_all_are_unfolded_then_folded(text: FoldedText) -> None:
    """While one is folded, the rest is unfolded first."""
    text.note("above")
    text.toggle(0)
    text.toggle_all()
    assert texts(text) == ["above", "▾ a", "a hidden 0", "a hidden 1", "b", "▾ c", "c hidden 0"]
    text.toggle_all()
    assert texts(text) == ["above", "▸ a", "b", "▸ c"]


def test_what_is_looked_for_is_unfolded(text: FoldedText) -> None:
    """Only where it stands."""
    text.unfold_with("C HIDDEN")
    assert texts(text) == ["▸ a", "b", "▾ c", "c hidden 0"]


def test_an_unfinished_line_is_replaced(text: FoldedText) -> None:
    """By its longer form, and by the finished one."""
    text.append([], block("unf"))
    text.append([], block("unfini"))
    assert texts(text)[3:] == ["unfini"]
    text.append([block("unfinished"), block("next")])
    assert texts(text)[3:] == ["unfinished", "next"]


def test_the_oldest_are_dropped(text: FoldedText, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded; what is said above stays."""
    monkeypatch.setattr(folded_text, "MOST_BLOCKS", 100)
    text.note("above")
    for number in range(1_000):
        text.append([block(f"{number}")], block("unfinished"))
    assert len(text.layout.lines) <= 102
    assert texts(text)[0] == "above"
    assert texts(text)[-2:] == ["999", "unfinished"]
    assert text.dropped


def test_characters_are_bounded_too(text: FoldedText, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the last block stays, however long it is."""
    monkeypatch.setattr(folded_text, "MOST_CHARS", 1_000)
    text.append([block("x" * 400) for _ in range(10)])
    assert sum(len(found) for found in texts(text)) <= 1_000
    text.append([block("y" * 5_000)])
    assert texts(text) == ["y" * 5_000]


def test_a_place_is_found_again(text: FoldedText) -> None:
    """After something was unfolded above it, put above it, or dropped."""
    place = text.place_of_row(1)
    assert place == Place(1, 0, 0)
    text.toggle(0)
    text.note("above")
    assert text.row_of(place) == text.line_at(place) == 4
    assert text.row_of(Place(0, 2, 0)) == 3
    text.toggle(0)
    assert text.row_of(Place(0, 2, 0)) == 1
    assert text.line_at(Place(0, 2, 0)) is None
    assert text.place_of_row(99) is None
    text.clear()
    assert texts(text) == []
    assert text.row_of(place) == 0
