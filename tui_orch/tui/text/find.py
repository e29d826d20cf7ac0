"""Finding a text in lines: forwards and backwards, around the end. Pure.

Large and small letters are alike unless the wanted text holds a large one.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from tui_orch.tui.text.line import Line


class Match(NamedTuple):
    """Where a text stands: which line, from and up to which of its characters."""

    at: int
    start: int
    end: int


def pattern(wanted: str) -> re.Pattern[str]:
    """Return what finds a text as it is, no character of it being special."""
    return re.compile(re.escape(wanted), 0 if wanted != wanted.lower() else re.IGNORECASE)


def find_next(lines: Sequence[Line], wanted: re.Pattern[str], at: int, offset: int) -> Match | None:
    """Return the first match at or behind a character, going on at the top; None where there is none at all."""
    count = len(lines)
    for step in range(count + 1 if count else 0):
        here = (at + step) % count
        found = wanted.search(lines[here].text, offset if step == 0 else 0)
        if found is not None:
            return Match(here, found.start(), found.end())
    return None


def find_previous(lines: Sequence[Line], wanted: re.Pattern[str], at: int, offset: int) -> Match | None:
    """Return the last match that begins before a character, going on at the end; None where there is none at all."""
    count = len(lines)
    for step in range(count + 1 if count else 0):
        here = (at - step) % count
        text = lines[here].text
        found = [match for match in wanted.finditer(text) if step or match.start() < offset]
        if found:
            return Match(here, found[-1].start(), found[-1].end())
    return None
