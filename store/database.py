"""Opens the store and gives transactions on it: reads see one moment, writes queue fairly and are all or nothing.

Owns the one connection of a process to the file, the lock by which writers queue, and the pragmas. Holds no rule of the
job tree. Uses the SQLite that apsw carries, and nothing else in the process may open the file with another library: the
POSIX locks of two SQLite libraries undo each other.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import ne
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import apsw

from store import schema
from store.errors import BadInput, StoreDamaged, StoreUnusable
from store.home import FILE_MODE, Home, check_files, check_folder, create_home
from store.refusals import translate
from store.wake import poke
from store.write_queue import in_turn, open_lock

BUSY_TIMEOUT_MS = 30_000
#: Compiled statements that a connection keeps. apsw's cache is a ring: each use takes the next place in it and puts out what
#: stood there, so with its 100 places a statement is gone after 100 others; with the triggers one takes up to 3 ms to compile.
STATEMENTS = 1_000
#: Pages that a copy takes between two looks at whether the source has changed; all at once is one moment for sure.
_COPY_PAGES = -1


class Reader:
    """Reads within one transaction. Rows are tuples; every query is read to its end, so no cursor pins a snapshot."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, args: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows. Text that is not UTF-8, which plain SQL can bring in, comes with U+FFFD in its place."""
        try:
            return self._execute(sql, args)
        except UnicodeDecodeError:
            return self._read_broken_text(sql, args)

    def row(self, sql: str, args: Sequence[Any] | dict[str, Any] = ()) -> tuple[Any, ...] | None:
        """Return the first row or None."""
        rows = self.rows(sql, args)
        return rows[0] if rows else None

    def value(self, sql: str, args: Sequence[Any] | dict[str, Any] = ()) -> Any:
        """Return the first column of the first row, or None."""
        row = self.row(sql, args)
        return row[0] if row else None

    def _execute(self, sql: str, args: Sequence[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
        if any(map(ne, args, args)):  # only NaN is not itself; SQLite would store NULL
            raise BadInput("a number is not a number (NaN)")
        try:
            return self._connection.execute(sql, args).fetchall()
        except UnicodeEncodeError as error:
            raise BadInput(f"text that is not valid Unicode can not be stored (character {error.start})") from error
        except OverflowError as error:
            raise BadInput("a number is too large to be stored; allowed: 64 bits") from error

    def _read_broken_text(self, sql: str, args: Sequence[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
        (empty,) = self._execute(f"SELECT found.* FROM (SELECT 1) LEFT JOIN ({sql}) AS found ON false", args)
        names = [f"c{number}" for number in range(len(empty))]
        raw = ", ".join(f"CASE typeof({name}) WHEN 'text' THEN CAST({name} AS BLOB) ELSE {name} END" for name in names)
        found = self._execute(f"WITH found({', '.join(names)}) AS ({sql}) SELECT {raw} FROM found", args)
        return [
            tuple(value.decode(errors="replace") if isinstance(value, bytes) else value for value in row)
            for row in found
        ]


class Transaction(Reader):
    """A write transaction: it can read what it wrote; all of it is committed, or nothing."""

    def run(self, sql: str, args: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Run one statement and return how many rows it changed itself (triggers not counted)."""
        self._execute(sql, args)
        return self._connection.changes()

    def insert(self, sql: str, args: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Run one INSERT and return the new row's id."""
        (row,) = self._execute(f"{sql} RETURNING rowid", args)
        return int(str(row[0]))


class Store:
    """A store that is open in this process. Use it from one thread at a time."""

    def __init__(self, home: Home, connection: apsw.Connection) -> None:
        self.home = home
        self._connection = connection
        with self._translated():
            self.store_id = str(connection.execute("SELECT store_id FROM store").fetchall()[0][0])
        self._lock_fd = open_lock(home.write_lock)
        self._file = _identity(home)
        #: Whether a commit wakes the supervisor at once; False for its own: it would wake itself.
        self.pokes = True

    @classmethod
    def open(cls, home: Home, *, create: bool = False) -> Self:
        """Open the store at ``home``; with ``create``, make it first where nothing is.

        Raises StoreUnusable: nothing there, others may read it, damaged, foreign, or from a newer version.
        """
        if create:
            create_home(home)
        check_folder(home)
        with _file_lock(home):
            if not home.database.exists():
                if not create or _has_remains(home):
                    raise StoreUnusable(_missing(home, create))
                _create_database(home)
            check_files(home)
            connection = _connect(home)
        try:
            return cls(home, connection)
        except BaseException:
            connection.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Read one moment of the store. Raises StoreDamaged where its file is not in its place any more."""
        self._check_place()
        with self._translated():
            self._connection.execute("BEGIN").fetchall()
            try:
                yield Reader(self._connection)
            finally:
                # Unlike COMMIT this can not fail and leave the transaction open for good.
                self._connection.execute("ROLLBACK").fetchall()

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Change the store: commits at the end of the block, rolls back on any exception.

        Raises StoreBusy (StoreFull) where trying again is right, StoreDamaged where its file is not in its place any more.
        """
        with self._translated(), in_turn(self.home.write_lock, self._lock_fd):
            self._check_place()  # what is written into a file that was deleted is lost
            self._connection.execute("BEGIN IMMEDIATE").fetchall()
            try:
                yield Transaction(self._connection)
                self._connection.execute("COMMIT").fetchall()
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK").fetchall()
                raise
        if self.pokes:
            poke(self.home.wake_socket)

    def data_version(self) -> int:
        """Return a number that differs when any other connection has committed since it was asked last."""
        self._check_place()
        with self._translated():
            return int(str(self._connection.pragma("data_version")))

    def schema_version(self) -> int:
        """Return a number that differs when anyone has changed a table, trigger or view, in whatever way (0.05 ms)."""
        with self._translated():  # PRAGMA schema_version stays the same when sqlite_schema itself is written to
            return hash(schema.text(self._connection))

    def schema_differences(self) -> list[str]:
        """Return what in the file is not as this version ships it; empty when the rules are in force."""
        with self._translated():
            return schema.differences(schema.objects(self._connection))

    def copy_to(self, path: Path) -> None:
        """Write one moment of the database into the empty file ``path``, while others go on. See ``upkeep.back_up``."""
        with self._translated():
            copy = apsw.Connection(str(path))
            try:
                with copy.backup("main", self._connection, "main") as backup:
                    while not backup.done:
                        backup.step(_COPY_PAGES)
                copy.pragma("journal_mode", "delete")  # a copy is one file
            finally:
                copy.close()

    def close(self) -> None:
        """Close the file; the store can not be used afterwards."""
        self._connection.close()
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_place(self) -> None:
        if _identity(self.home) != self._file:
            raise StoreDamaged(
                f"{self.home.database} is not the file that was opened: it was deleted, moved or replaced"
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            raise translate(error, str(self.home.database)) from error


@contextmanager
def _file_lock(home: Home) -> Iterator[None]:
    lock = open_lock(home.write_lock)
    try:
        with in_turn(home.write_lock, lock):
            yield
    finally:
        os.close(lock)


def _identity(home: Home) -> tuple[int, int] | None:
    """Tell one file from another; None where there is none."""
    try:
        found = os.lstat(home.database)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _has_remains(home: Home) -> bool:
    return (home.root / "jobs").exists() or home.database.is_symlink() or os.path.lexists(f"{home.database}-wal")


def _missing(home: Home, create: bool) -> str:
    if create:
        return (
            f"{home.database} is gone, but other parts of the store are there; restore a copy or move {home.root} away"
        )
    return f"there is no store at {home.root}; start one with: orch run"


def _create_database(home: Home) -> None:
    """Make the file under another name first, so that an unfinished one is never taken for a store."""
    fresh = home.database.with_name("orch.db.new")
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_MODE))
    try:
        connection = apsw.Connection(str(fresh))
        connection.pragma("journal_mode", "wal")
        schema.migrate(connection)
        connection.close()
    except apsw.Error as error:
        raise translate(error, str(home.database)) from error
    fresh.rename(home.database)


def _connect(home: Home) -> apsw.Connection:
    where = str(home.database)
    if home.database.stat().st_size == 0:
        raise StoreUnusable(f"{where} is empty (0 bytes), which a store never is; restore a copy, it is left as it is")
    umask = os.umask(0o077)
    try:
        connection = apsw.Connection(where, flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=STATEMENTS)
        try:
            _prepare(connection, where)
        except BaseException:
            connection.close()
            raise
    except apsw.Error as error:
        raise translate(error, where) from error
    finally:
        os.umask(umask)
    return connection


def _prepare(connection: apsw.Connection, where: str) -> None:
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    schema.mark(connection)
    _check_identity(connection, where)
    for name, value in (
        ("journal_mode", "wal"),  # a copy made with VACUUM INTO has lost it
        ("foreign_keys", True),
        ("synchronous", "FULL"),
        ("journal_size_limit", 67_108_864),
    ):
        connection.pragma(name, value)
    schema.migrate(connection)


def _check_identity(connection: apsw.Connection, where: str) -> None:
    if connection.pragma("application_id") != schema.APPLICATION_ID:
        raise StoreUnusable(f"{where} is not a store of tui-orch; move it away or use --home")
    version, known = int(str(connection.pragma("user_version"))), len(schema.migrations())
    if version > known:
        raise StoreUnusable(f"{where} has schema version {version}, this tui-orch knows {known}; update tui-orch")
    connection.execute("SELECT store_id FROM store").fetchall()  # before anything is written into what may not be ours
