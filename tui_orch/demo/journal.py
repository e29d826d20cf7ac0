"""The scripted model's log: a line of JSON for everything that happened to a request, in memory and in a
file.

Tests prove with it what was asked and paid for. It is written under a lock, a line at a time, and never
read back here.
"""

import json
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

What = Literal["held", "answered", "error", "dropped", "gone", "utility", "rejected"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a request.

    ``held``: it waits for the turn's file. Then it ends in one of: ``answered`` (the turn was sent: it is
    paid), ``error`` (the turn's ApiError), ``dropped`` (cut off on purpose), ``gone`` (the client
    left, or the model was closed, before it was answered), ``utility`` (a side call), ``rejected`` (no
    Messages API request).
    """

    time: float  # unix seconds
    what: What
    status: int  # of the HTTP answer; 0: none was given
    role: str | None  # the ``match`` of the role that played it
    turn: int  # which of the role's turns, from 0
    prompt: str  # first line of the conversation's first prompt
    session: str | None  # Claude Code's session id, where it told it


class Journal:
    """Collects entries and, if ``path`` is given, appends them to that file. Raises OSError from the file."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._file = path.open("a", encoding="utf-8") if path else None

    def add(self, what: What, status: int, *, role: str | None, turn: int, prompt: str, session: str | None) -> None:
        """Note an event that happened now."""
        with self._lock:
            entry = Entry(round(time.time(), 3), what, status, role, turn, prompt, session)
            self._entries.append(entry)
            if self._file:
                self._file.write(json.dumps(asdict(entry)) + "\n")
                self._file.flush()

    def entries(self) -> tuple[Entry, ...]:
        """All that happened so far, in order."""
        with self._lock:
            return tuple(self._entries)

    def close(self) -> None:
        """Close the file; nothing may be added afterwards."""
        with self._lock:
            if self._file:
                self._file.close()
