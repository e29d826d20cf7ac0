"""Where the time of a short command goes: CPU of each part of the system, for one no-op job.

    python benchmarks/cost.py [--quick] [--json]

One supervisor process of its own over a fresh store. The parts are the supervisor, the processes that run commands for it
(guards), and the commands themselves; at the end, beside them, a process that does nothing but start the same command. With
all cores busy, no more jobs a second are possible than cores over the sum; what is missing to that, somebody waits.
"""

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from supervised import supervised
from table import Row, Table, options, print_tables

from store.database import Store
from store.models import Limits, NewJob, NewTree
from store.states import FINAL, Kind
from store.submit import submit_tree
from store.tree import get_job
from tui_orch.client.poll import wait_for_change

WIDTHS = (2, 8)
COMMAND = ("true",)
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU so far, in seconds."""

    supervisor: float
    guards: float
    commands: float


def main() -> int:
    """Measure and print."""
    chosen = options(__doc__).parse_args()
    jobs = 50 if chosen.quick else 1500
    rows: list[Row] = []
    for width in WIDTHS[:1] if chosen.quick else WIDTHS:
        with tempfile.TemporaryDirectory(prefix="tui-orch-cost-") as name, supervised(Path(name), width) as running:
            store, process = running
            _run(store, Path(name), 3 * width, width)  # all that it loads is loaded, and the guards are there
            time.sleep(0.5)
            _run(store, Path(name), 3 * width, width)
            before, seconds = _spent(process.pid), _run(store, Path(name), jobs, width)
            after = _spent(process.pid)
        parts = [getattr(after, part) - getattr(before, part) for part in Spent.__slots__]
        rows.append(_row(f"{width} at once", [1000 * part / jobs for part in parts], jobs / seconds))
    rows.append(_row("starting the command, and nothing else", [0.0, *_bare(jobs)], None))
    notes = [f"{os.cpu_count()} cores; {jobs} jobs; a guard's CPU holds what the kernel does for it"]
    print_tables([Table("CPU of one no-op job, ms", rows, notes)], as_json=chosen.json)
    return 0


def _row(what: str, parts: list[float], rate: float | None) -> Row:
    supervisor, guards, commands = parts
    together = sum(parts)
    cores = os.cpu_count() or 1
    return {
        "what": what,
        "supervisor": f"{supervisor:.2f}",
        "guard": f"{guards:.2f}",
        "command": f"{commands:.2f}",
        "together": f"{together:.2f}",
        "possible, jobs/s": f"{1000 * cores / together:,.0f}",
        "jobs/s": "" if rate is None else f"{rate:,.0f}",
    }


def _run(store: Store, folder: Path, jobs: int, width: int) -> float:
    """Run so many no-op jobs as one tree; return the seconds that it took."""
    limits = Limits(max_workers=width, max_jobs=jobs + 1, max_children=jobs, timeouts_s=(PATIENCE_S,))
    items = tuple(NewJob("true", Kind.COMMAND, argv=COMMAND) for _ in range(jobs))
    began = time.monotonic()
    with store.write() as tx:
        root_id = submit_tree(tx, NewTree(NewJob("all", Kind.GROUP), items, limits, str(folder)), _now_ms())
    while True:
        seen = store.data_version()
        with store.read() as reader:
            root = get_job(reader, root_id)
        if root.status in FINAL:
            return time.monotonic() - began
        wait_for_change(store.data_version, seen, PATIENCE_S)


def _spent(pid: int) -> Spent:
    """Return what a supervisor and all below it have used; commands are what the guards have reaped."""
    supervisor = psutil.Process(pid)
    guards = [each.cpu_times() for each in supervisor.children(recursive=True)]
    own = supervisor.cpu_times()
    return Spent(
        own.user + own.system,
        sum(each.user + each.system for each in guards),
        sum(each.children_user + each.children_system for each in guards),
    )


def _bare(times: int) -> tuple[float, float]:
    """Start the command so often in turns; return the CPU (ms) of this process and of the command, for one."""
    before = os.times()
    for _ in range(times):
        os.waitpid(os.posix_spawnp(COMMAND[0], COMMAND, os.environ), 0)
    after = os.times()
    own = after.user + after.system - before.user - before.system
    commands = after.children_user + after.children_system - before.children_user - before.children_system
    return 1000 * own / times, 1000 * commands / times


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
