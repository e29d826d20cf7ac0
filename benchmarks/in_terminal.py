"""What runs inside the measured terminal, a process for each scenario: ``python benchmarks/in_terminal.py NAME HOME RESULT``.

RESULT gets what was measured, as JSON. ``empty`` is a Textual app without anything; all others are the real app, or with
ALONE in the environment the tree alone, drawn on no terminal.
"""

import asyncio
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a scenario imports what it needs itself: the empty app is to start with nothing of ours
    from ears import Ears
    from writer import Commit

Found = dict[str, float]
#: The app is run on the terminal, the tree alone on none.
_SCREEN: dict[str, Any] = {"headless": True, "size": (120, 40)} if "ALONE" in os.environ else {}
#: Seconds for which a live scenario is watched.
WATCHED_S = 10.0
SPORADIC_S = 20.0


def main() -> None:
    """Run one scenario."""
    name, root, result = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    begin_s = float(os.environ["BEGIN"])
    found = _empty(begin_s) if name == "empty" else _over(root, name, begin_s)
    result.write_text(json.dumps(found))


def _empty(begin_s: float) -> Found:
    from textual.app import App

    found: Found = {}

    class Empty(App[None]):
        def post_display_hook(self) -> None:
            if not found:
                found["paint"] = (time.time() - begin_s) * 1e3
                self.set_timer(0.3, self.exit)

    Empty().run(**_SCREEN)
    return found


def _over(root: Path, name: str, begin_s: float) -> Found:
    gc.disable()  # as `orch` does, until the app is whole
    if name == "blind":
        _without_file_events()
    app = _app(root, begin_s)
    found: Found = {}

    async def measure() -> None:
        try:
            found["paint"] = await app.first_paint()
            await SCENARIOS[name](app, found)
        finally:
            app.exit()

    async def run() -> None:
        task: asyncio.Task[None] | None = None

        def begin() -> None:
            nonlocal task
            task = asyncio.create_task(measure())

        app.call_later(begin)
        await app.run_async(**_SCREEN)
        assert task is not None
        await task

    asyncio.run(run())
    return found


def _app(root: Path, begin_s: float) -> "Ears":
    from store.home import Home

    if "ALONE" in os.environ:
        from measured_pane import MeasuredPane

        return MeasuredPane(Home(root), begin_s)
    from measured_app import MeasuredApp

    return MeasuredApp(Home(root), begin_s)


def _without_file_events() -> None:
    from tui_orch.client import watch

    def file_events(*_: object) -> object:
        raise OSError("no file events here")

    setattr(watch, "file_events", file_events)  # noqa: B010 - no part of what it exports


async def _paint(_: "Ears", __: Found) -> None:
    """Measure nothing but the first paint."""


async def _person(app: "Ears", found: Found) -> None:
    """Keys and memory, and all rows unfolded."""
    from ears import memory_mb, p95

    await asyncio.sleep(1)
    found["memory"] = memory_mb()
    found["key"] = p95(await app.press("down", "down", "up", times=60))
    found["page"] = p95(await app.press("pagedown", "pageup", times=40))
    found["key that scrolls"] = p95((await app.press("down", times=80))[-40:])
    found["ends"] = p95(await app.press("end", "home", times=10))
    with app.store.read() as reader:
        forks = [row[0] for row in reader.rows("SELECT id FROM jobs WHERE children > 0 ORDER BY id DESC LIMIT 10000")]
    half = await app.until_frame(lambda: app.pane.restore(forks[:5_000]))
    found["restore"] = half
    found["rows restored"] = app.pane.model.rows
    app.pane.restore(forks)
    await asyncio.sleep(1)
    found["rows loaded"] = app.pane.model.rows
    found["memory loaded"] = memory_mb()
    found["key loaded"] = p95(await app.press("down", "down", "up", times=60))
    found["page loaded"] = p95(await app.press("pagedown", "pageup", times=40))


async def _live(app: "Ears", found: Found) -> None:
    """What it costs while nothing, little or much happens, and how late it is shown."""
    from ears import cpu_percent, p50, p95
    from writer import lags_ms

    await asyncio.sleep(2)
    found["cpu at rest"] = await cpu_percent(asyncio.sleep(WATCHED_S))
    for name, kind, per_second, seconds in (
        ("sporadic", "sporadic", 4, SPORADIC_S),
        ("100", "update", 100, WATCHED_S),
        ("1000", "update", 1_000, WATCHED_S),
        ("inserts", "insert", 50, WATCHED_S),
    ):
        app.shown.clear()
        app.frames = 0
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            writing = _write(app, log, kind, per_second, seconds)
            found[f"cpu {name}"] = await cpu_percent(writing)
            await asyncio.sleep(0.5)
            found[f"frames {name}"] = app.frames / seconds
            if kind != "insert":
                lags = lags_ms(_commits(log), app.shown)
                found[f"lag p50 {name}"], found[f"lag p95 {name}"] = p50(lags), p95(lags)
        await asyncio.sleep(1.5)


async def _blind(app: "Ears", found: Found) -> None:
    """How late a sporadic commit is shown where the system gives no file events."""
    from ears import cpu_percent, p50, p95
    from writer import lags_ms

    await asyncio.sleep(2)
    found["cpu at rest"] = await cpu_percent(asyncio.sleep(WATCHED_S))
    app.shown.clear()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        await _write(app, log, "sporadic", 4, SPORADIC_S)
        await asyncio.sleep(0.5)
        lags = lags_ms(_commits(log), app.shown)
    found["lag p50"], found["lag p95"] = p50(lags), p95(lags)


async def _slow(app: "Ears", found: Found) -> None:
    """The longest time for which the app answers nothing, while 40 changes a second go over a slow line."""
    await asyncio.sleep(3)
    longest, last = 0.0, time.perf_counter()

    def beat() -> None:
        nonlocal longest, last
        now = time.perf_counter()
        longest, last = max(longest, now - last), now

    beating = app.set_interval(0.01, beat)
    await _write(app, Path(os.environ["LOG"]), "update", 40, WATCHED_S)
    await asyncio.sleep(3)
    beating.stop()
    found["stall"] = longest * 1e3


async def _write(app: "Ears", log: Path, kind: str, per_second: float, seconds: float) -> None:
    parent_id, ids = app.in_view()
    arguments = (str(app.home.database), str(log), kind, str(per_second), str(seconds), str(parent_id), *map(str, ids))
    script = str(Path(__file__).with_name("writer.py"))
    silent = asyncio.subprocess.DEVNULL
    writer = await asyncio.create_subprocess_exec(sys.executable, script, *arguments, stdin=silent, stdout=silent)
    assert await writer.wait() == 0


def _commits(log: Path) -> "list[Commit]":
    from writer import commits

    return commits(log)


SCENARIOS: dict[str, Callable[..., Awaitable[None]]] = {
    "paint": _paint,
    "person": _person,
    "live": _live,
    "blind": _blind,
    "slow": _slow,
}

if __name__ == "__main__":
    main()
