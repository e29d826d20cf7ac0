"""What is used while nothing happens: the idle supervisor, parents that wait, commands that run.

    python benchmarks/rest.py [--quick] [--json]

One supervisor process of its own over a fresh store. CPU is that of all its threads. Memory of a process is its USS: what
would come free if it ended; the resident size, in which shared libraries are counted for everybody, is told beside it.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from judged import at_most
from supervised import run_together, supervised
from table import Row, Table, options, print_tables

from store import control
from store.claim import claim, start_attempt
from store.database import Store
from store.finish import suspend
from store.models import Limits, NewJob, NewTree, Usage
from store.states import Kind
from store.submit import spawn, submit_tree

MOST_CPU_PERCENT, MOST_IDLE_MB, MOST_COMMAND_MB = 0.3, 60.0, 5.0
#: What one page of noise in a figure that is to be 0 may come to (MB).
NOTHING_MB = 0.01
PATIENCE_S = 60.0
_MB = 1e6


def main() -> int:
    """Measure and print."""
    chosen = options(__doc__).parse_args()
    seconds, parents, commands = (0.5, 20, 2) if chosen.quick else (20.0, 500, 20)
    with tempfile.TemporaryDirectory(prefix="tui-orch-rest-") as name:
        folder = Path(name)
        with supervised(folder, slots=commands + 1) as (store, process):
            run_together(store, folder, ("true",) * 3)  # all that it loads is loaded
            supervisor = psutil.Process(process.pid)
            _still(supervisor)
            cpu_percent = _cpu_percent(supervisor, seconds)
            idle, resident = supervisor.memory_full_info().uss / _MB, supervisor.memory_info().rss / _MB
            waiting = _per_waiting_parent(store, supervisor, folder, parents)
            own = _per_command(store, supervisor, folder, commands)
    rows: list[Row] = [
        at_most("the idle supervisor: CPU", cpu_percent, MOST_CPU_PERCENT, "% of a core"),
        at_most("the idle supervisor: memory, resident", resident, MOST_IDLE_MB, "MB"),
        at_most("a parent that waits: processes", waiting[0], 0),
        at_most("a parent that waits: memory", waiting[1], NOTHING_MB, "MB"),
        at_most("a running command: memory of its worker", own, MOST_COMMAND_MB, "MB"),
    ]
    notes = [
        f"idle for {seconds:g} s; the supervisor's own memory (USS) is {idle:.1f} MB",
        f"{parents} parents that wait for a child each; {commands} commands that run, without the `sleep` itself",
    ]
    print_tables([Table("At rest", rows, notes)], as_json=chosen.json)
    return 0


def _cpu_percent(process: psutil.Process, seconds: float) -> float:
    before = process.cpu_times()
    began = time.monotonic()
    time.sleep(seconds)
    after = process.cpu_times()
    used_s = after.user + after.system - before.user - before.system
    return max(0.0, 100 * used_s / (time.monotonic() - began))  # what is added up has a digit too many


def _still(supervisor: psutil.Process) -> None:
    """Wait until what it started for the first jobs has gone, or is kept for good."""
    _until(lambda: not any("sleep" in child.name() for child in supervisor.children(recursive=True)))
    time.sleep(0.5)


def _per_waiting_parent(store: Store, supervisor: psutil.Process, folder: Path, count: int) -> tuple[float, float]:
    """Return the processes and the memory (MB) that a waiting parent takes: with so many of them, less than without."""
    before = len(supervisor.children(recursive=True)), supervisor.memory_full_info().uss
    with store.write() as tx:
        control.pause(tx, None, time.time_ns() // 1_000_000)
    for _ in range(count):
        _wait_for_child(store, folder)
    time.sleep(1.0)  # it has looked at all of them
    after = len(supervisor.children(recursive=True)), supervisor.memory_full_info().uss
    return max(0, after[0] - before[0]) / count, max(0, after[1] - before[1]) / count / _MB


def _wait_for_child(store: Store, folder: Path) -> None:
    """Do in one commit what the first worker of a parent does, so that nobody misses its process."""
    now_ms = time.time_ns() // 1_000_000
    with store.write() as tx:
        new = NewTree(NewJob("a parent", Kind.CLAUDE), limits=Limits(max_workers=1), work_dir=str(folder))
        fence = start_attempt(tx, submit_tree(tx, new, now_ms), "0" * 64, now_ms)
        claim(tx, fence, 1, now_ms)
        spawn(tx, fence, [NewJob("true", Kind.COMMAND)], now_ms)
        suspend(tx, fence, "children", None, Usage(), now_ms)


def _per_command(store: Store, supervisor: psutil.Process, folder: Path, count: int) -> float:
    """Return the memory (MB) that all processes of a running command but its own take, at the median."""
    before = {child.pid for child in supervisor.children(recursive=True)}
    now_ms = time.time_ns() // 1_000_000
    items = (NewJob("exec sleep 600", Kind.COMMAND),) * count
    limits = Limits(max_depth=1, max_workers=count, max_children=count + 1, max_jobs=count + 1)
    with store.write() as tx:
        tx.run("UPDATE trees SET paused_ms = ? WHERE paused_ms IS NULL", (now_ms,))  # the parents go on waiting
        root_id = submit_tree(tx, NewTree(NewJob("commands", Kind.GROUP), items, limits, str(folder)), now_ms)
        control.resume(tx, None)

    def bodies() -> list[psutil.Process]:
        return [child for child in supervisor.children(recursive=True) if _name(child) == "sleep"]

    _until(lambda: len(bodies()) == count)
    time.sleep(0.5)
    own = [_above(body, supervisor, before) for body in bodies()]
    with store.write() as tx:
        control.cancel(tx, root_id, time.time_ns() // 1_000_000)
    _until(lambda: not bodies())
    return statistics.median(own)


def _above(body: psutil.Process, supervisor: psutil.Process, shared: set[int]) -> float:
    """Return the memory (MB) of the processes between a body and the supervisor that are this job's own."""
    found = 0.0
    process = body.parent()
    while process is not None and process.pid != supervisor.pid and process.pid not in shared:
        found += process.memory_full_info().uss / _MB
        process = process.parent()
    return found


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def _until(look: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not look():
        if time.monotonic() > end_s:
            raise TimeoutError("the supervisor's processes are not as they should be")
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
