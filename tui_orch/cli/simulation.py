"""What ``orch simulate`` plays through and how it is shown: the scenario of a request, progress, a table, JSON."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from store.states import Kind
from tui_orch.cli import columns, exits
from tui_orch.cli.foreseen import Foreseen
from tui_orch.client.measures import duration
from tui_orch.simulate.engine import Scenario, simulate
from tui_orch.simulate.figures import Figures
from tui_orch.simulate.memory_store import MemoryStore, TreeLimits
from tui_orch.simulate.of_request import Run, Work, paths, runs, shape_of

#: Between two lines that say how far a long simulation is (s).
_SAY_AFTER_S = 2.0
#: Decisions from which their cost is shown by the number of queued jobs.
_MANY_DECISIONS = 10_000

Found = list[tuple[Run, Figures]]


def play(scenario: Scenario, *, silent: bool) -> Iterator[tuple[Run, Figures]]:
    """Play each run of a scenario through; unless ``silent`` tell on stderr how far it is where that takes long."""
    for run in runs(scenario):
        yield run, simulate(run.scenario, run.order, None if silent else _teller(run, scenario))


def scenario_of(seen: Foreseen, chosen: dict[str, Any]) -> Scenario:
    """Return what the options ask for."""
    tree = seen.tree
    children = chosen["children"] or ((3,) if seen.kind is Kind.CLAUDE else (0,))
    work = Work(
        children,
        chosen["work"],
        chosen["before"] or 0.0,
        chosen["after"] or 0.0,
        chosen["failing"] / 100,
        chosen["spread"] / 100,
    )
    limits = TreeLimits(tree.max_workers, tree.max_jobs, tree.max_children, tree.max_attempts, tree.timeouts_s)
    return Scenario(
        shape_of(seen.kind, len(seen.new.items), tree.max_depth, work),
        limits,
        seen.settings.slots,
        chosen["trees"],
        chosen["start"] or 0.0,
        None if chosen["memory"] is None else round(chosen["memory"] * 1000),
        seen.settings.retry_base_s,
        chosen["seed"],
    )


def _teller(run: Run, scenario: Scenario) -> Callable[[MemoryStore], None]:
    most = run.scenario.trees * min(run.scenario.shape.jobs, scenario.limits.max_jobs)
    said_s = time.monotonic()

    def tell(store: MemoryStore) -> None:
        nonlocal said_s
        if time.monotonic() - said_s >= _SAY_AFTER_S:
            said_s = time.monotonic()
            exits.tell(f"{run.name}: {store.ended.total():,} of {most:,} jobs have ended, {store.open_jobs:,} are open")

    return tell


def values(scenario: Scenario, found: Found) -> dict[str, Any]:
    """Return it for a program."""
    return {
        "tree": {"jobs": scenario.shape.jobs, "levels": [asdict(level) for level in scenario.shape.levels]},
        "trees": scenario.trees,
        "slots": scenario.slots,
        "limits": asdict(scenario.limits),
        "runs": [
            {"name": run.name, "order": run.order, "slots": run.scenario.slots}
            | asdict(figures)
            | {"times_ideal": figures.times_ideal, "decisions": figures.decisions, "decision_us": figures.decision_us}
            for run, figures in found
        ],
    }


def lines(scenario: Scenario, found: Found) -> list[str]:
    """Return it for a person."""
    trees = f"{scenario.trees:,} trees, each " if scenario.trees > 1 else ""
    shown = [f"{trees}{paths(scenario.shape)} jobs", ""]
    rows: list[tuple[str, ...]] = [("", "takes", "possible", "workers", "sessions that wait", "memory", "ended")]
    rows += [(run.name, *_cells(figures)) for run, figures in found]
    shown += columns.table(rows, 200)
    if any(figures.ended.get("failed") for _, figures in found) and not scenario.shape.failing:
        shown += ["", "failed: their time was up, see --timeout"]
    last = next(figures for run, figures in found if run.scenario is scenario)
    shown += ["", f"{last.decisions:,} decisions of {last.decision_us:.0f} µs each"]
    if last.decisions >= _MANY_DECISIONS:
        shown += [
            f"  {cost.decisions:,} of {cost.mean_us:.0f} µs with {cost.queued:,} or more jobs queued in {cost.trees:,} or more trees"
            for cost in last.costs
        ]
    return shown


def _cells(figures: Figures) -> tuple[str, ...]:
    peaks = figures.peaks
    return (
        duration(round(figures.makespan_s * 1000)),
        duration(round(figures.ideal_s * 1000)),
        f"{peaks.workers:,}",
        f"{peaks.waiting_sessions:,}",
        f"{peaks.memory_mb / 1000:.1f} GB",
        ", ".join(f"{count:,} {status}" for status, count in figures.ended.items()),
    )
