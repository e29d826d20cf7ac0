"""Measures the terminal app and prints a table of what it is to reach and what it does: ``make bench``, some 8 minutes.

Every scenario is a process of its own over a copy of a store with 100,000 or 1,000,000 jobs: the real app (`OrchApp`) on a
terminal of 120x40, and beside it the tree alone on none, which is how the prototype was measured from which the targets
come. A busy machine doubles what is measured, so its load is printed too.
"""

import argparse
import os
import re
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from big_store import big_store, copy_of
from targets import others, table
from terminal import Terminal
from writer import commits, lags_ms

from store.home import Home

MANY, VERY_MANY = 100_000, 1_000_000
SLOW_BYTES_PER_S = 20_000
_PARTS = ("paint", "person", "live", "blind", "slow")
_OF_TREE = ("paint", "person", "live")
_ALONE = {"ALONE": "1"}
_ACTIVITY = re.compile(rb"<\d{6}>")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=(*_PARTS, "all"), default="all", help="what to measure")
    parser.add_argument("--repeat", type=int, default=7, help="processes that a first paint is the median of")
    parser.add_argument("--app-alone", action="store_true", help="leave out the tree alone")
    options = parser.parse_args()
    parts = _PARTS if "all" in options.parts else options.parts
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}", flush=True)
    app = _measure(parts, options.repeat, {})
    tree = {} if options.app_alone else _measure([part for part in parts if part in _OF_TREE], options.repeat, _ALONE)
    print(f"load of the machine after: {os.getloadavg()[0]:.1f}\n")
    print("\n".join([*table(app, tree), "", "the app:", *others(app), "", "the tree alone:", *others(tree)]))


def _measure(parts: Sequence[str], repeat: int, environ: dict[str, str]) -> dict[str, float]:
    found: dict[str, float] = {}
    if "paint" in parts:
        found |= _first_paint(repeat, environ)
    if "person" in parts:
        found |= _over_copy("person", MANY, environ)
        found |= {f"{name} {VERY_MANY}": value for name, value in _over_copy("person", VERY_MANY, environ).items()}
    if "live" in parts:
        found |= _over_copy("live", MANY, environ)
    if "blind" in parts:
        found |= {f"{name} blind": value for name, value in _over_copy("blind", MANY, environ).items()}
    if "slow" in parts:
        found |= _slow()
    return found


def _first_paint(repeat: int, environ: dict[str, str]) -> dict[str, float]:
    """Take turns, so that a machine that gets busier or calmer meanwhile is the same for all; compare within a turn."""
    homes = {jobs: big_store(jobs) for jobs in (MANY, VERY_MANY)}
    turns = []
    for _ in range(repeat):
        empty = Terminal().run("empty", Path(), environ)["paint"]
        turns.append((empty, *(Terminal().run("paint", home.root, environ)["paint"] for home in homes.values())))
    over = {
        f"paint {jobs}": statistics.median(turn[place] - turn[0] for turn in turns)
        for place, jobs in enumerate(homes, 1)
    }
    return {"paint of an empty app": statistics.median(turn[0] for turn in turns), **over}


def _over_copy(scenario: str, jobs: int, environ: dict[str, str]) -> dict[str, float]:
    with copy_of(big_store(jobs)) as home:
        found = Terminal().run(scenario, home.root, environ)
    del found["paint"]  # of one process; the figure is the median of some
    return found


def _slow() -> dict[str, float]:
    """Look for the workers' words in what came over the slow line."""
    with copy_of(big_store(MANY)) as home, tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        terminal = Terminal(SLOW_BYTES_PER_S)
        stall = _over_line(terminal, home, log)
        lags = lags_ms(commits(log), _shown(terminal))
    return {"slow lag": max(lags), "slow lag p50": statistics.median(lags), "slow stall": stall}


def _over_line(terminal: Terminal, home: Home, log: Path) -> float:
    return terminal.run("slow", home.root, {"LOG": str(log)})["stall"]


def _shown(terminal: Terminal) -> list[tuple[str, int]]:
    """Return each activity with the moment at which its last byte came."""
    shown, rest = [], b""
    for data, at_ns in terminal.taken:
        text = rest + data
        end = 0
        for match in _ACTIVITY.finditer(text):
            shown.append((match.group().decode(), at_ns))
            end = match.end()
        rest = text[max(end, len(text) - 7) :]
    return shown


if __name__ == "__main__":
    main()
