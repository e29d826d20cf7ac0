"""Where the notes are kept: one SQLite file, or ``:memory:``. Knows nothing of HTTP."""

from __future__ import annotations

import sqlite3
import threading
from typing import Any

Note = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS notes (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    body TEXT NOT NULL DEFAULT '',
    changed_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);
"""


class NoteStore:
    """One connection for all threads, one at a time."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(SCHEMA)

    def add(self, title: str, body: str) -> Note:
        """Keep a new note and return it with its id."""
        return self._one("INSERT INTO notes (title, body) VALUES (?, ?) RETURNING *", (title, body)) or {}

    def get(self, note_id: int) -> Note | None:
        """The note, or None."""
        return self._one("SELECT * FROM notes WHERE id = ?", (note_id,))

    def all(self) -> list[Note]:
        """Every note, the newest first."""
        return self._rows("SELECT * FROM notes ORDER BY id DESC", ())

    def change(self, note_id: int, title: str, body: str) -> Note | None:
        """Replace a note's text. None: there is no such note."""
        return self._one(
            "UPDATE notes SET title = ?, body = ?, changed_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"
            " WHERE id = ? RETURNING *",
            (title, body, note_id),
        )

    def delete(self, note_id: int) -> bool:
        """Delete a note. False: there was none."""
        return self._one("DELETE FROM notes WHERE id = ? RETURNING id", (note_id,)) is not None

    def find(self, words: str) -> list[Note]:
        """The notes that hold the words in their title or body, whatever the case."""
        like = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        return self._rows(
            "SELECT * FROM notes WHERE title LIKE ? ESCAPE '\\' OR body LIKE ? ESCAPE '\\' ORDER BY id DESC",
            (like, like),
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _rows(self, sql: str, args: tuple[object, ...]) -> list[Note]:
        with self._lock, self._db:
            return [dict(row) for row in self._db.execute(sql, args).fetchall()]

    def _one(self, sql: str, args: tuple[object, ...]) -> Note | None:
        return next(iter(self._rows(sql, args)), None)
