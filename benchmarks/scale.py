"""What the store's work costs with 10 thousand, 100 thousand and 1 million jobs in it, and what eight writers at once get.

    python benchmarks/scale.py [--quick] [--json]

Over copies of stores that are made once in the folder for temporary files. Each operation is timed by itself, within a
transaction of some, so that no sync to the disk is in it; the last figures are of whole commits, each synced. The sizes take
turns, and of each operation the median counts.
"""

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from big_store import TREE_JOBS, big_store, copy_of
from judged import at_least
from scale_writers import committed
from table import Row, Table, options, print_tables

from store import queue
from store.claim import claim, start_attempt
from store.database import Reader, Store, Transaction
from store.feed import changed_since, newest_seq
from store.finish import finish, suspend
from store.home import Home
from store.models import Fence, Limits, NewJob, NewTree, Outcome, Usage
from store.states import Kind, Status
from store.submit import spawn, submit_tree
from store.tree import counts, get_job, get_tree, roots, subtree

SIZES = (10_000, 100_000, 1_000_000)
QUICK_SIZES = (1_000, 2_000)
MOST_TIMES, WRITERS = 5.0, 8
SHARE_OF_ONE, SHARE_OF_FAIR = 0.6, 0.5
CHILDREN = 10
_TASK = NewJob("wc -l src/*.py", Kind.COMMAND)
_LIMITS = Limits(max_depth=3, max_jobs=1_000, max_children=100, max_workers=10)

Times = dict[str, list[float]]  # microseconds of each operation


class _Watch:
    """Times each operation under its name."""

    def __init__(self, times: Times) -> None:
        self._times = times

    @contextmanager
    def of(self, name: str, count: int = 1) -> Iterator[None]:
        """Time a block that does the operation ``count`` times."""
        began = time.perf_counter_ns()
        yield
        self._times[name].append((time.perf_counter_ns() - began) / 1000 / count)


def main() -> int:
    """Measure and print."""
    chosen = options(__doc__).parse_args()
    sizes = QUICK_SIZES if chosen.quick else SIZES
    turns = chosen.turns or (2 if chosen.quick else 12)
    times: dict[int, Times] = {size: defaultdict(list) for size in sizes}
    with ExitStack() as open_:
        homes = {size: open_.enter_context(copy_of(big_store(size))) for size in sizes}
        stores = {size: open_.enter_context(Store.open(home)) for size, home in homes.items()}
        for _ in range(turns):
            for size, store in stores.items():
                _write(store, _Watch(times[size]))
                _read(store, _Watch(times[size]))
        largest, writers = homes[sizes[-1]], 2 if chosen.quick else WRITERS
        seconds, rounds = (0.1, 1) if chosen.quick else (1.0, 3)
        found = [(committed(largest, 1, seconds)[0], committed(largest, writers, seconds)) for _ in range(rounds)]
    tables = [_growth(times), _by_trees((1, 10) if chosen.quick else (1, 10, 100, 1_000)), _fairness(found, sizes[-1])]
    print_tables(tables, as_json=chosen.json)
    return 0


def _write(store: Store, watch: _Watch) -> None:
    """Play a tree through, as supervisor and workers do: a root, its children, and the roll-up at their end."""
    now_ms = time.time_ns() // 1_000_000
    with store.write() as tx:
        with watch.of("submit a tree"):
            root_id = submit_tree(tx, NewTree(NewJob("sh build.sh", Kind.CLAUDE), limits=_LIMITS), now_ms)
        root = _begin(tx, root_id, watch, now_ms)
        with watch.of(f"spawn {CHILDREN} children, each", CHILDREN):
            spawned = spawn(tx, root, [_TASK] * CHILDREN, now_ms)
        suspend(tx, root, "children", None, Usage(), now_ms)
        fences = [_begin(tx, job_id, watch, now_ms) for job_id in spawned.job_ids]
        for fence in fences[:-1]:
            with watch.of("finish a job"):
                finish(tx, fence, Outcome(Status.COMPLETED, result="42", usage=Usage(0.01, 10, 10)), now_ms)
        with watch.of("finish the last child: its parent is queued"):
            finish(tx, fences[-1], Outcome(Status.COMPLETED, result="42", usage=Usage(0.01, 10, 10)), now_ms)
        finish(tx, _begin(tx, root_id, watch, now_ms), Outcome(Status.COMPLETED, result="done"), now_ms)


