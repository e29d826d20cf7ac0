"""Makes foreign text fit to be shown or quoted: one clean line of it, a part of it, or all of it between marked lines.

Pure. Owns no sentence of its own beyond the marks; never decides what is said.
"""

import re
import unicodedata
from typing import Any

#: Categories that move the cursor, hide or reorder text: control, format (bidi, tags), surrogate, unassigned lines.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: The tag in which Claude Code tells a model what no worker may tell another.
_FORGED = re.compile(r"<(?=\s*/?\s*system[-_\s]*reminder)", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
#: Longest stretch of a foreign text that is looked at to make one line of it.
_LOOK_CHARS = 4_000


def one_line(text: str, limit: int) -> str:
    """Return the beginning of ``text`` on one line, at most ``limit`` characters, without characters that steer a terminal."""
    head = text[:_LOOK_CHARS]
    seen = "".join(char if unicodedata.category(char) not in _UNSEEN else _instead(char) for char in head)
    line = _SPACES.sub(" ", seen).strip()
    return line if len(line) <= limit and len(text) <= _LOOK_CHARS else f"{line[: limit - 1].rstrip()}…"


def first_line(text: str, limit: int) -> str:
    """Return the first line of ``text`` that is not blank, as ``one_line`` does."""
    lines = (line for line in text.splitlines() if line.strip())
    return one_line(next(lines, ""), limit)


def sound(value: Any) -> Any:
    """Return a JSON value whose texts can all be stored: a lone surrogate, which JSON can carry, becomes U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {sound(key): sound(inner) for key, inner in value.items()}
    return [sound(inner) for inner in value] if isinstance(value, list) else value


def is_deep(value: Any, limit: int) -> bool:
    """Tell whether a JSON value is nested deeper than ``limit``; itself as deep as one likes."""
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for each in level
            if isinstance(each, (dict, list))
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def cut(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of ``text``, and how many are missing if any are."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… [{len(text) - limit} more characters]"


def _instead(char: str) -> str:
    return "" if unicodedata.category(char) == "Cf" else " "


def fenced(text: str, mark: str) -> str:
    """Return ``text`` between two lines that only who knows ``mark`` can write. ``mark`` must be random.

    A tag of Claude Code's own in it is one no more.
    """
    return f"----- {mark} begin -----\n{_FORGED.sub('&lt;', text)}\n----- {mark} end -----"
