"""The promise of 20 minutes: four services of an hour each, split in three; imagined, and for real with short minutes.

    python benchmarks/promise.py [--quick] [--json]

For real: a store, a supervisor, and commands that sleep; a service hands its three parts in with `orch spawn`, as a person's
script would, and its row waits for them without a process. From the commit of the request to that of the root's end.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from judged import at_most
from supervised import run_together, supervised
from table import Row, Table, options, print_tables

from store.states import Kind
from tui_orch.simulate.engine import Scenario, simulate
from tui_orch.simulate.memory_store import TreeLimits
from tui_orch.simulate.shape import Level, Shape

SERVICES, PARTS, HOUR_MIN = 4, 3, 60
MINUTE_S, QUICK_MINUTE_S = 0.4, 0.01
MOST_IMAGINED, MOST_REAL = 1.05, 1.2
SHAPE = Shape((Level(SERVICES, kind=Kind.GROUP), Level(PARTS), Level(0, HOUR_MIN / PARTS * 60)))


@dataclass(frozen=True, slots=True)
class Way:
    """How the four are done: whether each is split, with so many slots; and the minutes that are promised."""

    name: str
    split: bool
    slots: int
    minutes: int


ALONE = Way("one after the other", False, 1, SERVICES * HOUR_MIN)
FLAT = Way("side by side", False, SERVICES, HOUR_MIN)
SPLIT = Way("recursively, three parts each", True, SERVICES * PARTS, HOUR_MIN // PARTS)


def main() -> int:
    """Measure and print."""
    chosen = options(__doc__).parse_args()
    minute_s = QUICK_MINUTE_S if chosen.quick else MINUTE_S
    imagined = [_judged(way, _imagined_min(way), MOST_IMAGINED) for way in (ALONE, FLAT, SPLIT)]
    real = [_judged(way, _real_min(way, minute_s), MOST_REAL) for way in ((SPLIT,) if chosen.quick else (FLAT, SPLIT))]
    said = f"a minute is {minute_s:g} s, so what it takes to start 4 times `orch spawn` and 16 processes counts {1 / minute_s:.3g} times"
    tables = [
        Table("Four services of 60 minutes: orch simulate", imagined),
        Table("The same for real", real, [said]),
    ]
    print_tables(tables, as_json=chosen.json)
    return 0


def _judged(way: Way, minutes: float, most_times: float) -> Row:
    return at_most(way.name, minutes, way.minutes * most_times, "min")


def _imagined_min(way: Way) -> float:
    limits = TreeLimits(way.slots, 1_000, 100, 1, ())
    return simulate(Scenario(SHAPE if way.split else SHAPE.cut(1), limits, way.slots)).makespan_s / 60


def _real_min(way: Way, minute_s: float) -> float:
    with (
        tempfile.TemporaryDirectory(prefix="tui-orch-promise-") as name,
        supervised(Path(name), way.slots) as (store, _),
    ):
        folder = Path(name)
        run_together(store, folder, ("true",) * SERVICES, workers=way.slots)  # everything has been loaded once
        if way.split:
            part = f"sleep {HOUR_MIN / PARTS * minute_s:g}"
            service = "orch spawn --kind command " + " ".join([f"'{part}'"] * PARTS)
        else:
            service = f"sleep {HOUR_MIN * minute_s:g}"
        return run_together(store, folder, (service,) * SERVICES, workers=way.slots) / minute_s


if __name__ == "__main__":
    sys.exit(main())
