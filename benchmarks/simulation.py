"""What deciding costs, and what its order is worth: the real `plan` over imagined trees of up to a million jobs.

    python benchmarks/simulation.py [--quick] [--json]

The same as `orch simulate`: a virtual clock, and a store in memory in place of the queries. What the queries cost is in
scale.py. Nothing is started.
"""

import sys
import time

from judged import at_most
from table import Row, Table, options, print_tables

from store.states import Kind
from tui_orch.request.estimate import WORKER_MB
from tui_orch.simulate.engine import DEEPEST_FIRST, ORDERS, Scenario, simulate
from tui_orch.simulate.memory_store import TreeLimits
from tui_orch.simulate.of_request import paths
from tui_orch.simulate.shape import Level, Shape

#: In which a million jobs are to be through (s), and how much dearer a decision may get with a thousand times the jobs.
MOST_S, MOST_TIMES = 120.0, 2.0
LIMITS = TreeLimits(1_000, 10_000_000, 100_000, 2, ())
SLOTS = 10


def main() -> int:
    """Measure and print."""
    chosen = options(__doc__).parse_args()
    quick = chosen.quick
    tables = [
        _orders((3, 4) if quick else (5, 10)),
        _by_jobs((10, 100) if quick else (100, 1_000, 10_000, 100_000)),
        _by_trees((1, 10) if quick else (1, 10, 100, 1_000)),
        _very_many(4 if quick else 16),
    ]
    print_tables(tables, as_json=chosen.json)
    return 0


def _tree(*children: int, failing: float = 0.0) -> Shape:
    """Return a tree whose jobs work a minute, give or take half of it; parents once more when they are resumed."""
    return Shape((*(Level(count, 60.0, 60.0) for count in children), Level(0, 60.0)), failing, spread=0.5)


def _very_many(children: int) -> Table:
    shape = _tree(*(children,) * 5)
    began = time.monotonic()
    found = simulate(Scenario(shape, LIMITS, SLOTS))
    took_s = time.monotonic() - began
    row = at_most(f"{found.jobs:,} jobs in one tree ({paths(shape)}), {SLOTS} slots", took_s, MOST_S, "s")
    notes = [
        f"{found.decisions:,} decisions of {found.decision_us:.0f} µs; the rest is the store in memory",
        f"they would take {found.makespan_s / 86_400:,.0f} days, {found.times_ideal:.4f} times the possible; "
        f"at most {found.peaks.waiting_sessions:,} sessions wait, and {found.peaks.queued:,} jobs are queued",
    ]
    return Table("A million jobs through `plan`", [row], notes)


def _by_jobs(counts: tuple[int, ...]) -> Table:
    rows: list[Row] = []
    for count in counts:
        shape = Shape((Level(count, kind=Kind.GROUP), Level(0, 60.0)), spread=0.5)
        found = simulate(Scenario(shape, LIMITS, SLOTS))
        rows.append({"queued jobs, one tree": f"{count:,}", "µs a decision": found.decision_us})
        first = rows[0]["µs a decision"]
        assert isinstance(first, float)
        rows[-1] |= {"times the first": found.decision_us / first, "target": f"≤ {MOST_TIMES:g}"}
        rows[-1][""] = "ok" if found.decision_us <= MOST_TIMES * first else "missed"
    return Table(
        "What a decision costs, by the number of queued jobs", rows, [f"{SLOTS} slots, all taken all the time"]
    )


def _by_trees(counts: tuple[int, ...]) -> Table:
    rows: list[Row] = []
    for count in counts:
        shape = Shape((Level(max(1, 200 // count), kind=Kind.GROUP), Level(0, 60.0)), spread=0.5)
        found = simulate(Scenario(shape, LIMITS, SLOTS, trees=count))
        # The middle of the way: all trees have queued jobs still.
        full = max(found.costs, key=lambda cost: (cost.trees, cost.decisions))
        rows.append({"trees with queued jobs": f"{count:,}", "µs a decision": full.mean_us})
        rows[-1]["µs a tree"] = full.mean_us / count
    notes = ["a decision looks at the first job of each tree, so that none starves: that part grows with the trees"]
    return Table("What a decision costs, by the number of trees", rows, notes)


def _orders(of_each: tuple[int, int]) -> Table:
    rows: list[Row] = []
    small, big = of_each
    trees = (
        (_tree(*(small,) * 3), 4, "none fails"),
        (_tree(*(small,) * 3, failing=0.1), 4, "1 of 10 fails"),
        (_tree(*(big,) * 4), SLOTS, "none fails"),
    )
    for shape, slots, failures in trees:
        for order in ORDERS:
            found = simulate(Scenario(shape, LIMITS, slots), order)
            peaks = found.peaks
            row: Row = {"tree": paths(shape), "slots": slots, "attempts": failures}
            row["order"] = f"{order} (ours)" if order == DEEPEST_FIRST else order
            row["times the ideal"] = f"{found.times_ideal:.3f}"
            row["sessions that wait, at most"] = peaks.waiting_sessions
            row["GB"] = peaks.memory_mb / 1000
            row["GB if parents waited inside"] = peaks.alive_if_parents_stayed * WORKER_MB / 1000
            rows.append(row)
    notes = [f"Claude Code at {WORKER_MB} MB a process; jobs work 30 to 90 s, parents once more when they are resumed"]
    return Table("Orders compared", rows, notes)


if __name__ == "__main__":
    sys.exit(main())
