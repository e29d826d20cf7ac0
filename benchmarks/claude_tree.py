"""A tree of real Claude Code workers at 4 workers: how many processes and how much memory at once, against waiting in a process.

    python benchmarks/claude_tree.py [--quick] [--full] [--json]

The scripted model answers on loopback. Here a parent that waits holds no process. In a design in which it waits inside of one, each
of those that wait at the same time is alive: they are counted from the store at the same moments, and given the memory that a
worker of this very run took. ``--full``: 1, 5, 25, 125 jobs (some ten minutes); otherwise 1, 3, 9.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from supervised import supervised
from table import Table, options, print_tables

from store.database import Store
from store.models import Limits, NewJob, NewTree
from store.states import FINAL, Kind, Status
from store.submit import submit_tree
from store.tree import counts, get_job
from tui_orch.demo.model import ScriptedModel
from tui_orch.demo.script import Role, Script, ToolCall, Turn
from tui_orch.worker.cookie import VARIABLE

WORKERS = 4
LIMIT_S = 1_800.0
LOOK_S = 0.2


@dataclass
class Seen:
    """The most at once of each, and the memory of one worker with its Claude Code (MB) when there was most of it."""

    processes: int = 0
    alive: int = 0
    waiting: int = 0
    either: int = 0
    memory_mb: float = 0.0
    of_one_mb: float = 0.0


def main() -> None:
    """Run the tree once and print what it took."""
    parser = options(__doc__)
    given = parser.parse_args()
    widths = (5, 5, 5) if given.full else (2,) if given.quick else (3, 3)
    with TemporaryDirectory() as folder:
        began = time.monotonic()
        jobs, seen = measure(Path(folder), widths)
        took_s = time.monotonic() - began
    rows = [
        {
            "design": "tui-orch: a waiting parent holds no process",
            "workers alive at once": seen.alive,
            "waiting at once": seen.waiting,
            "memory, MB": seen.memory_mb,
        },
        {
            "design": "every waiting parent alive (counted and reckoned)",
            "workers alive at once": seen.either,
            "waiting at once": seen.waiting,
            "memory, MB": max(seen.memory_mb, seen.of_one_mb * seen.either),
        },
    ]
    notes = (
        f"{jobs} jobs, {WORKERS} workers at once, {took_s:.0f} s; most processes of workers at once, Claude Code's included: {seen.processes}",
        f"one worker with its Claude Code takes {seen.of_one_mb:.0f} MB (PSS); the limit of workers can not hold in the second design: "
        "with 4 slots it stands still",
    )
    print_tables([Table("Real Claude Code workers: processes and memory at once", rows, notes)], as_json=given.json)


def measure(folder: Path, widths: tuple[int, ...]) -> tuple[int, Seen]:
    """Run a tree of these widths; return its number of jobs and what was seen."""
    with ScriptedModel(script(widths)) as model, at_model(model, folder), supervised(folder, WORKERS) as (store, _):
        limits = Limits(
            max_depth=len(widths), max_jobs=1_000, max_workers=WORKERS, timeouts_s=(LIMIT_S,), max_attempts=3
        )
        new = NewTree(NewJob("LEVEL-0 the whole of it", Kind.CLAUDE), limits=limits, work_dir=str(folder))
        with store.write() as tx:
            root_id = submit_tree(tx, new, time.time_ns() // 1_000_000)
        seen = watch(store, root_id)
        with store.read() as reader:
            return sum(counts(reader, root_id).values()), seen


def script(widths: tuple[int, ...]) -> Script:
    """Return what the model says: each level spawns the next and reports when that has ended."""
    roles = []
    for level in range(len(widths) + 1):
        report = ToolCall("mcp__orch__report_result", {"summary": f"level {level} is done"})
        turns = [Turn("I report.", (report,)), Turn("Done.")]
        if level < len(widths):
            tasks = [f"LEVEL-{level + 1} part {n} of {{name}}" for n in range(widths[level])]
            turns.insert(0, Turn("I split it.", (ToolCall("mcp__orch__spawn_subtasks", {"tasks": tasks}),)))
        roles.append(Role(rf"^LEVEL-{level} (?P<name>.*)", tuple(turns)))
    return Script(tuple(roles))


@contextmanager
def at_model(model: ScriptedModel, folder: Path) -> Iterator[None]:
    """Let the workers of a supervisor that is started within talk to the model."""
    said = {
        "ANTHROPIC_BASE_URL": model.url,
        "ANTHROPIC_API_KEY": "made-up",
        "CLAUDE_CONFIG_DIR": str(folder / "claude"),
        "CLAUDE_CODE_MAX_RETRIES": "0",
    }
    before = dict(os.environ)
    os.environ.update(said)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def watch(store: Store, root_id: int) -> Seen:
    """Look five times a second until the tree has ended."""
    seen, end = Seen(), time.monotonic() + LIMIT_S
    mark = f"{VARIABLE}={store.store_id}/".encode()
    while time.monotonic() < end:
        with store.read() as reader:
            root, states = get_job(reader, root_id), counts(reader, root_id)
        if root.status in FINAL:
            assert root.status is Status.COMPLETED, root
            return seen
        memory_mb = {pid: mb for pid in marked(mark) if (mb := pss_mb(pid)) > 0}
        seen.processes = max(seen.processes, len(memory_mb))
        seen.alive = max(seen.alive, states[Status.RUNNING])
        seen.waiting = max(seen.waiting, states[Status.WAITING])
        seen.either = max(seen.either, states[Status.RUNNING] + states[Status.WAITING])
        if sum(memory_mb.values()) > seen.memory_mb:
            seen.memory_mb = sum(memory_mb.values())
            seen.of_one_mb = seen.memory_mb / max(1, states[Status.RUNNING])
        time.sleep(LOOK_S)
    sys.exit(f"the tree did not end within {LIMIT_S:.0f} s")


def marked(mark: bytes) -> list[int]:
    """Return the processes that attempts of the store have started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if any(word.startswith(mark) for word in (entry / "environ").read_bytes().split(b"\0")):
                    found.append(int(entry.name))
            except OSError:
                continue  # it has ended, or is another user's
    return found


def pss_mb(pid: int) -> float:
    """Return a process's share of the memory that it uses (MB); 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


if __name__ == "__main__":
    main()
