"""A stage for the whole app: stores with a job in every state, made by the store's own functions, and the app over them.

Times are seconds after ``T0_MS`` (see ``detail_stores``), and the app's clock stands still at ``NOW_MS``.
"""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from detail_stores import Made, at, called, returned, said, until
from dialog_stage import text
from textual.pilot import Pilot

from store import asks, claim, control, submit
from store.models import Fence, Job, Limits, NewJob, NewTree, Outcome, Usage
from store.settings import set_setting
from store.states import Kind, Status
from store.tree import get_job
from tui_orch.tui.access import LocalAccess
from tui_orch.tui.app import OrchApp, Outside

NOW_MS = at(600)
NARROW = (80, 24)
WIDE = (160, 40)
#: Of the store, whatever the machine has.
_SETTINGS: Mapping[str, Any] = {
    "slots": 8,
    "max_workers_ceiling": 10,
    "min_free_memory_mb": 500,
    "max_workers": 8,
    "max_jobs": 200,
    "max_children": 20,
    "max_attempts": 2,
    "max_depth": 3,
}


def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave to the app nothing of the terminal, the machine or the person that a picture could depend on."""
    for name in ("NO_COLOR", "TEXTUAL_THEME", "COLORTERM", "TEXTUAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def empty_store(folder: Path) -> Made:
    """A store without jobs, of a project called ``garden``."""
    project = folder / "garden"
    project.mkdir(parents=True)
    made = Made(project)
    with made.store.write() as tx:
        for name, value in _SETTINGS.items():
            set_setting(tx, name, value)
    return made


def job(made: Made, job_id: int) -> Job:
    """Return a job as the store has it."""
    with made.store.read() as reader:
        return get_job(reader, job_id)


@dataclass(frozen=True)
class Garden:
    """A store with a job in every state, and the ids of those jobs."""

    made: Made
    root: int
    planned: int  # completed
    watered: int  # failed
    ordered: int  # cancelled
    digging: int  # waits for its children
    digs: tuple[int, ...]  # one that runs, one that is queued
    asking: int
    ask: int
    pruning: int  # runs
    painting: int  # queued
    counted: int  # partial

    def job(self, job_id: int) -> Job:
        """Return a job as the store has it."""
        return job(self.made, job_id)


def garden(folder: Path, titles: Mapping[str, str] | None = None) -> Garden:
    """Make that store. ``titles`` says other ones than those of ``_TITLES``."""
    made = empty_store(folder)
    named = {**_TITLES, **(titles or {})}
    root_id = _root(made, named["root"])
    root = made.start(root_id, 1)
    parts = ("planned", "watered", "ordered", "digging", "asking", "pruning", "painting", "counted")
    below = dict(zip(parts, made.spawn(root, *(named[part] for part in parts), second=2), strict=True))
    _finish(made, made.start(below["planned"], 3), 63, result="Four beds: basil, mint, sage, thyme.", cost=0.42)
    made.run(below["watered"], 4, 8, status=Status.FAILED, error="exit code 3: no water", exit_code=3, retry=False)
    with made.store.write() as tx:
        control.cancel(tx, below["ordered"], at(9))
    digging = made.start(below["digging"], 10)
    digs = made.spawn(digging, named["dig"], named["later"], second=11)
    made.suspend(digging, 12)
    _active(made, made.start(digs[0], 13), "Bash dig --deep beds/north", 580)
    asking = made.start(below["asking"], 14)
    with made.store.write() as tx:
        ask_id = asks.ask(
            tx,
            asking,
            kind="permission",
            question=named["ask"],
            tool="Bash",
            input={"command": "ring --door 12", "description": named["ask"]},
            now_ms=at(500),
        )
    _active(made, made.start(below["pruning"], 15), named["activity"], 590)
    counting = made.start(below["counted"], 16)
    (pot,) = made.spawn(counting, "Count the broken pots", second=17)
    made.finish(counting, 18, result="31 pots")
    made.run(pot, 19, 40, status=Status.FAILED, error="the shed is locked", exit_code=1, retry=False)
    return Garden(made, root_id, digs=digs, ask=ask_id, **below)


_TITLES = {
    "root": "Rebuild the herb garden",
    "planned": "Plan the beds",
    "watered": "Water the basil",
    "ordered": "Order seeds",
    "digging": "Dig the beds",
    "dig": "Dig the north bed",
    "later": "Dig the south bed",
    "asking": "Talk to the neighbour",
    "pruning": "Prune the sage",
    "painting": "Paint the fence",
    "counted": "Count the pots",
    "ask": "ring at number 12?",
    "activity": "Edit beds/sage.md",
}


def _root(made: Made, title: str) -> int:
    with made.store.write() as tx:
        request = f"{title}\n\nMake it smell of basil again."
        limits = Limits(max_depth=3, budget_usd=20.0)
        return submit.submit_tree(tx, NewTree(NewJob(request, Kind.CLAUDE), limits=limits, work_dir="/garden"), at(0))


def _finish(made: Made, fence: Fence, second: float, *, result: str, cost: float) -> None:
    used = Usage(cost, 1_200, 340, 50_000, 2_000, 6, cost)
    with made.store.write() as tx:
        claim.set_session(tx, fence, "5e551011")
    made.finish(fence, second, **_outcome(Outcome(Status.COMPLETED, result=result, exit_code=0, usage=used)))


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {"result": outcome.result, "exit_code": outcome.exit_code, "usage": outcome.usage}


def _active(made: Made, fence: Fence, words: str, second: float) -> None:
    with made.store.write() as tx:
        claim.set_activity(tx, fence, words, at(second))


def talk(stage: Garden, words: str = "I look at the beds first.") -> None:
    """Give the root a transcript."""
    stage.made.transcript(
        stage.root,
        said(words),
        called("Read", file_path="beds/plan.md"),
        returned("basil\nmint\nsage"),
        said("Four parts of it can be done side by side."),
    )


class Surroundings:
    """What the app is told of the world, and what it did to it."""

    def __init__(self, *, supervisor: bool = True) -> None:
        self.supervisor = supervisor
        self.started = 0

    def start(self) -> None:
        """Start a supervisor."""
        self.started += 1
        self.supervisor = True

    def outside(self, **given: Any) -> Outside:
        """Return it as the app takes it."""
        return Outside(
            **{
                "now_ms": lambda: NOW_MS,
                "has_supervisor": lambda: self.supervisor,
                "start_supervisor": self.start,
                "environ": {},
                **given,
            }
        )


def app_over(made: Made, surroundings: Surroundings | None = None, **given: Any) -> OrchApp:
    """Return the app over a store."""
    outside = (surroundings or Surroundings()).outside(**given)
    app = OrchApp(LocalAccess(made.store.home, outside.now_ms), outside)
    app.animation_level = "none"
    return app


@asynccontextmanager
async def shown(
    made: Made, size: tuple[int, int] = NARROW, surroundings: Surroundings | None = None, **given: Any
) -> AsyncIterator[tuple[OrchApp, Pilot[None]]]:
    """Show the app, until its feed has told of the store."""
    app = app_over(made, surroundings, **given)
    async with app.run_test(size=size) as pilot:
        await whole(app, pilot)
        yield app, pilot


async def whole(app: OrchApp, pilot: Pilot[None]) -> None:
    """Wait until what comes after the first picture is there too."""
    await until(lambda: app.is_whole)
    await pilot.pause()


async def seen(app: OrchApp, *wanted: str) -> None:
    """Wait until all of it stands on the screen."""
    for words in wanted:
        try:
            await until(lambda words=words: words in text(app))
        except AssertionError:
            raise AssertionError(f"{words!r} is not on the screen:\n{text(app)}") from None


async def gone(app: OrchApp, words: str) -> None:
    """Wait until it stands on the screen no more."""
    await until(lambda: words not in text(app), f"{words!r} stays on the screen")


async def to(app: OrchApp, pilot: Pilot[None], job_id: int) -> None:
    """Put the cursor on a job."""
    await until(lambda: app.pane.go_to(job_id), f"job #{job_id} is not in the tree")
    await pilot.pause()
    assert app.pane.cursor_id == job_id


def footer(app: OrchApp) -> str:
    """Return the last line of the screen."""
    return text(app).rsplit("\n", 1)[-1].strip()
