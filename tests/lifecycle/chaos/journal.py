"""The append-only log of a storm: what the workers themselves wrote, what the harness did, and what it saw.

One JSON object a line; lines come from many processes, each in one write. Never read by what is tested.
"""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class Journal:
    """The file, for the harness's own lines. Workers write theirs by themselves (``actor``)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def say(self, what: str, **more: Any) -> None:
        """Append a line. ``at`` is seconds of the clock that all processes of a machine share and nobody sets."""
        line = {"who": "harness", "what": what, "at": time.monotonic(), **more}
        os.write(self._file, (json.dumps(line, default=str) + "\n").encode())

    def close(self) -> None:
        os.close(self._file)


def digest(text: str | None) -> str | None:
    """Return what stands for a long text in a line."""
    return None if text is None else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read(path: Path) -> list[Line]:
    """Return all lines. A line that a killed process had begun would break the file: each is one write, so none is."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
