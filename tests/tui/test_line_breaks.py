"""Text is wrapped by cells, and nothing of it gets lost."""

import re
import string
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_orch.tui.text.line import NARROW, Line, Tone, breaks, joined, line, lines

WIDE = "日本語🙂e\u0301 한글 ab cd\u0c3e"
TEXTS = st.text(st.sampled_from(string.ascii_letters + "     " + WIDE), max_size=200)


def rows(text: str, width: int, hang: int = 0) -> list[str]:
    """Return the rows as they stand on the screen, spaces at their ends left out."""
    starts = [0, *breaks(text, width, hang), len(text)]
    return [text[start:end].rstrip(" ") for start, end in pairwise(starts)]


@given(TEXTS, st.integers(4, 30), st.integers(0, 12))
def test_no_row_is_wider_than_the_screen_and_all_text_is_there(text: str, width: int, hang: int) -> None:
    """Whatever the widths of its characters are."""
    found = rows(text, width, hang)
    assert all(cell_len(row) <= width for row in found)
    assert all(cell_len(row) <= width - min(hang, width // 2) for row in found[1:])
    assert "".join(found).replace(" ", "") == text.replace(" ", "")


def test_characters_taken_for_narrow_are_narrow() -> None:
    """Each of them takes one cell, whatever the table of widths says of its neighbours."""
    narrow = re.compile(f"[{NARROW}]")
    found = [chr(code) for code in range(0x10000) if narrow.match(chr(code))]
    assert len(found) > 1_000
    assert {cell_len(char) for char in found} == {1}


def test_a_line_breaks_behind_a_word() -> None:
    """And the space between two rows is not at the beginning of the second one."""
    assert rows("one two three four", 9) == ["one two", "three", "four"]
    assert rows("one two three", 7) == ["one two", "three"]


def test_a_word_that_is_too_long_breaks_anywhere() -> None:
    """A path or a hash has no spaces."""
    assert rows("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]


def test_a_wide_character_is_not_halved() -> None:
    """Five cells have room for two characters of two."""
    assert rows("日本語日本", 5) == ["日本", "語日", "本"]


def test_spaces_at_the_end_make_no_row() -> None:
    """They can not be seen."""
    assert breaks("word" + " " * 50, 10) == ()
    assert breaks(" " * 50, 10) == ()


def test_characters_without_a_cell_fill_a_row_too() -> None:
    """A megabyte of them is not sent to the terminal as one row."""
    starts = [0, *breaks("a" + "\u0c3e\u094d" * 50_000, 20)]
    assert max(b - a for a, b in pairwise(starts)) <= 20 * 8


@pytest.mark.parametrize("text", ["", "x", "short"])
def test_a_short_line_is_one_row(text: str) -> None:
    """Nothing breaks."""
    assert breaks(text, 5) == ()


def test_any_text_becomes_clean_lines() -> None:
    """Control characters are shown, tabs are spaces, and every line end makes a line."""
    found = lines("a\tb\r\nsee [/foo] \x1b[31mred\u2028next\x00", Tone.BAD, 2)
    assert [one.text for one in found] == ["  a       b", "  see [/foo] ␛[31mred", "  next␀"]
    assert all("\n" not in one.text and "\x1b" not in one.text for one in found)
    assert found[0].hang == 2


def test_a_line_knows_its_text() -> None:
    """From one piece or more."""
    assert line("x", indent=3).text == "   x"
    assert joined([("a", Tone.BAD), ("b", Tone.DIM)]).text == "ab"
    assert Line(()).text == ""
