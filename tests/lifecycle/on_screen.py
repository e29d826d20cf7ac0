"""The app in a real terminal: a pty with a small emulator behind it, keys as bytes, and waiting on what is shown."""

import os
import re
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pyte
from at_work import PATIENCE_S, AtWork

COLUMNS, LINES = 120, 40
ENTER, ESCAPE, BACKSPACE, UP, DOWN, CTRL_S = "\r", "\x1b", "\x7f", "\x1b[A", "\x1b[B", "\x13"
#: Seconds without output after which a frame counts as whole: the screen draws at most every 0.125 s.
QUIET_S = 0.3
_MODE = re.compile(rb"\x1b\[\?(\d+)([hl])")
# pyte takes the end of these (the keyboard protocol of Textual) for text.
_NOT_OF_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-z]")
_UNFINISHED = re.compile(rb"\x1b(\[[<>=?]?[0-9;]*)?\Z")


class OnScreen:
    """A program in a terminal of its own, what it shows, and the keys a person presses."""

    def __init__(self, arguments: Sequence[str], cwd: Path, env: dict[str, str]) -> None:
        self._person, self._terminal = os.openpty()
        ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.attributes_before = self.attributes
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)
        self._said = b""
        self._unfed = b""
        self._changed = threading.Condition(threading.RLock())
        self._stop_read, self._stop = os.pipe()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        # A session leader that opens a terminal by its name gets it as the one that controls it, as in a login.
        self.process = subprocess.Popen(
            ["sh", "-c", 'tty=$1; shift; exec "$@" <"$tty" >"$tty" 2>&1', "sh", os.ttyname(self._terminal), *arguments],
            cwd=cwd,
            env=env | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
            start_new_session=True,
        )

    @property
    def attributes(self) -> list[Any]:
        """How the terminal treats keys and lines: echo, whole lines, signals."""
        return termios.tcgetattr(self._terminal)

    @property
    def modes(self) -> dict[int, bool]:
        """Each private mode that the program has ever switched, and whether it is on now."""
        with self._changed:
            return {int(mode): state == b"h" for mode, state in _MODE.findall(self._said)}

    @property
    def lines(self) -> list[str]:
        with self._changed:
            return list(self._screen.display)

    def press(self, keys: str) -> None:
        os.write(self._person, keys.encode())

    def until(self, look: Callable[[], object], what: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until ``look`` finds something; it is asked again whenever the program has drawn."""
        end = time.monotonic() + timeout_s
        with self._changed:
            while not look():
                left_s = end - time.monotonic()
                shown = "\n".join(self._screen.display)
                assert left_s > 0, f"never on the screen: {what}\n{shown}"
                assert self.process.poll() is None, (
                    f"the program ended ({self.process.returncode}) before: {what}\n{shown}"
                )
                self._changed.wait(min(left_s, 1.0))

    def until_shows(self, *words: str) -> None:
        """Wait until all these words are somewhere on the screen."""
        self.until(lambda: all(any(word in line for line in self.lines) for word in words), " and ".join(words))

    def until_row(self, job_id: int, *words: str) -> None:
        """Wait until a job's row of the tree has all these words."""
        self.until(lambda: all(word in self.row(job_id) for word in words), f"#{job_id}: {' and '.join(words)}")

    def row(self, job_id: int) -> str:
        """Return the row of a job in the tree, "" if it is not shown."""
        at = self._row_number(job_id)
        return "" if at is None else self.lines[at]

    def level(self, job_id: int) -> int:
        """Return the column in which a job's number stands in the tree."""
        return self.row(job_id).index(f"#{job_id} ")

    def go_to(self, job_id: int) -> None:
        """Bring the cursor to a job by ↑ and ↓, as long as it takes while the tree grows."""
        self.until_row(job_id, f"#{job_id}")
        while True:
            self._until_quiet()  # half a frame may show the cursor on another job than the whole one
            at, to = self._cursor_row(), self._row_number(job_id)
            if at == to:
                return
            self.press(DOWN if at is None or (to is not None and to > at) else UP)
            self._until_cursor_left(at)

    def _until_quiet(self) -> None:
        """Wait until the program has drawn nothing for a moment."""
        with self._changed:
            while self._changed.wait(QUIET_S):
                pass

    def until_ended(self) -> int:
        """Wait until the program has ended and the terminal has all that it said; return its exit code."""
        code = self.process.wait(PATIENCE_S)
        mark = b"end of the program"
        os.write(self._terminal, mark)  # comes after everything that the program has written
        end = time.monotonic() + PATIENCE_S
        with self._changed:
            while mark not in self._said:
                assert time.monotonic() < end, "the terminal never got what the program said"
                self._changed.wait(1.0)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)
        os.write(self._stop, b".")
        self._reader.join(PATIENCE_S)
        for descriptor in (self._person, self._terminal, self._stop_read, self._stop):
            os.close(descriptor)

    def _row_number(self, job_id: int) -> int | None:
        pattern = re.compile(rf"^\W*#{job_id} ")
        return next((at for at, line in enumerate(self.lines) if pattern.match(line)), None)

    def _cursor_row(self) -> int | None:
        """Return the row of the tree that has another background than most."""
        with self._changed:
            rows = [at for at, line in enumerate(self._screen.display) if re.match(r"^\W*#\d+ ", line)]
            colours = [self._screen.buffer[at][2].bg for at in rows]
        usual = Counter(colours).most_common(1)[0][0] if rows else None
        return next((at for at, colour in zip(rows, colours, strict=True) if colour != usual), None)

    def _until_cursor_left(self, row: int | None) -> None:
        self.until(lambda: self._cursor_row() != row, f"the cursor elsewhere than in line {row}")

    def _read(self) -> None:
        while True:
            ready, _, _ = select.select([self._person, self._stop_read], [], [])
            if self._stop_read in ready:
                return
            data = os.read(self._person, 65_536)
            with self._changed:
                self._said += data
                fed = self._unfed + data
                unfinished = _UNFINISHED.search(fed)
                self._unfed = fed[unfinished.start() :] if unfinished else b""
                self._stream.feed(_NOT_OF_PYTE.sub(b"", fed[: len(fed) - len(self._unfed)]))
                self._changed.notify_all()


@contextmanager
def on_screen(work: AtWork) -> Iterator[OnScreen]:
    """Run ``orch`` in the project's folder; what it leaves running (its supervisor) ends with the test."""
    screen = OnScreen([str(Path(sys.executable).parent / "orch")], work.project, work.env)
    try:
        yield screen
    finally:
        screen.close()
        work.orch("down", code=None)