def _begin(tx: Transaction, job_id: int, watch: _Watch, now_ms: int) -> Fence:
    with watch.of("claim: queued to running, by the supervisor"):
        fence = start_attempt(tx, job_id, "0" * 64, now_ms)
    with watch.of("claim: the attempt, by its worker"):
        claim(tx, fence, 1, now_ms)
    return fence


def _read(store: Store, watch: _Watch) -> None:
    with store.read() as reader:
        big = next(job.id for job in roots(reader, 1_000) if get_tree(reader, job.id).jobs == TREE_JOBS)
        for name, call in _reads(reader, big):
            call()  # the pages are in memory, as in a process that has looked before
            with watch.of(name):
                call()


def _reads(reader: Reader, root_id: int) -> Sequence[tuple[str, Callable[[], object]]]:
    now_ms = time.time_ns() // 1_000_000
    seq = newest_seq(reader) - 50

    def look() -> None:
        queue.queued_trees(reader, now_ms, 10)
        queue.overdue_jobs(reader, now_ms)
        queue.jobs_to_settle(reader)
        queue.rootless_jobs(reader)
        queue.next_time_ms(reader, now_ms)

    return (
        ("what a supervisor decides on, with 225 queued", look),
        ("its running jobs, 225", lambda: queue.running_jobs(reader)),
        ("totals of a subtree (states, dollars, tokens)", lambda: (counts(reader, root_id), get_job(reader, root_id))),
        ("totals of the store", lambda: counts(reader)),
        ("change feed, the last 50 changes", lambda: changed_since(reader, seq)),
        ("orch list, 20 trees", lambda: [get_tree(reader, job.id).jobs for job in roots(reader, 20)]),
        (f"orch tree, {TREE_JOBS:,} jobs", lambda: subtree(reader, root_id)),
    )


def _growth(times: dict[int, Times]) -> Table:
    sizes = list(times)
    rows: list[Row] = []
    for name in times[sizes[0]]:
        medians = [statistics.median(times[size][name]) for size in sizes]
        ratio = medians[-1] / medians[0]
        row: Row = {"operation": name}
        row |= {f"{size:,} jobs": median for size, median in zip(sizes, medians, strict=True)}
        row |= {"times": ratio, "target": f"≤ {MOST_TIMES:g}", "": "ok" if ratio <= MOST_TIMES else "missed"}
        rows.append(row)
    notes = [f"trees of {TREE_JOBS:,} jobs; times: the largest store to the smallest"]
    return Table("What the store's work costs as it grows, in microseconds", rows, notes)


def _by_trees(counts: Sequence[int]) -> Table:
    """Time the reading of what is queued, which a decision begins with, in a store of its own."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, Store.open(Home(Path(folder) / ".orch"), create=True) as store:
        made = 0
        for count in counts:
            with store.write() as tx:
                for _ in range(made, count):
                    submit_tree(tx, NewTree(NewJob("ten", Kind.GROUP), (_TASK,) * CHILDREN), 1_000)
            made = count
            times: Times = defaultdict(list)
            with store.read() as reader:
                for _ in range(5):
                    with _Watch(times).of("look"):
                        queue.queued_trees(reader, 2_000, CHILDREN)
            took = statistics.median(times["look"])
            rows.append({"trees with queued jobs": f"{count:,}", "µs": took, "µs a tree": took / count})
    notes = [f"{CHILDREN} candidates of each tree; the number of queued jobs beyond them does not matter"]
    return Table("What a supervisor decides on, by the number of trees", rows, notes)


def _fairness(found: list[tuple[int, list[int]]], size: int) -> Table:
    together = statistics.median(sum(many) / one for one, many in found)
    slowest = statistics.median(min(many) * len(many) / sum(many) for _, many in found)
    writers = len(found[0][1])
    rows = [
        at_least(f"{writers} writers together, of the commits of one", together, SHARE_OF_ONE),
        at_least("the slowest of them, of its fair share", slowest, SHARE_OF_FAIR),
    ]
    notes = [
        f"commits of one alone: {one:,}; of each of {writers} in the same time: {', '.join(map(str, sorted(many)))}"
        for one, many in found
    ]
    return Table(f"Writers at once, each commit synced, {size:,} jobs", rows, notes)


if __name__ == "__main__":
    sys.exit(main())
