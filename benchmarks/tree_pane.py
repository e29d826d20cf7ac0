"""What the tree of the terminal app costs, as a table: ``python benchmarks/tree_pane.py --jobs 100000``.

Each run is a process of its own, with a screen of 120x40 that nobody looks at; times go up to the moment at which
Textual has composed the frame. ``--live`` adds the store's writer: what a commit takes until it is on the screen, and
what the app costs while many come. A busy machine doubles the figures.
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
from big_store import big_store, copy_of

_WRITER = """
import sys, time, apsw
connection = apsw.Connection(sys.argv[1])
connection.set_busy_timeout(1000)
kind, per_second, seconds, parent = sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
ids = [int(number) for number in sys.argv[6:]]
begin = time.monotonic()
for number in range(int(per_second * seconds)):
    time.sleep(max(0, begin + number / per_second - time.monotonic()))
    now = time.time_ns()
    if kind == "insert":
        connection.execute("INSERT INTO jobs(parent_id, request, title) VALUES (?, ?, 'new')", (parent, str(now)))
    else:
        connection.execute("UPDATE jobs SET activity = ? WHERE id = ?", (str(now), ids[number % len(ids)]))
"""


def main() -> None:
    """Run each measurement and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--repeat", type=int, default=5, help="processes a first paint is the median of")
    parser.add_argument("--live", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        print(json.dumps(asyncio.run(_child(options.child, options.home))))
        return
    print(f"{'':34}{'empty app':>14}" + "".join(f"{jobs:>14,}" for jobs in options.jobs))
    _print_first_paint(options.jobs, options.repeat)
    runs = [_run("full", jobs, options.live) for jobs in options.jobs]
    for name in runs[0]:
        print(f"{name:34}{'':14}" + "".join(f"{run[name]:>14.4g}" for run in runs))


def _print_first_paint(all_jobs: list[int], repeat: int) -> None:
    """Take turns, so that a machine that gets busier or calmer meanwhile is the same for all; compare within a turn."""
    for jobs in all_jobs:
        big_store(jobs)
    turns = [
        [_run("empty", 0, False)["paint"], *(_run("paint", jobs, False)["paint"] for jobs in all_jobs)]
        for _ in range(repeat)
    ]
    medians = [statistics.median(column) for column in zip(*turns, strict=True)]
    over = [statistics.median(turn[place] - turn[0] for turn in turns) for place in range(1, len(medians))]
    print(f"{'first paint, ms from the start':34}" + "".join(f"{value:>14.0f}" for value in medians))
    print(f"{'  over the empty app':34}{'':14}" + "".join(f"{value:>14.0f}" for value in over))


def _run(child: str, jobs: int, live: bool) -> dict[str, float]:
    if not jobs:
        return _start(child, Path(), [])
    home = big_store(jobs)  # made outside of what is measured
    if not live:
        return _start(child, home.root, [])
    with copy_of(home) as copy:
        return _start(child, copy.root, ["--live"])


def _start(child: str, root: Path, more: list[str]) -> dict[str, float]:
    arguments = [sys.executable, __file__, "--child", child, "--home", str(root), *more]
    environ = dict(os.environ, BEGIN=str(time.time()), TEXTUAL_ANIMATIONS="none")
    done = subprocess.run(arguments, env=environ, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


async def _child(child: str, root: Path) -> dict[str, float]:
    begin = float(os.environ["BEGIN"])
    if child == "empty":
        from textual.app import App

        class Empty(App[None]):
            def post_display_hook(self) -> None:
                found.setdefault("paint", (time.time() - begin) * 1e3)
                self.exit()

        found: dict[str, float] = {}
        await Empty().run_async(headless=True, size=(120, 40))
        return found
    return await _with_pane(child, root, begin)


async def _with_pane(child: str, root: Path, begin: float) -> dict[str, float]:
    from textual.app import App, ComposeResult

    from store.database import Store
    from store.home import Home
    from tui_orch.tui.feed import Feed
    from tui_orch.tui.messages import JobsChanged
    from tui_orch.tui.source import StoreSource
    from tui_orch.tui.tree_pane import TreePane

    class Tree(App[None]):
        def __init__(self, home: Home) -> None:
            super().__init__()
            self.store = Store.open(home)
            self.source = StoreSource(self.store)
            self.pane = TreePane(self.source, lambda: time.time_ns() // 1_000_000)
            self.painted = asyncio.Event()
            self.first_paint: float | None = None
            self.frames = 0
            self.told: list[int] = []  # when what is not painted yet was committed, in nanoseconds
            self.lags: list[float] = []

        def compose(self) -> ComposeResult:
            yield self.pane

        def on_jobs_changed(self, message: JobsChanged) -> None:
            self.pane.apply(message.jobs)
            texts = [job.activity or job.request for job in message.jobs if job.status in ("running", "queued")]
            self.told += [int(text) for text in texts if text.isdigit()]

        def post_display_hook(self) -> None:
            if self.pane.rows_drawn:
                now = time.time_ns()
                self.first_paint = self.first_paint or now / 1e9 - begin
                self.frames += 1
                self.lags += [(now - at) / 1e6 for at in self.told]
                self.told.clear()
                self.painted.set()

        def feed(self) -> Feed:
            from tui_orch.client.watch import StoreWatch  # 10 ms that the first paint need not wait for

            watch = partial(StoreWatch, self.store.home, self.source.data_version)
            return Feed(self.source, watch, self.post_message, since=self.source.newest_seq())

    app = Tree(Home(root))
    found: dict[str, float] = {}

    async def measure() -> None:
        await app.painted.wait()
        assert app.first_paint is not None
        found["paint"] = app.first_paint * 1e3
        try:
            if child == "full":
                found.clear()
                await _measure(app, found)
                if "--live" in sys.argv:
                    await _measure_live(app, found)
        finally:
            app.exit()

    task: asyncio.Task[None] | None = None

    def begin_measuring() -> None:
        nonlocal task
        task = asyncio.create_task(measure())

    app.call_later(begin_measuring)
    await app.run_async(headless=True, size=(120, 40))
    assert task is not None
    await task
    return found


async def _measure(app: "Tree", found: dict[str, float]) -> None:  # type: ignore[name-defined] # noqa: F821
    pane = app.pane
    pane.focus()
    await asyncio.sleep(0.3)
    found["memory lazy, MB"] = _memory_mb()

    async def until_painted(act: Callable[[], object]) -> float:
        app.painted.clear()
        begin = time.perf_counter()
        act()
        await asyncio.wait_for(app.painted.wait(), 5)
        return (time.perf_counter() - begin) * 1e3

    async def median(times: int, act: Callable[[], object]) -> float:
        taken = []
        for _ in range(times):
            taken.append(await until_painted(act))
            await asyncio.sleep(0.03)
        return statistics.median(taken)

    found["key down to frame, ms"] = await median(20, lambda: app.simulate_key("down"))
    turn = itertools.cycle(("pagedown", "pageup"))
    found["page to frame, ms"] = await median(20, lambda: app.simulate_key(next(turn)))
    found["end to frame, ms"] = await until_painted(lambda: app.simulate_key("end"))
    await asyncio.sleep(0.2)
    found["home to frame, ms"] = await until_painted(lambda: app.simulate_key("home"))
    await asyncio.sleep(0.2)
    job = app.source.job(pane.cursor_id)
    number = 0

    def update() -> None:
        nonlocal number
        number += 1
        pane.apply([replace(job, seq=job.seq + number, activity=f"Edit {number}")])

    found["update in view to frame, ms"] = await median(20, update)

    def insert() -> None:
        nonlocal number
        number += 1
        pane.apply([replace(job, id=2_000_000 + number, parent_id=parent_id, children=0, seq=job.seq + number)])

    parent_id, _ = _in_view(app)
    taken = []
    for _ in range(10):
        taken.append(await until_painted(insert))
        await asyncio.sleep(0.15)
    found["insert in view to frame, ms"] = statistics.median(taken)
    with app.store.read() as reader:
        forks = [row[0] for row in reader.rows("SELECT id FROM jobs WHERE children > 0 ORDER BY id DESC LIMIT 5550")]
    found["restore 50,000 rows, ms"] = await until_painted(lambda: pane.restore(forks))
    found["rows now"] = pane.model.rows
    found["memory 50,000 rows, MB"] = _memory_mb()
    forest, middle = pane.model.forest, pane.model.rows // 2
    line = pane.model.window(middle, 1)[0]
    fork = forks[len(forks) // 2]

    def each(times: int, act: Callable[[], object]) -> float:
        begin = time.perf_counter()
        for _ in range(times):
            act()
        return (time.perf_counter() - begin) / times * 1e6

    found["model: window of 50, us"] = each(500, lambda: forest.window(middle, 50))
    found["model: row of a job, us"] = each(500, lambda: forest.row_of(line.job_id, line.parent_id))
    found["model: fold, unfold, us"] = each(
        500, lambda: (forest.branch(fork).set_open(False), forest.branch(fork).set_open(True))
    )
    children = iter([replace(job, id=3_000_000 + n, parent_id=fork) for n in range(500)])
    found["model: insert, us"] = each(500, lambda: forest.apply([next(children)]))


async def _measure_live(app: "Tree", found: dict[str, float]) -> None:  # type: ignore[name-defined] # noqa: F821
    app.pane.reload()
    app.simulate_key("home")
    app.run_worker(app.feed().run(), name="feed")
    await asyncio.sleep(1)
    found["at rest, % of a core"] = await _cpu(asyncio.sleep(5))
    for kind, per_second, seconds in (("update", 3, 8), ("update", 100, 5), ("update", 1000, 5), ("insert", 50, 5)):
        app.lags.clear()
        app.frames = 0
        found[f"{per_second} {kind}s/s, % of a core"] = await _cpu(_write(app, kind, per_second, seconds))
        found[f"  {per_second} {kind}s/s: frames a second"] = app.frames / seconds
        if app.lags:
            lags = sorted(app.lags)
            found[f"  {per_second} {kind}s/s: on screen p50, ms"] = lags[len(lags) // 2]
            found[f"  {per_second} {kind}s/s: on screen p95, ms"] = lags[len(lags) * 95 // 100]


async def _write(app: "Tree", kind: str, per_second: float, seconds: float) -> None:  # type: ignore[name-defined] # noqa: F821
    parent_id, ids = _in_view(app)
    arguments = (str(app.store.home.database), kind, str(per_second), str(seconds), str(parent_id), *map(str, ids))
    writer = await asyncio.create_subprocess_exec(sys.executable, "-c", _WRITER, *arguments)
    assert await writer.wait() == 0


def _in_view(app: "Tree") -> tuple[int, list[int]]:  # type: ignore[name-defined] # noqa: F821
    """Return a job all of whose children are on the screen, and the jobs there that run."""
    visible = [line.job_id for line in app.pane.model.window(round(app.pane.scroll_y), app.pane.size.height)]
    jobs = [app.source.job(job_id) for job_id in visible if job_id is not None]
    leaf = next(job for job in jobs if not job.children and job.parent_id is not None)
    return leaf.parent_id, [job.id for job in jobs if job.status == "running"]


async def _cpu(work: Awaitable[None]) -> float:
    begin, cpu = time.perf_counter(), time.process_time()
    await work
    return (time.process_time() - cpu) / (time.perf_counter() - begin) * 100


def _memory_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6


if __name__ == "__main__":
    main()
