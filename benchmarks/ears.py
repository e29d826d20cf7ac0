"""Ears for an app with a tree: when a frame was drawn, which words of workers it showed, what an action took.

They add a few microseconds to a frame and nothing else. Knows no scenario.
"""

import asyncio
import itertools
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from textual.app import App

from store.database import Store
from store.home import Home
from tui_orch.tui.row import Row
from tui_orch.tui.row_painter import RowPainter
from tui_orch.tui.tree_model import Line
from tui_orch.tui.tree_pane import TreePane

#: Seconds that an action may take until its frame.
PATIENCE_S = 10.0


class Ears(App[None]):
    """What is heard of an app with a tree; ``begin_s`` is the moment (Unix time) at which its process was started."""

    home: Home
    pane: TreePane
    store: Store
    begin_s: float

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.first_paint_ms: float | None = None
        self.frames = 0
        #: Activities that a frame has shown, with its moment in nanoseconds since 1970, in the order of the frames.
        self.shown: list[tuple[str, int]] = []
        self._painted = asyncio.Event()
        self._said: list[str] = []
        _note_activities(self._said)

    def post_display_hook(self) -> None:
        """Note the frame."""
        super().post_display_hook()
        if self.first_paint_ms is None:
            if not self.is_running or not self.pane.rows_drawn:
                return
            self.first_paint_ms = (time.time() - self.begin_s) * 1e3
        now_ns = time.time_ns()
        self.frames += 1
        self.shown += [(activity, now_ns) for activity in self._said]
        self._said.clear()
        self._painted.set()

    async def first_paint(self) -> float:
        """Return the milliseconds from the start of the process to the first frame with rows."""
        while self.first_paint_ms is None:
            self._painted.clear()
            await asyncio.wait_for(self._painted.wait(), PATIENCE_S)
        return self.first_paint_ms

    async def until_frame(self, act: Callable[[], object]) -> float:
        """Do something, and return the milliseconds until the next frame after it was drawn."""
        self._painted.clear()
        begin = time.perf_counter()
        act()
        await asyncio.wait_for(self._painted.wait(), PATIENCE_S)
        return (time.perf_counter() - begin) * 1e3

    async def press(self, *keys: str, times: int) -> list[float]:
        """Press these keys in turn, so many times in all; return the milliseconds that each took until its frame."""
        taken = []
        turn = itertools.cycle(keys)
        for _ in range(times):
            taken.append(await self.until_frame(lambda: self.simulate_key(next(turn))))
            await asyncio.sleep(0.04)
        return taken

    def in_view(self) -> tuple[int, list[int]]:
        """Return a job all of whose children are on the screen, and the jobs there that run."""
        lines = self.pane.model.window(round(self.pane.scroll_y), self.pane.size.height)
        jobs = [line.job for line in lines if line.job is not None]
        parent_id = next(job.parent_id for job in jobs if not job.children and job.parent_id is not None)
        return parent_id, [job.id for job in jobs if job.status == "running"]


def _note_activities(said: list[str]) -> None:
    compose = RowPainter.row

    def row(self: RowPainter, line: Line, width: int) -> Row:
        if line.job is not None and line.job.activity is not None:
            said.append(line.job.activity)
        return compose(self, line, width)

    RowPainter.row = row  # type: ignore[method-assign]


async def cpu_percent(work: Awaitable[object]) -> float:
    """Return the percent of a core that this process (all its threads) used while something was waited for."""
    begin, cpu = time.perf_counter(), time.process_time()
    await work
    return (time.process_time() - cpu) / (time.perf_counter() - begin) * 100


def memory_mb() -> float:
    """Return the memory that this process has in use (resident, with the libraries it shares)."""
    try:  # not by psutil: to import that takes a megabyte, which the app has not
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except FileNotFoundError:  # no Linux
        import psutil

        return psutil.Process().memory_info().rss / 1e6


def p50(values: list[float]) -> float:
    """Return the median."""
    import statistics

    return statistics.median(values)


def p95(values: list[float]) -> float:
    """Return the value that 95 of 100 do not exceed."""
    return sorted(values)[min(len(values) - 1, len(values) * 95 // 100)]
