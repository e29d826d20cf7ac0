"""What is true when a storm is over: read once from the store, its files and the processes, as plain data."""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store import rows
from store.database import Store
from store.models import Attempt, Job, Tree
from tests.lifecycle.chaos.observer import Alive, Observer, living


@dataclass(frozen=True, slots=True)
class Facts:
    """The end of a storm. ``held``: why nothing may start in the store; ``open_asks`` and ``pending`` are job ids."""

    jobs: dict[int, Job]
    attempts: list[Attempt]
    trees: dict[int, Tree]
    mirror: dict[int, Job]
    integrity: tuple[str, ...]
    foreign_keys: int
    schema: tuple[str, ...]
    held: str | None
    modes: tuple[tuple[str, str], ...]  # path, what is wrong with it
    alive: tuple[Alive, ...]


def gather(store: Store, observer: Observer, folder: Path) -> Facts:
    """Look at everything once. No supervisor and no worker may run any more."""
    with store.read() as reader:
        jobs = [rows.job(row) for row in reader.rows(f"SELECT {rows.JOB_COLUMNS} FROM jobs")]
        attempts = [rows.attempt(row) for row in reader.rows(f"SELECT {rows.ATTEMPT_COLUMNS} FROM attempts")]
        trees = [rows.tree(row) for row in reader.rows(f"SELECT {rows.TREE_COLUMNS} FROM trees")]
        held = reader.value("SELECT coalesce(brake_reason, iif(paused_ms IS NULL, NULL, 'paused')) FROM store")
        integrity = tuple(str(row[0]) for row in reader.rows("PRAGMA integrity_check"))
        foreign_keys = len(reader.rows("PRAGMA foreign_key_check"))
    return Facts(
        jobs={job.id: job for job in jobs},
        attempts=attempts,
        trees={tree.root_id: tree for tree in trees},
        mirror=dict(observer.mirror),
        integrity=integrity,
        foreign_keys=foreign_keys,
        schema=tuple(store.schema_differences()),
        held=held,
        modes=tuple(_wrong_modes(store.home.root)),
        alive=tuple(living(folder, store.store_id)),
    )


def _wrong_modes(root: Path) -> list[tuple[str, str]]:
    wrong = []
    for path in (root, *root.rglob("*")):
        try:
            found = path.lstat().st_mode
        except FileNotFoundError:
            continue
        kind: Any = stat.S_IFMT(found)
        expected = 0o700 if kind == stat.S_IFDIR else 0o600
        if kind not in (stat.S_IFDIR, stat.S_IFREG, stat.S_IFSOCK):
            wrong.append((str(path), "is a link or a device"))
        elif stat.S_IMODE(found) & ~expected:
            wrong.append((str(path), oct(stat.S_IMODE(found))))
    return wrong
