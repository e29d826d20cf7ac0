"""What the panes read of one job and its tree, behind narrow protocols: a store in a file now, one behind HTTP later.

Every call but those of a `Log` is one short, bounded read transaction. A `Log` knows no store: it may be read in
another thread, and is closed by whoever opened it.
"""

import os
import threading
from collections.abc import Collection
from typing import Protocol

from store import closeup, timed, use
from store.closeup import Child, Closeup
from store.database import Store
from store.models import Attempt, Change, Rule, Tree
from store.rules import rules_for
from store.states import Kind
from store.timed import TimedJob
from store.tree import get_tree
from store.use import TreeUse
from tui_orch.client.log_file import FILES, open_plain
from tui_orch.tui.source import Readable


class Log(Protocol):
    """What the worker of one attempt put out, growing while it works. ``size`` and ``read`` raise OSError.

    It may be closed while another thread reads it, which then finds nothing.
    """

    def size(self) -> int | None:
        """Return how many bytes there are; None while there is nothing at all."""
        ...

    def read(self, start: int, most: int) -> bytes:
        """Return at most so many bytes from ``start`` on."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class DetailSource(Protocol):
    """Where the detail of a job comes from. Each call may raise a StoreError."""

    def closeup(self, job_id: int) -> Closeup:
        """Return one job with its texts. Raises NotFound."""
        ...

    def ledger(self, job_id: int) -> list[Child]:
        """Return a job's first children."""
        ...

    def attempts(self, job_id: int) -> list[Attempt]:
        """Return a job's last attempts, the newest first."""
        ...

    def changes(self, job_id: int) -> list[Change]:
        """Return the last changes of a job's state, the newest first."""
        ...

    def limits(self, root_id: int) -> tuple[Tree, TreeUse]:
        """Return a tree's limits and what is used of them. Looks at every job of the tree. Raises NotFound."""
        ...

    def rules(self, job_id: int) -> list[Rule]:
        """Return the permission rules in force for a job, its own and those from above."""
        ...

    def log(self, job_id: int, attempt: int, kind: Kind) -> Log:
        """Return what an attempt put out. ``kind`` is not group."""
        ...


class TimelineSource(Protocol):
    """Where the picture of a tree over time comes from. Each call may raise a StoreError."""

    def root_of(self, job_id: int) -> int:
        """Return the root of a job's tree. Raises NotFound."""
        ...

    def timed(self, ids: Collection[int]) -> list[TimedJob]:
        """Return these jobs, by id."""
        ...

    def timed_below(self, parent_ids: Collection[int], limit: int, after_id: int = 0) -> list[TimedJob]:
        """Return children of these jobs by id; ``after_id`` turns the page."""
        ...


class ReaderDetailSource:
    """Both sources over what can be read, but for the logs. It stays the caller's: used in this thread alone."""

    def __init__(self, store: Readable) -> None:
        self._store = store

    def closeup(self, job_id: int) -> Closeup:
        """See `DetailSource.closeup`."""
        with self._store.read() as reader:
            return closeup.closeup(reader, job_id)

    def ledger(self, job_id: int) -> list[Child]:
        """See `DetailSource.ledger`."""
        with self._store.read() as reader:
            return closeup.ledger(reader, job_id)

    def attempts(self, job_id: int) -> list[Attempt]:
        """See `DetailSource.attempts`."""
        with self._store.read() as reader:
            return closeup.newest_attempts(reader, job_id)

    def changes(self, job_id: int) -> list[Change]:
        """See `DetailSource.changes`."""
        with self._store.read() as reader:
            return closeup.newest_changes(reader, job_id)

    def limits(self, root_id: int) -> tuple[Tree, TreeUse]:
        """See `DetailSource.limits`."""
        with self._store.read() as reader:
            return get_tree(reader, root_id), use.tree_use(reader, root_id)

    def rules(self, job_id: int) -> list[Rule]:
        """See `DetailSource.rules`."""
        with self._store.read() as reader:
            return rules_for(reader, job_id)

    def root_of(self, job_id: int) -> int:
        """See `TimelineSource.root_of`."""
        with self._store.read() as reader:
            return timed.root_of(reader, job_id)

    def timed(self, ids: Collection[int]) -> list[TimedJob]:
        """See `TimelineSource.timed`."""
        with self._store.read() as reader:
            return timed.timed(reader, ids)

    def timed_below(self, parent_ids: Collection[int], limit: int, after_id: int = 0) -> list[TimedJob]:
        """See `TimelineSource.timed_below`."""
        with self._store.read() as reader:
            return timed.timed_below(reader, parent_ids, limit, after_id)


class StoreDetailSource(ReaderDetailSource):
    """Both sources over an open store, whose logs are files beside it."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._home = store.home

    def log(self, job_id: int, attempt: int, kind: Kind) -> Log:
        """See `DetailSource.log`."""
        return _FileLog(str(self._home.attempt_dir(job_id, attempt) / FILES[kind]))


class _FileLog:
    """A log that is a plain file; one that is not there yet is looked for again.

    It may be closed while another thread reads: a descriptor that is closed would soon be another file's.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None
        self._closed = False
        self._lock = threading.Lock()

    def size(self) -> int | None:
        """See `Log.size`."""
        with self._lock:
            if self._file is None and not self._closed:
                self._file = open_plain(self._path)
            return None if self._file is None else os.fstat(self._file).st_size

    def read(self, start: int, most: int) -> bytes:
        """See `Log.read`."""
        with self._lock:
            return b"" if self._file is None else os.pread(self._file, most, start)

    def close(self) -> None:
        """See `Log.close`."""
        with self._lock:
            self._closed = True
            if self._file is not None:
                os.close(self._file)
                self._file = None
