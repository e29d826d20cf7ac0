"""Upkeep of a store: a consistent copy while everything runs, and the removal of what ended trees have left on disk.

Rows are never removed: a tree's history and results stay. Never touches anything of a tree that has not ended.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from store.database import Reader, Store, Transaction
from store.errors import BadInput, StoreUnusable
from store.home import FILE_MODE, Home
from store.states import FINAL
from store.tree import get_job

_ENDED_BEFORE = """
SELECT id FROM jobs WHERE parent_id IS NULL AND ended_ms IS NOT NULL AND ended_ms < ? AND status IN ('completed', 'partial', 'failed', 'cancelled')
ORDER BY id
"""
#: Beginning of the name of a folder in the store into which `remove` puts what it then removes.
_ASIDE = "removed-"
_OF_TREE = "SELECT id FROM jobs WHERE root_id = ? ORDER BY id"


@dataclass(frozen=True, slots=True)
class Waste:
    """What an ended tree has left on disk: the folders of its jobs' attempts."""

    root_id: int
    folders: tuple[Path, ...]
    size_bytes: int


def back_up(store: Store, to: Path) -> int:
    """Write a consistent copy of the database to ``to`` (0600), whole or not at all. Return its bytes.

    Output and transcripts are files beside the database and are not in it. Raises BadInput where ``to`` exists or can
    not be written.
    """
    if os.path.lexists(to):
        raise BadInput(f"{to} exists; a backup never writes over anything, give another name")
    fresh = to.with_name(f".{to.name}.{os.getpid()}.new")
    try:
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
        try:
            store.copy_to(fresh)
            with fresh.open("rb") as file:
                os.fsync(file.fileno())
            os.link(fresh, to)  # unlike a rename, this fails where somebody was quicker
            size = to.stat().st_size
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(f"{to} can not be written: {error.strerror}") from error
    return size


def waste(reader: Reader, home: Home, before_ms: int) -> Iterator[Waste]:
    """Yield what trees that ended before ``before_ms`` have left on disk, oldest first."""
    for (root_id,) in reader.rows(_ENDED_BEFORE, (before_ms,)):
        folders = tuple(
            folder for (job_id,) in reader.rows(_OF_TREE, (root_id,)) if (folder := home.job_dir(job_id)).is_dir()
        )
        if folders:
            yield Waste(root_id, folders, sum(_size(folder) for folder in folders))


def remove(store: Store, found: Waste) -> bool:
    """Remove these folders; False where the tree was opened again meanwhile: then nothing is touched.

    They are put aside in the transaction that sees the tree ended, so that no retry can start a worker in one, and removed
    after it, so that no writer waits for that; what an interrupted removal has put aside goes too. Links in them are
    removed, never followed. Raises StoreUnusable.
    """
    try:
        with store.write() as tx:
            if get_job(tx, found.root_id).status not in FINAL:
                return False
            aside = tempfile.mkdtemp(prefix=_ASIDE, dir=store.home.root)
            for folder in found.folders:
                folder.rename(os.path.join(aside, folder.name))
        for put_aside in store.home.root.glob(f"{_ASIDE}*"):
            shutil.rmtree(put_aside, onerror=_unless_gone)
    except OSError as error:
        raise StoreUnusable(
            f"{error.filename} of tree #{found.root_id} can not be removed: {error.strerror}"
        ) from error
    return True


def _unless_gone(_do: object, _path: str, found: tuple[type[BaseException], BaseException, TracebackType]) -> None:
    if not isinstance(found[1], FileNotFoundError):  # somebody else removes it, too
        raise found[1]


def forget_names(tx: Transaction, before_ms: int) -> int:
    """Forget the names under which callers handed in what they did before then, and lends of attempts that are over."""
    gone = tx.run("DELETE FROM handed_in WHERE created_ms < ?", (before_ms,))
    tx.run(
        "DELETE FROM lends WHERE NOT EXISTS ("
        "SELECT 1 FROM jobs WHERE id = lends.job_id AND attempt = lends.attempt AND status = 'running')"
    )
    return gone


def _size(folder: Path) -> int:
    return sum(os.lstat(os.path.join(at, name)).st_size for at, _, names in os.walk(folder) for name in names)
