"""A copy of a store that is elsewhere, to be read as if it were the store: filled with the pages of ``changed_rows``.

Lives in memory and, where it grows, in a file without a name that is gone with the process. Has the store's tables, indexes
and views, and none of its rules: nothing but the rows that came is ever in it. For one thread.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import apsw

from store import schema
from store.changed_rows import COLUMNS
from store.database import Reader
from store.errors import BadInput
from store.refusals import translate

_WHERE = "the copy of the store"
_PUT = {
    table: f"INSERT OR REPLACE INTO {table}({columns}) VALUES ({', '.join('?' * len(columns.split(', ')))})"
    for table, columns in COLUMNS.items()
}
# A copy has no tokens, but the column is there and wants something.
_PUT["attempts"] = (
    f"INSERT OR REPLACE INTO attempts({COLUMNS['attempts']}, token_sha256) "
    f"VALUES ({', '.join('?' * len(COLUMNS['attempts'].split(', ')))}, '')"
)
_TABLES = tuple(COLUMNS)
_JOB_ID = COLUMNS["jobs"].split(", ").index("id")


class Replica:
    """``take`` what came, ``read`` as with a `Store`. All up to ``seq`` is there; ``store_id`` is None before the first page."""

    def __init__(self) -> None:
        self.store_id: str | None = None
        self.seq = 0
        self.mark = ""
        self._connection = apsw.Connection("")  # SQLite's own way of a file that nobody else can open
        with self._translated():
            schema.migrate(self._connection)
            for (name,) in self._connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
                self._connection.execute(f"DROP TRIGGER {name}")
            self._connection.pragma("journal_mode", "memory")
            self._connection.pragma("synchronous", "off")

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Read what is there."""
        with self._translated():
            yield Reader(self._connection)

    def take(self, store_id: str, seq: int, mark: str, tables: Mapping[str, Sequence[Sequence[Any]]]) -> None:
        """Put a page in, all of it or nothing. Raises BadInput where it does not follow the one before: see `follows`."""
        if not self.follows(store_id, seq):
            raise BadInput("the page is of another store, or older than what is here")
        with self._translated(), self._connection:
            for table in _TABLES:
                found = tables.get(table, ())
                if table == "jobs" and found:  # all that is open and in force comes along
                    ids = [(row[_JOB_ID],) for row in found]
                    self._connection.executemany("DELETE FROM asks WHERE job_id = ?", ids)
                    self._connection.executemany("DELETE FROM rules WHERE job_id = ?", ids)
                if found:
                    self._connection.executemany(_PUT[table], [tuple(row) for row in found])
            self._connection.execute("UPDATE store SET seq = ?", (seq,))
        self.store_id, self.seq, self.mark = store_id, seq, mark

    def follows(self, store_id: str, seq: int) -> bool:
        """Tell whether a page of this store, up to this number, can be put in; otherwise `clear` and begin with 0."""
        return self.store_id in (None, store_id) and seq >= self.seq

    def clear(self) -> None:
        """Forget everything."""
        with self._translated(), self._connection:
            for table in _TABLES:
                if table not in ("store", "settings"):  # one row each, which readers take for granted
                    self._connection.execute(f"DELETE FROM {table}")
            self._connection.execute("UPDATE store SET seq = 0")
        self.store_id, self.seq, self.mark = None, 0, ""

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            raise translate(error, _WHERE) from error
