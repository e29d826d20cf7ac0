"""A line of text with tones, and where it wraps: by terminal cells, Japanese and emoji taking two. Pure.

Takes worker text as it comes: whatever becomes a `Line` has passed ``clean``. Knows no colours.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rich.cells import get_character_cell_size

from tui_orch.client.text import clean

_TAB_CELLS = 8
#: Most characters for each cell of a row.
_CHARS_A_CELL = 8
#: All but characters that surely take one cell: Latin, Greek, Cyrillic, quotes, control pictures, boxes, Braille.
NARROW = "\x20-\x7e\xa1-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2027\u2400-\u2426\u2500-\u25fc\u2800-\u28ff\ufffd"
_NOT_NARROW = re.compile(f"[^{NARROW}]")


class Tone(StrEnum):
    """How a piece of text is meant. The states of a job have their own names."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    HEAD = "head"
    PROMPT = "prompt"
    CALL = "call"
    BAD = "bad"
    WARN = "warn"
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Line:
    """Clean text without line ends. ``hang``: cells before each of its rows but the first."""

    parts: tuple[tuple[str, Tone], ...]
    hang: int = 0

    @property
    def text(self) -> str:
        """The line without tones."""
        return self.parts[0][0] if len(self.parts) == 1 else "".join(text for text, _ in self.parts)


def line(text: str, tone: Tone = Tone.PLAIN, indent: int = 0) -> Line:
    """Return one line of clean text, ``indent`` cells from the left."""
    return Line(((" " * indent + text, tone),), indent)


def lines(text: str, tone: Tone = Tone.PLAIN, indent: int = 0) -> list[Line]:
    """Return any text as lines."""
    return [line(found.expandtabs(_TAB_CELLS), tone, indent) for found in clean(text).split("\n")]


def blank() -> Line:
    """Return an empty line."""
    return Line((("", Tone.PLAIN),))


def joined(parts: Iterable[tuple[str, Tone]], hang: int = 0) -> Line:
    """Return one line of several clean pieces."""
    return Line(tuple(parts), hang)


def breaks(text: str, width: int, hang: int = 0) -> tuple[int, ...]:
    """Return where the rows of ``text`` behind the first one begin, no row being wider than ``width`` cells.

    Breaks behind a space where one stands in the second half of a row, else anywhere but within a wide character.
    """
    if len(text) * 2 <= width or (text.isascii() and len(text) <= width):
        return ()
    end_of_row = _narrow_end if text.isascii() else _wide_end
    found: list[int] = []
    stop = len(text.rstrip(" "))
    start, room, rest = 0, max(width, 1), max(width - min(hang, width // 2), 1)
    while (end := end_of_row(text, start, room)) < stop:
        start = _behind_space(text, start, end)
        found.append(start)
        room = rest
    return tuple(found)


def _narrow_end(text: str, start: int, room: int) -> int:
    return min(start + room, len(text))


def _wide_end(text: str, start: int, room: int) -> int:
    """Return where the row ends; characters that take no cell fill a row too, or one row could hold a megabyte."""
    odd = _NOT_NARROW.search(text, start, start + room)
    if odd is None:
        return min(start + room, len(text))
    most = min(start + _CHARS_A_CELL * room, len(text))
    room -= odd.start() - start
    for at in range(odd.start(), most):
        room -= get_character_cell_size(text[at])
        if room < 0:
            return max(at, start + 1)
    return most


def _behind_space(text: str, start: int, end: int) -> int:
    if text[end] == " ":
        return end + 1
    space = text.rfind(" ", start + (end - start) // 2, end)
    return space + 1 if space >= 0 else end
