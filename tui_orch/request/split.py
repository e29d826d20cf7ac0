"""Finds the one list of a request whose items become jobs of their own; a pure function of the text.

Decides what is a list and where its items end; never what is run. When in doubt there is no list: one worker
that gets everything loses nothing but speed, while a wrong split runs notes as work. The rules:

- A list: 2 or more items of one marker family (see ``markers``) at one level. Numbers start at 1 and ascend.
- What is indented deeper than the list belongs to the item above it: nested lists, continuation lines, code.
  So does text between two numbered items, and text that follows an item without a blank line.
- The list ends at text that is not indented and follows a blank line, at a heading, and at text indented
  less. The shared context is the text before the list and the text after it.
- A checked item (``- [x]``) is done: it is not run again, but its line stays in the context, for the others.
- Two lists (numbers that start again, another list below, a heading amid the items) leave open what is meant:
  no list. Only a check list below a numbered one is clear: it says what is to be true in the end, so it is
  context.
- A list within an item of a plain bullet list is a part of that item: no list.
- An item without text: no list (a form to fill in, no work).
- Within code fences nothing is a list, and nothing ends one.
"""

import textwrap
from dataclasses import dataclass
from itertools import pairwise

from tui_orch.request.markers import CHECK, Marker, indent_of, inside_fences, is_bullet, is_heading, marker_of


@dataclass(frozen=True, slots=True)
class Split:
    """A request taken apart. Without a list ``items`` is empty and ``context`` the whole text."""

    context: str  # what all items share; may be empty
    items: tuple[str, ...]  # without their markers; never just one


@dataclass(frozen=True, slots=True)
class _Text:
    """The lines of a request, and which of them only show code."""

    lines: list[str]
    fenced: list[bool]
    markers: list[Marker]

    def blank(self, index: int) -> bool:
        return not self.lines[index].strip()


@dataclass(frozen=True, slots=True)
class _List:
    """The items of a list that holds; ``end`` is the first line after it."""

    markers: list[Marker]
    end: int


def split(text: str) -> Split:
    """Take ``text`` apart at its numbered or check list. Line ends may be LF or CRLF; the result has LF."""
    lines = text.replace("\r\n", "\n").split("\n")
    fenced = inside_fences(lines)
    found = (None if fenced[i] else marker_of(line, i) for i, line in enumerate(lines))
    whole = _Text(lines, fenced, [marker for marker in found if marker])
    members = _first_members(whole, 0)
    chosen = _checked_list(whole, members) if members else None
    if chosen is None or _rivalled(whole, chosen):
        return Split("\n".join(lines).strip(), ())
    return _take_apart(whole, chosen)


def _take_apart(text: _Text, chosen: _List) -> Split:
    starts = [marker.line for marker in chosen.markers]
    ends = [*starts[1:], chosen.end]
    done: list[str] = []
    items: list[str] = []
    for marker, end in zip(chosen.markers, ends, strict=True):
        if marker.checked:
            done.append(_block(text.lines[marker.line : end]))
        else:
            items.append(_item(marker, text.lines[marker.line + 1 : end]))
    if len(items) < 2 or not all(items):
        return Split("\n".join(text.lines).strip(), ())
    shared = (_block(text.lines[: starts[0]]), "\n".join(done), _block(text.lines[chosen.end :]))
    return Split("\n\n".join(part for part in shared if part), tuple(items))


def _first_members(text: _Text, start: int) -> list[Marker]:
    """Return the markers that may make the first list at or after line ``start``, or none."""
    level: int | None = None  # of a lone item: what is nested in it is its own
    for position, first in enumerate(text.markers):
        if first.line < start or (first.family != CHECK and first.number != 1):
            continue
        if level is not None and first.indent > level:
            continue
        level = first.indent
        rest = text.markers[position:]
        members = [each for each in rest if each.family == first.family and each.indent <= first.indent]
        if len(members) > 1:
            return members
    return []


def _checked_list(text: _Text, members: list[Marker]) -> _List | None:
    """Return the list that ``members`` make, or None for several lists, sections or a part of a bullet."""
    level = members[0].indent
    if _within_bullet(text, members[0]):
        return None
    for this, following in pairwise(members):
        if this.family == CHECK:
            end = _end_of_item(text, this, level, before=following.line)
            if any(not text.blank(index) for index in range(end, following.line)):
                return None  # a check list has no numbers to show that it goes on after other text
        elif following.number <= this.number:
            return None
        if any(_heading_at(text, index, level) for index in range(this.line + 1, following.line)):
            return None
    return _List(members, _end_of_item(text, members[-1], level, before=len(text.lines)))


def _end_of_item(text: _Text, marker: Marker, level: int, before: int) -> int:
    """Return the first line that is no longer the item's, at most ``before``."""
    after_blank = False
    for index in range(marker.line + 1, before):
        if text.fenced[index]:
            after_blank = False
            continue
        if text.blank(index):
            after_blank = True
            continue
        column = indent_of(text.lines[index])
        if column < level or _heading_at(text, index, level) or (after_blank and column <= level):
            return index
        after_blank = False
    return before


def _within_bullet(text: _Text, first: Marker) -> bool:
    for index in range(first.line - 1, -1, -1):
        line = text.lines[index]
        if not text.blank(index) and not text.fenced[index] and indent_of(line) < first.indent:
            return is_bullet(line)
    return False


def _heading_at(text: _Text, index: int, level: int) -> bool:
    line = text.lines[index]
    return not text.fenced[index] and indent_of(line) <= level and is_heading(line)


def _rivalled(text: _Text, chosen: _List) -> bool:
    """Whether another list after ``chosen`` makes it unclear which of the two is the work."""
    others = _first_members(text, chosen.end)
    if not others:
        return False
    return chosen.markers[0].family == CHECK or others[0].family != CHECK


def _item(marker: Marker, below: list[str]) -> str:
    return "\n".join([marker.rest, textwrap.dedent("\n".join(below))]).strip()


def _block(lines: list[str]) -> str:
    return textwrap.dedent("\n".join(lines)).strip("\n").rstrip()
