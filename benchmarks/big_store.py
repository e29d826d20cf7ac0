"""Makes stores with very many jobs for benchmarks: bulk inserts with the triggers off, and what they count filled in.

Trees of 1,000 jobs: a root, 9 children, 90 below them, 900 below those. In the newest tree some jobs run and wait. A
store is made once for each schema and kept in the folder for temporary files.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import apsw

from store.database import Store
from store.home import Home
from store.schema import migrations

TREE_JOBS = 1_000
_FANS = (9, 10, 10)
_INSERT = """
INSERT INTO jobs(id, parent_id, root_id, depth, batch, kind, title, request, status, reason, attempt, waiting_for, result,
  children, open_children, created_ms, changed_ms, started_ms, ended_ms, activity, activity_ms, cost_usd, subtree_cost_usd,
  tokens, subtree_tokens, seq)
VALUES (?, ?, ?, ?, 1, 'claude', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def big_store(jobs: int) -> Home:
    """Return a store with about so many jobs (whole trees), made now or earlier."""
    trees = max(1, jobs // TREE_JOBS)
    schema = sha256("".join(migrations()).encode()).hexdigest()[:8]
    home = Home(Path(tempfile.gettempdir()) / f"tui-orch-benchmark-{trees * TREE_JOBS}-{schema}" / ".orch")
    done = home.root / "filled"
    if not done.exists():
        Store.open(home, create=True).close()
        _fill(home, trees)
        done.touch()
    return home


@contextmanager
def copy_of(home: Home) -> Iterator[Home]:
    """Give a copy of a store to write to."""
    with tempfile.TemporaryDirectory(prefix="tui-orch-benchmark-copy-") as folder:
        shutil.copytree(home.root, Path(folder) / ".orch", ignore=shutil.ignore_patterns("*.sock"))
        yield Home(Path(folder) / ".orch")


def _fill(home: Home, trees: int) -> None:
    connection = apsw.Connection(str(home.database))
    connection.pragma("synchronous", "OFF")
    connection.pragma("cache_size", -200_000)
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    with connection:
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.executemany(_INSERT, _rows(trees, time.time_ns() // 1_000_000))
        connection.execute(
            "INSERT INTO trees(root_id, max_depth, max_jobs, max_children, max_workers, max_attempts, timeouts_s, jobs, "
            "work_dir, permission_mode, park_after_s) "
            "SELECT id, 5, 100000, 10000, 1000, 2, '[86400]', ?, '', 'acceptEdits', 300 FROM jobs WHERE parent_id IS NULL",
            (TREE_JOBS,),
        )
        connection.execute("INSERT INTO status_counts SELECT root_id, status, count(*) FROM jobs GROUP BY 1, 2")
        connection.execute("INSERT INTO status_counts SELECT 0, status, count(*) FROM jobs GROUP BY 2")
        connection.execute("UPDATE store SET seq = (SELECT max(seq) FROM jobs)")
        for _, sql in triggers:
            connection.execute(str(sql))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()


def _rows(trees: int, now_ms: int) -> Iterator[tuple[object, ...]]:
    next_id = 1
    for tree in range(trees):
        root_id = next_id
        level: list[tuple[int, int | None]] = [(root_id, None)]
        next_id += 1
        for depth in range(len(_FANS) + 1):
            fan = _FANS[depth] if depth < len(_FANS) else 0
            below: list[tuple[int, int | None]] = []
            for job_id, parent_id in level:
                is_new = tree == trees - 1
                status = _status(job_id, depth) if is_new else "completed"
                yield _row(job_id, parent_id, root_id, depth, fan, status, now_ms)
                below += [(next_id + number, job_id) for number in range(fan)]
                next_id += fan
            level = below


def _status(job_id: int, depth: int) -> str:
    if depth < len(_FANS):
        return "waiting"
    return ("completed", "completed", "running", "queued")[job_id % 4]


def _row(
    job_id: int, parent_id: int | None, root_id: int, depth: int, fan: int, status: str, now_ms: int
) -> tuple[object, ...]:
    ended = status == "completed"
    started = status != "queued"
    return (
        job_id,
        parent_id,
        root_id,
        depth,
        f"Part {job_id} of the work: look through src/module_{job_id % 97}.py",
        f"Look through src/module_{job_id % 97}.py and write down what is wrong with it. " * 6,
        status,
        "children" if status == "waiting" else None,
        1 if started else 0,
        "children" if status == "waiting" else None,
        "Found three places where a file is opened and not closed." if ended else None,
        fan,
        0 if ended else fan,
        now_ms - 900_000,
        now_ms - 600_000,
        now_ms - 800_000 if started else None,
        now_ms - 600_000 if ended else None,
        f"Read src/module_{job_id % 97}.py" if started else None,
        now_ms - 600_000 if started else None,
        0.01,
        0.01 * (1 + fan),
        1_200,
        1_200 * (1 + fan),
        job_id,
    )
