"""How one line begins: the marker of a list item, its family and number, and the fences of code blocks.

Looks at single lines only; what makes a list out of marked lines is ``split``'s to decide. A marker is one of

- number and dot: ``1.`` ``１．``; an ASCII dot wants a space or Japanese after it (not ``1.5``, ``1.x``)
- number and bracket: ``1)`` ``１）``, and in two brackets: ``(1)`` ``（１）`` ``⑴``
- circled: ``①`` to ``㊿``, ``❶`` to ``⓴``, ``➀``, ``➊``, ``⓵``
- a check box: ``- [ ]`` ``* [x]``; a numbered item may carry one, too: ``1. [x]``

Numbers have at most three digits, so that a year at the start of a line is prose.
"""

import re
from dataclasses import dataclass

#: The family of check lists; every other family is numbered.
CHECK = "check"

_TAB, _WIDE_SPACE = 4, 2  # columns
_DIGITS = "([0-9０-９]{1,3})"
_ENCLOSED = {
    "circled": ("①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳", "㉑㉒㉓㉔㉕㉖㉗㉘㉙㉚㉛㉜㉝㉞㉟", "㊱㊲㊳㊴㊵㊶㊷㊸㊹㊺㊻㊼㊽㊾㊿"),
    "negative circled": ("❶❷❸❹❺❻❼❽❾❿", "⓫⓬⓭⓮⓯⓰⓱⓲⓳⓴"),
    "sans circled": ("➀➁➂➃➄➅➆➇➈➉",),
    "negative sans circled": ("➊➋➌➍➎➏➐➑➒➓",),
    "double circled": ("⓵⓶⓷⓸⓹⓺⓻⓼⓽⓾",),
    "brackets": ("⑴⑵⑶⑷⑸⑹⑺⑻⑼⑽⑾⑿⒀⒁⒂⒃⒄⒅⒆⒇",),
}
_ENCLOSED_NUMBERS = {
    char: (family, number) for family, runs in _ENCLOSED.items() for number, char in enumerate("".join(runs), start=1)
}
_NUMBERED = (
    ("dot", re.compile(_DIGITS + r"(?:\.(?=\s|$|[^\x00-\x7f])|．)(?![0-9０-９])")),
    ("bracket", re.compile(_DIGITS + r"[)）]")),
    ("brackets", re.compile(r"[(（]" + _DIGITS + r"[)）]")),
)
_AFTER_BOX = r"(?=\s|$|[^\x00-\x7f])"
_CHECK_ITEM = re.compile(r"[-*+]\s+\[([ 　xX]?)\]" + _AFTER_BOX)
_BOX = re.compile(r"\[([ 　xX])\]" + _AFTER_BOX)
_BEFORE_FENCE = re.compile(r"[\s>]*(?:(?:[-*+]|[0-9]{1,9}[.)])\s+)*")
_FENCE = re.compile(r"(`{3,}|~{3,})(.*)", re.DOTALL)
_HEADING = re.compile(r"#{1,6}(?:\s|$)")
_BULLET = re.compile(r"(?:[-*+]\s|[・•])")


@dataclass(frozen=True, slots=True)
class Marker:
    """The marker of a list item: where it stands, what it says, and the text after it."""

    line: int  # index of its line
    indent: int  # columns before it
    family: str
    number: int  # 0 in a check list
    checked: bool
    rest: str


def marker_of(line: str, index: int) -> Marker | None:
    """Return the marker that ``line`` begins with, or None."""
    text = line.lstrip()
    column = indent_of(line)
    if found := _CHECK_ITEM.match(text):
        return Marker(index, column, CHECK, 0, found[1] in ("x", "X"), text[found.end() :].strip())
    for family, pattern in _NUMBERED:
        if found := pattern.match(text):
            return _numbered(index, column, family, int(found[1]), text[found.end() :])
    if text and text[0] in _ENCLOSED_NUMBERS:
        family, number = _ENCLOSED_NUMBERS[text[0]]
        return _numbered(index, column, family, number, text[1:])
    return None


def _numbered(index: int, column: int, family: str, number: int, rest: str) -> Marker:
    rest = rest.strip()
    box = _BOX.match(rest)
    if box is None:
        return Marker(index, column, family, number, False, rest)
    return Marker(index, column, family, number, box[1] in ("x", "X"), rest[box.end() :].strip())


def indent_of(line: str) -> int:
    """Return the columns of white space before the first character; a tab counts 4, a full-width space 2."""
    column = 0
    for char in line:
        if not char.isspace():
            break
        column += _TAB if char == "\t" else _WIDE_SPACE if char == "\u3000" else 1
    return column


def is_heading(line: str) -> bool:
    """Whether ``line`` is a Markdown heading (``## Part two``), whatever its indentation."""
    return _HEADING.match(line.lstrip()) is not None


def is_bullet(line: str) -> bool:
    """Whether ``line`` begins an item of a plain bullet list (``- like this``), whatever its indentation."""
    return _BULLET.match(line.lstrip()) is not None


def inside_fences(lines: list[str]) -> list[bool]:
    """Return for each line whether it lies in a code block fenced by ``` or ~~~.

    The line that opens a fence counts as outside (it may be a list item: ``1. ```sh``), the one that closes
    it as inside. A fence that is never closed runs to the end, as everywhere in Markdown.
    """
    inside: list[bool] = []
    fence = ""
    for line in lines:
        inside.append(bool(fence))
        if not fence:
            fence = _opened_fence(line)
        elif _closes(line, fence):
            fence = ""
    return inside


def _opened_fence(line: str) -> str:
    found = _FENCE.match(line[_end_of_prefix(line) :])
    if found is None or (found[1][0] == "`" and "`" in found[2]):
        return ""  # ```code``` in one line is no fence
    return found[1]


def _end_of_prefix(line: str) -> int:
    prefix = _BEFORE_FENCE.match(line)
    return prefix.end() if prefix else 0


def _closes(line: str, fence: str) -> bool:
    text = line.strip().lstrip("> ")
    return len(text) >= len(fence) and set(text) == {fence[0]}
