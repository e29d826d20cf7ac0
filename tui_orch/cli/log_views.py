"""An attempt's log file and the ways of printing it: as it is, as clean text, or as a readable transcript."""

import codecs
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from store.states import Kind
from tui_orch.cli.transcript_view import entry_lines
from tui_orch.client.log_file import open_plain
from tui_orch.client.text import clean

_PIECE_BYTES = 65_536
#: A line of a transcript that is longer is shown as it is: nobody wrote it for reading.
_LONGEST_LINE = 4_000_000


class LogFile:
    """A file that a worker writes while it is read here. A file that is not there yet is empty.

    The worker's side could put a link or a pipe in its place: only a plain file is read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def pieces(self) -> Iterator[bytes]:
        """Yield what has been written since the last call."""
        if self._file is None:
            self._file = open_plain(self._path)
        while self._file is not None and (piece := os.read(self._file, _PIECE_BYTES)):
            yield piece

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class LogView(Protocol):
    """Prints a log piece by piece."""

    def feed(self, piece: bytes) -> None:
        """Print what can be printed of it, and keep the rest."""
        ...

    def end(self) -> None:
        """Print the rest."""
        ...


def log_view(kind: Kind, *, raw: bool) -> LogView:
    """Return how the log of a job of this kind is printed on stdout."""
    if raw:
        return _Raw()
    return _Output() if kind is Kind.COMMAND else _Transcript()


class _Raw:
    def feed(self, piece: bytes) -> None:
        sys.stdout.flush()
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()

    def end(self) -> None:
        """Nothing is kept."""


class _Output:
    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._ends_line = True
        self._return = ""

    def feed(self, piece: bytes) -> None:
        self._write(self._decoder.decode(piece))

    def end(self) -> None:
        self._write(self._decoder.decode(b"", final=True), last=True)
        if not self._ends_line:
            sys.stdout.write("\n")
            self._ends_line = True

    def _write(self, text: str, *, last: bool = False) -> None:
        text, self._return = self._return + text, ""
        if text.endswith("\r") and not last:  # the next piece may begin with its line end
            text, self._return = text[:-1], "\r"
        if text:
            sys.stdout.write(clean(text))
            sys.stdout.flush()
            self._ends_line = text.endswith("\n")


class _Transcript:
    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + self._decoder.decode(piece)).split("\n")
        for line in lines:
            self._print(line)
        sys.stdout.flush()

    def end(self) -> None:
        rest, self._rest = self._rest, ""
        if rest:
            self._print(rest)
        sys.stdout.flush()

    def _print(self, line: str) -> None:
        lines = [line]
        with suppress(ValueError, RecursionError):
            entry = json.loads(line) if len(line) <= _LONGEST_LINE else None
            if isinstance(entry, dict):
                lines = entry_lines(entry)
        for text in lines:
            print(clean(text))
