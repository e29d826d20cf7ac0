"""What the terminal app is to reach, and the table of what it does. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """One figure, under its name in what the scenarios return; not to be above ``most``."""

    name: str
    what: str
    most: float
    unit: str


TARGETS = (
    Target("paint 100000", "first paint, 100,000 jobs, after that of an empty Textual app", 100, "ms"),
    Target("paint 1000000", "first paint, 1,000,000 jobs, after that of an empty Textual app", 150, "ms"),
    Target("restore", "50,000 unfolded rows restored", 1_000, "ms"),
    Target("lag p95 sporadic", "a sporadic commit on the screen, file events, p95", 25, "ms"),
    Target("lag p95 blind", "a sporadic commit on the screen, no file events, p95", 60, "ms"),
    Target("lag p95 100", "100 commits a second on the screen, p95", 50, "ms"),
    Target("lag p95 1000", "1,000 commits a second on the screen, p95", 50, "ms"),
    Target("cpu at rest", "CPU at rest", 1, "% of a core"),
    Target("cpu 100", "CPU at 100 changes a second", 5, "% of a core"),
    Target("cpu inserts", "CPU at 50 inserts a second in view", 12, "% of a core"),
    Target("key", "a key, 100,000 jobs, p95", 10, "ms"),
    Target("key 1000000", "a key, 1,000,000 jobs, p95", 10, "ms"),
    Target("page", "a page, 100,000 jobs, p95", 30, "ms"),
    Target("page 1000000", "a page, 1,000,000 jobs, p95", 30, "ms"),
    Target("memory", "memory, lazy", 50, "MB"),
    Target("memory loaded", "memory, 100,000 rows loaded", 75, "MB"),
    Target("slow lag", "40 changes a second over 20 kB/s: longest lag", 2_500, "ms"),
    Target("slow stall", "40 changes a second over 20 kB/s: longest time that a key waits", 100, "ms"),
)


def table(app: Mapping[str, float], tree: Mapping[str, float]) -> list[str]:
    """Return the lines of the table (Markdown); what was not measured is left out."""
    lines = ["| what | target | the app in a terminal | | the tree alone | |", "|---|---:|---:|---|---:|---|"]
    for target in TARGETS:
        if target.name in app or target.name in tree:
            cells = " | ".join(_cells(target, found) for found in (app, tree))
            lines.append(f"| {target.what} | {target.most:,g} {target.unit} | {cells} |")
    return lines


def _cells(target: Target, found: Mapping[str, float]) -> str:
    value = found.get(target.name)
    return " | " if value is None else f"{value:,.3g} | {'ok' if value <= target.most else 'missed'}"


def others(found: Mapping[str, float]) -> list[str]:
    """Return a line for each figure that has no target."""
    named = {target.name for target in TARGETS}
    return [f"{name:32} {value:,.4g}" for name, value in found.items() if name not in named]
