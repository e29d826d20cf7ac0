"""A terminal of 120x40 that nobody looks at: starts a scenario in it, takes what it draws, at any speed.

Owns the pty. The program draws as on a real one: whatever makes a frame is made and sent.
"""

import json
import os
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Mapping
from fcntl import ioctl
from pathlib import Path
from struct import pack

COLUMNS, LINES = 120, 40
#: Bytes taken at once, where the speed is limited.
_PORTION = 200


class Terminal:
    """Takes all at once, or ``bytes_per_s``."""

    def __init__(self, bytes_per_s: int | None = None) -> None:
        self._bytes_per_s = bytes_per_s
        #: What was taken, with its moment in nanoseconds since 1970; kept for a limited speed alone.
        self.taken: list[tuple[bytes, int]] = []

    def run(self, scenario: str, root: Path, environ: Mapping[str, str] | None = None) -> dict[str, float]:
        """Run a scenario to its end and return what it measured."""
        person, terminal = os.openpty()
        ioctl(terminal, termios.TIOCSWINSZ, pack("HHHH", LINES, COLUMNS, 0, 0))
        with tempfile.TemporaryDirectory(prefix="tui-orch-benchmark-result-") as folder:
            result = Path(folder) / "result.json"
            script = str(Path(__file__).with_name("in_terminal.py"))
            drain = threading.Thread(target=self._drain, args=(person,), daemon=True)
            drain.start()
            process = subprocess.Popen(
                [sys.executable, script, scenario, str(root), str(result)],
                stdin=terminal,
                stdout=terminal,
                stderr=terminal,
                env={
                    **os.environ,
                    **(environ or {}),
                    "BEGIN": str(time.time()),
                    "TERM": "xterm-256color",
                    "COLORTERM": "truecolor",
                    "TEXTUAL_ANIMATIONS": "none",
                },
                start_new_session=True,
            )
            os.close(terminal)
            code = process.wait()
            drain.join()
            os.close(person)
            if code or not result.exists():
                raise RuntimeError(f"{scenario} ended with {code}:\n{self._tail.decode(errors='replace')}")
            found: dict[str, float] = json.loads(result.read_text())
        return found

    _tail = b""

    def _drain(self, person: int) -> None:
        due = time.monotonic()
        while True:
            try:
                data = os.read(person, _PORTION if self._bytes_per_s else 65_536)
            except OSError:  # nobody has the other end any more
                return
            self._tail = (self._tail + data)[-4_000:]
            if self._bytes_per_s:
                self.taken.append((data, time.time_ns()))
                due = max(due, time.monotonic() - 0.1) + len(data) / self._bytes_per_s
                time.sleep(max(0.0, due - time.monotonic()))
