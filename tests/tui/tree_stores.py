"""Stores for the tests of the tree, and the tree rebuilt from a store from scratch: what the rows have to be."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store import claim, rows, settings
from store.database import Store
from store.home import Home
from store.models import Fence, Job
from store.states import Kind, Status
from tui_orch.tui.sorting import Sort, key

NOW_MS = 1_700_000_000_000


def make_job(**values: Any) -> Job:
    """A job that stands in no store: queued and empty, but for ``values``."""
    empty = dict.fromkeys(Job.__dataclass_fields__)
    numbers = dict.fromkeys(
        [
            "depth",
            "priority",
            "attempt",
            "tries",
            "children",
            "open_children",
            "open_asks",
            "created_ms",
            "changed_ms",
            "tokens",
            "subtree_tokens",
            "seq",
        ],
        0,
    )
    texts = {"title": "job", "request": "x", "kind": Kind.CLAUDE, "status": Status.QUEUED, "denials": ()}
    flags = dict.fromkeys(("delivered", "lending", "wants_slot"), False)
    money = {"cost_usd": 0.0, "subtree_cost_usd": 0.0}
    return Job(**{**empty, **numbers, **texts, **flags, **money, "id": 1, "root_id": 1, **values})


def open_store(folder: Path) -> Store:
    """A new store whose limits let a test insert what it likes."""
    store = Store.open(Home(folder / ".orch"), create=True)
    with store.write() as tx:
        tx.run("UPDATE settings SET max_workers_ceiling = 1000, slots = 1000")
        settings.set_setting(tx, "max_depth", 5)
        settings.set_setting(tx, "max_jobs", 100_000)
        settings.set_setting(tx, "max_children", 10_000)
        settings.set_setting(tx, "max_workers", 1_000)
    return store


def add_job(store: Store, parent_id: int | None = None, title: str = "job") -> int:
    """Insert one job as anyone may, with plain SQL."""
    return add_jobs(store, parent_id, 1, title)[0]


def add_jobs(store: Store, parent_id: int | None, count: int, title: str = "job") -> list[int]:
    """Insert many jobs in one transaction."""
    with store.write() as tx:
        number = int(tx.value("SELECT count(*) FROM jobs"))
        sql = "INSERT INTO jobs(parent_id, request, title, created_ms) VALUES (?, ?, ?, ?)"
        return [
            tx.insert(sql, (parent_id, f"request {number + more}", title, NOW_MS + number + more))
            for more in range(count)
        ]


def start(store: Store, job_id: int, now_ms: int = NOW_MS) -> Fence:
    """Let an attempt of a job begin."""
    with store.write() as tx:
        return claim.start_attempt(tx, job_id, claim.token_hash(f"{job_id}"), now_ms)


def change(store: Store, sql: str, *args: Any) -> None:
    """Run any statement, as a person with sqlite3 would."""
    with store.write() as tx:
        tx.run(sql, args)


def plant_many(store: Store, trees: int) -> None:
    """Insert so many root jobs with one child each, the quick way: with the triggers off."""
    with store.write() as tx:
        triggers = tx.rows("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        for name, _ in triggers:
            tx.run(f"DROP TRIGGER {name}")
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        columns = "id, parent_id, root_id, depth, title, request, status, children, created_ms, changed_ms, seq"
        tx.run(
            f"INSERT INTO jobs({columns}) {numbers} "
            f"SELECT i, NULL, i, 0, 'root', 'x', 'completed', 1, {NOW_MS}, {NOW_MS}, i FROM n",
            (trees,),
        )
        tx.run(
            f"INSERT INTO jobs({columns}) {numbers} "
            f"SELECT i + ?, i, i, 1, 'child', 'x', 'completed', 0, {NOW_MS}, {NOW_MS}, i + ? FROM n",
            (trees, trees, trees),
        )
        tx.run("INSERT INTO status_counts SELECT 0, status, count(*) FROM jobs GROUP BY status")
        tx.run("UPDATE store SET seq = ?", (2 * trees,))
        for _, sql in triggers:
            tx.run(str(sql))


def all_jobs(store: Store) -> list[Job]:
    """Read every job."""
    with store.read() as reader:
        return [rows.job(row) for row in reader.rows(f"SELECT {rows.JOB_COLUMNS} FROM jobs")]


@dataclass(frozen=True)
class Seen:
    """One row, as it has to be."""

    job_id: int
    depth: int


def rebuilt(
    jobs: Collection[Job],
    unfolded: Collection[int],
    sort: Sort = Sort.ID,
    matches: Callable[[Job], bool] | None = None,
) -> list[Seen]:
    """Return the rows that a tree made from these jobs alone has."""
    by_id = {job.id: job for job in jobs}
    kept = set(by_id)
    if matches is not None:
        kept = set()
        for job in jobs:
            above: Job | None = job if matches(job) else None
            while above is not None:
                kept.add(above.id)
                above = None if above.parent_id is None else by_id[above.parent_id]
    below: dict[int | None, list[Job]] = {}
    for job in jobs:
        if job.id in kept:
            below.setdefault(job.parent_id, []).append(job)
    found: list[Seen] = []

    def walk(parent_id: int | None, depth: int) -> None:
        siblings = below.get(parent_id, [])
        siblings.sort(key=lambda job: (key(job, sort), -job.id if parent_id is None else job.id))
        for job in siblings:
            found.append(Seen(job.id, depth))
            if job.id in unfolded:
                walk(job.id, depth + 1)

    walk(None, 0)
    return found
