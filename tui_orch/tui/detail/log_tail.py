"""The end of a log that grows, as lines: read in small steps from near its end, whatever its size and content.

Holds one unfinished line at most. Knows neither what the lines mean nor how they are drawn.
"""

from dataclasses import dataclass

from tui_orch.tui.detail.source import Log

#: Bytes that one step reads.
STEP_BYTES = 65_536
#: So many windows behind the end, it is better to begin anew near the end.
_TOO_FAR = 2


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line as it stands in the log, without its end. ``whole``: False for a piece of a line that was too long."""

    text: str
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """What one step found. With ``afresh`` all that was told before counts no more.

    ``unfinished`` is the line that has no end yet. ``skipped``: bytes before the first line, ``size``: of the whole
    log; None where there is none yet. ``more``: the next step would find something at once.
    """

    lines: tuple[RawLine, ...] = ()
    unfinished: bytes = b""
    afresh: bool = False
    skipped: int = 0
    size: int | None = None
    more: bool = False


class LogTail:
    """Reads a log from its last ``window`` bytes on. A line of more than ``longest`` bytes comes in pieces."""

    def __init__(self, log: Log, window: int, longest: int) -> None:
        self._log = log
        self._window = window
        self._longest = longest
        self._at = 0
        self._skipped = 0
        self._rest = b""
        self._cut = False  # the rest is what is left of a line of which pieces were told
        self._begun = False

    def step(self) -> Step:
        """Read a little more. Raises OSError."""
        size = self._log.size()
        if size is None:
            return Step()
        afresh = not self._begun or size < self._at or size - self._at > _TOO_FAR * self._window
        if afresh:
            self._begin(size)
        piece = self._log.read(self._at, STEP_BYTES) if size > self._at else b""
        self._at += len(piece)
        lines = self._lines(piece)
        more = bool(piece) and self._at < size
        return Step(tuple(lines), self._rest, afresh, self._skipped, size, more)

    def close(self) -> None:
        """Let go of the log."""
        self._log.close()

    def _begin(self, size: int) -> None:
        """Start near the end: behind the first line end there is, if one comes soon."""
        self._begun = True
        self._rest, self._cut = b"", False
        self._at = max(0, size - self._window)
        if self._at:
            found = self._log.read(self._at, min(STEP_BYTES, self._window)).find(b"\n")
            self._cut = found < 0
            self._at += found + 1
        self._skipped = self._at

    def _lines(self, piece: bytes) -> list[RawLine]:
        *whole, rest = (self._rest + piece).split(b"\n")
        found: list[RawLine] = []
        for text in whole:
            pieces = _pieces(text, self._longest)
            found += [RawLine(_decoded(part), len(pieces) == 1 and not self._cut) for part in pieces]
            self._cut = False
        *told, self._rest = _pieces(rest, self._longest)
        found += [RawLine(_decoded(part), False) for part in told]
        self._cut = self._cut or bool(told)
        return found


def _pieces(text: bytes, longest: int) -> list[bytes]:
    """Cut a line into pieces, none of which ends within a character of UTF-8."""
    found: list[bytes] = []
    at = 0
    while len(text) - at > longest:
        end = _before_character(text, at + longest, at)
        found.append(text[at:end])
        at = end
    return [*found, text[at:]]


def _before_character(text: bytes, at: int, least: int) -> int:
    for end in range(at, max(at - 4, least), -1):
        if text[end] & 0xC0 != 0x80:
            return end
    return at


def _decoded(text: bytes) -> str:
    return text.removesuffix(b"\r").decode("utf-8", "replace")
