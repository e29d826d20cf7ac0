"""Makes text that workers wrote fit for a terminal: nothing in it can move the cursor, hide, or change the order.

Pure, and the only place that knows which characters are dangerous. Everything that is printed passes here first.
"""

import re

#: Characters of one line that are looked at; a title or a line of activity is never longer.
_LINE_CHARS = 4_000
#: Combining marks in a row that a letter of any living script may need; more only smear over other lines.
_MARKS = 4

_ASCII_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Format characters (bidi controls, zero-width, tags), variation selectors and fillers: all that a reader can not see.
_UNSEEN = re.compile(
    "["
    "\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "]+"
)
_COMBINING = "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_SMEAR = re.compile(f"({_COMBINING}{{{_MARKS}}}){_COMBINING}+")
_JSON_RISKS = re.compile(f"{_CONTROL.pattern}|{_UNSEEN.pattern}")


def clean(text: str) -> str:
    """Return ``text`` with control characters made visible and unseen ones removed; line ends and tabs stay.

    ``ESC`` becomes ``␛``, a C1 character its code (``\\x9b``), half a UTF-16 pair ``�``.
    """
    text = text.replace("\r\n", "\n")
    if text.isascii():
        return _ASCII_CONTROL.sub(_visible, text)
    return _SMEAR.sub(r"\1", _UNSEEN.sub("", _CONTROL.sub(_visible, text)))


def one_line(text: str) -> str:
    """Return ``text`` cleaned and on one line, its beginning if it is very long."""
    return " ".join(clean(text[:_LINE_CHARS]).split())


def clean_json(text: str) -> str:
    """Return JSON that means the same, with every character that ``clean`` would change written as an escape."""
    return _JSON_RISKS.sub(lambda match: "".join(map(_escape, match[0])), text)


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if code <= 0x9F:
        return f"\\x{code:02x}"
    return "\n" if code <= 0x2029 else "\N{REPLACEMENT CHARACTER}"


def _escape(char: str) -> str:
    code = ord(char)
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
