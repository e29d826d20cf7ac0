"""The one error of all that a user writes, and how it shows a wrong value; never prints, never exits."""

import reprlib

#: Characters of a wrong value that an error shows.
SHOWN_CHARS = 60

_short = reprlib.Repr()
_short.maxstring = _short.maxother = SHOWN_CHARS
_short.maxlevel = 1
_short.maxlist = _short.maxtuple = _short.maxdict = _short.maxset = 4


class RequestError(ValueError):
    """A request that can not be run as it is written.

    ``str(error)`` is one line: where (file or option, key), what is wrong, and what is allowed.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def one_line(text: str) -> str:
    """Return ``text`` without anything that a terminal could take for a line end or a command."""
    return "".join(char if char.isprintable() else " " for char in text)


def show(value: object) -> str:
    """Return ``value`` as a user would know it again, shortened; true, false and null as written."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > SHOWN_CHARS:
        return "a number that large"  # Python refuses to print the very large ones
    if isinstance(value, dict):
        return "a mapping"
    return _short.repr(value)
