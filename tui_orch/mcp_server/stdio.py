"""The lines of the protocol: standard input read so that a call is never lost to a character that JSON can not carry.

Half of a UTF-16 pair (``\\ud800``) is legal in JSON text, but the parser behind the protocol refuses the whole line, and
whoever called would wait for an answer for ever. It becomes U+FFFD here.
"""

import re
import sys
from typing import BinaryIO, TextIO, cast

import anyio

# An escape counts only behind an even number of backslashes; a high half followed by a low one is a character.
_ESCAPES = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_INSTEAD = r"\ufffd"


def repaired(line: str) -> str:
    """Return one line of JSON with U+FFFD for each lone half of a pair."""
    if "\\ud" not in line and "\\uD" not in line:
        return line
    return _ESCAPES.sub(lambda found: _INSTEAD if found["half"] else found[0], line)


class _Lines:
    """Text lines, repaired one by one: as much of a text file as the protocol uses of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readline(self) -> str:
        """Return the next line, empty at the end."""
        return repaired(self._stream.readline().decode("utf-8", "replace"))


def standard_input() -> "anyio.AsyncFile[str]":
    """Return standard input as the protocol reads it."""
    return anyio.wrap_file(cast(TextIO, _Lines(sys.stdin.buffer)))
