"""What the screen reads, behind a narrow protocol: a store in a file now, one behind HTTP later.

Owns the protocol and its form over a `Store`. Every call is one short read transaction and costs what it returns; no
call changes anything. Siblings come in the order of the screen: children oldest first, roots newest first.
"""

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Protocol

from store import browse, feed, tree
from store.browse import Link
from store.database import Reader, Store
from store.models import Job
from store.tree import StoreState

#: Ids that one page of siblings holds.
PAGE = 256


class Source(Protocol):
    """Where the screen's jobs come from.

    Each call may raise a StoreError. ``jobs`` may leave out what is not there yet: it is drawn as a blank row until a
    change brings it. What a call returns is never older than what an earlier call returned.
    """

    def ids(self, parent_id: int | None, *, after_id: int | None = None, skip: int = 0, limit: int = PAGE) -> list[int]:
        """Return ids of a job's children (None: of root jobs) behind ``after_id`` (None: from the first), less ``skip``."""
        ...

    def count(self, parent_id: int | None, *, after_id: int | None = None, before_id: int | None = None) -> int:
        """Return how many children of a job (None: root jobs) stand between these two (None: the first, the last)."""
        ...

    def jobs(self, ids: Collection[int]) -> list[Job]:
        """Return the jobs of these ids, in no order."""
        ...

    def job(self, job_id: int) -> Job:
        """Return one job. Raises NotFound."""
        ...

    def path(self, job_id: int) -> list[Job]:
        """Return the jobs from the root down to this one; nothing where there is no such job."""
        ...

    def links(self, ids: Collection[int]) -> list[Link]:
        """Return where these jobs hang and how many children each has, by id."""
        ...

    def older(self, before_id: int | None, limit: int) -> list[Job]:
        """Return jobs of all trees, newest first; ``before_id`` turns the page."""
        ...

    def questions(self, ids: Collection[int]) -> dict[int, str]:
        """Return the oldest open question of each of these jobs that has one."""
        ...

    def news(self, seq: int, limit: int, *, totals: bool = True) -> tuple[list[Job], StoreState | None]:
        """Return the jobs that changed after ``seq``, oldest change first, and the totals, both as they are now.

        Without ``totals`` there are some only where no job has changed.
        """
        ...

    def newest_seq(self) -> int:
        """Return the number of the newest change."""
        ...

    def state(self) -> StoreState:
        """Return the totals of the whole store."""
        ...

    def spent_usd(self, first_id: int | None = None, last_id: int | None = None) -> float:
        """Return the dollars of the trees with these roots (None: of all). Looks at every one: see `spending.Spent`."""
        ...


class Readable(Protocol):
    """What short reads can be made of: an open `Store`, or a copy of one."""

    def read(self) -> AbstractContextManager[Reader]:
        """Read one moment of it."""
        ...


class ReaderSource:
    """A `Source` over what can be read. That stays the caller's: to be used in this thread alone, and closed there."""

    def __init__(self, store: Readable) -> None:
        self._store = store

    def ids(self, parent_id: int | None, *, after_id: int | None = None, skip: int = 0, limit: int = PAGE) -> list[int]:
        """See `Source.ids`."""
        with self._store.read() as reader:
            return browse.sibling_ids(reader, parent_id, after_id, skip, limit)

    def count(self, parent_id: int | None, *, after_id: int | None = None, before_id: int | None = None) -> int:
        """See `Source.count`."""
        with self._store.read() as reader:
            return browse.count_siblings(reader, parent_id, after_id, before_id)

    def jobs(self, ids: Collection[int]) -> list[Job]:
        """See `Source.jobs`."""
        with self._store.read() as reader:
            return browse.jobs(reader, ids)

    def job(self, job_id: int) -> Job:
        """See `Source.job`."""
        with self._store.read() as reader:
            return tree.get_job(reader, job_id)

    def path(self, job_id: int) -> list[Job]:
        """See `Source.path`."""
        with self._store.read() as reader:
            return tree.path(reader, job_id)

    def links(self, ids: Collection[int]) -> list[Link]:
        """See `Source.links`."""
        with self._store.read() as reader:
            return browse.links(reader, ids)

    def older(self, before_id: int | None, limit: int) -> list[Job]:
        """See `Source.older`."""
        with self._store.read() as reader:
            return browse.older_jobs(reader, before_id, limit)

    def questions(self, ids: Collection[int]) -> dict[int, str]:
        """See `Source.questions`."""
        with self._store.read() as reader:
            return browse.questions(reader, ids)

    def news(self, seq: int, limit: int, *, totals: bool = True) -> tuple[list[Job], StoreState | None]:
        """See `Source.news`."""
        with self._store.read() as reader:
            jobs = feed.changed_since(reader, seq, limit)
            return jobs, tree.store_state(reader) if totals or not jobs else None

    def newest_seq(self) -> int:
        """See `Source.newest_seq`."""
        with self._store.read() as reader:
            return feed.newest_seq(reader)

    def state(self) -> StoreState:
        """See `Source.state`."""
        with self._store.read() as reader:
            return tree.store_state(reader)

    def spent_usd(self, first_id: int | None = None, last_id: int | None = None) -> float:
        """See `Source.spent_usd`."""
        with self._store.read() as reader:
            return browse.spent_usd(reader, first_id, last_id)


class StoreSource(ReaderSource):
    """A `Source` over an open store."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)

    def data_version(self) -> int:
        """Return a number that differs when another connection has committed; a broken store raises StoreError.

        `Store.data_version` lets SQLite's own errors through, which nobody above the store knows.
        """
        with self._store.read() as reader:
            return int(reader.value("PRAGMA data_version"))
