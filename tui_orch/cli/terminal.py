"""What the terminal at the other end can show, and the few colours in use. Reads the environment, prints nothing."""

import os
import shutil
from typing import TextIO

from store.states import Status

_RESET = "\x1b[0m"
DIM = "\x1b[2m"
_COLOURS = {
    Status.QUEUED: "\x1b[2m",
    Status.RUNNING: "\x1b[36m",
    Status.WAITING: "\x1b[34m",
    Status.COMPLETED: "\x1b[32m",
    Status.PARTIAL: "\x1b[33m",
    Status.FAILED: "\x1b[31m",
    Status.CANCELLED: "\x1b[35m",
}
#: Width of lines that go into a file or a pipe.
PLAIN_WIDTH = 120


def is_screen(stream: TextIO) -> bool:
    """Tell whether lines can be redrawn in place."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def has_colour(stream: TextIO) -> bool:
    """Tell whether colours may be used: on a terminal, and NO_COLOR is not set."""
    return is_screen(stream) and not os.environ.get("NO_COLOR")


def width(stream: TextIO) -> int:
    """Return how many cells a line may take."""
    return shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns if stream.isatty() else PLAIN_WIDTH


def paint(text: str, status: Status, *, colour: bool) -> str:
    """Return ``text``, which must be clean, in the colour of a state."""
    return f"{_COLOURS[status]}{text}{_RESET}" if colour else text


def dim(text: str, *, colour: bool) -> str:
    """Return ``text``, which must be clean, less prominent."""
    return f"{DIM}{text}{_RESET}" if colour and text else text
