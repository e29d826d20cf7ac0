"""Worker text on a terminal: nothing in it acts, hides or reorders, and nothing harmless is lost."""

import json
import sys
import unicodedata

import pytest

from tui_orch.client.text import clean, clean_json, one_line

UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def test_no_character_of_a_dangerous_category_is_left() -> None:
    """Every code point of Unicode is tried: control, format, surrogate, line and paragraph separators."""
    for start in range(0, sys.maxunicode + 1, 0x1000):
        block = "".join(map(chr, range(start, start + 0x1000)))
        left = {char for char in clean(block) if unicodedata.category(char) in UNSAFE} - {"\n", "\t"}
        assert not left, sorted(map(hex, map(ord, left)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("title\x1b]0;owned\x07", "title␛]0;owned␇"),
        ("100%\rdone", "100%␍done"),
        ("one\r\ntwo\n\tthree", "one\ntwo\n\tthree"),
        ("\x7f\x00", "␡␀"),
        ("é\x9b31m", "é\\x9b31m"),
        ("abc\u202egpj.exe", "abcgpj.exe"),
        ("a\u2066b\u2069c\u200fd", "abcd"),
        ("pass\u200bword\ufeff", "password"),
        ("hi\U000e0068\U000e0069", "hi"),
        ("x\ufe00\U000e0101y", "xy"),
        ("half \ud83d pair", "half � pair"),
        ("line\u2028line", "line\nline"),
    ],
)
def test_what_acts_becomes_visible_and_what_hides_is_removed(text: str, shown: str) -> None:
    """Escape sequences, carriage returns, C1, bidi controls, zero-width, tags, selectors, half pairs."""
    assert clean(text) == shown


@pytest.mark.parametrize("text", ["日本語のテキスト", "naïve café", "e\u0301", "🎉 done", "ไทย", "a\tb\nc", "⚠ → ✔"])
def test_text_of_people_stays_as_it_is(text: str) -> None:
    """Japanese, accents, emoji, Thai, tabs and line ends."""
    assert clean(text) == text


def test_piled_up_marks_are_cut() -> None:
    """A letter with a hundred accents would smear over the lines around it."""
    assert clean("e" + "\u0301" * 100 + "x") == "e" + "\u0301" * 4 + "x"


def test_one_line_is_one_line() -> None:
    """Line ends of every sort, tabs and runs of spaces become one space."""
    assert one_line(" a\nb\r\nc\u2028d\te  f\x85 ") == "a b c d e f\\x85"
    assert len(one_line("x" * 1_000_000)) < 10_000


def test_json_says_the_same_and_is_safe_to_print() -> None:
    """Each risk is written as an escape, so that a program reads exactly what was stored."""
    value = {"text": "\x1b[31m\x7f\x9b \u202e日本語 \U000e0041\ud800 \u200b\u2028", "list": ["a\nb\t\r"]}
    written = clean_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(written) == value
    assert "日本語" in written
    assert not [char for char in written if unicodedata.category(char) in UNSAFE and char != "\n"]
