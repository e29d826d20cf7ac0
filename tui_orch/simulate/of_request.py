"""What a request would become if every worker split its work evenly: shapes and runs to compare. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from store.states import Kind
from tui_orch.simulate.engine import DEEPEST_FIRST, ORDERS, Scenario
from tui_orch.simulate.memory_store import TreeLimits
from tui_orch.simulate.shape import Level, Shape

#: Workers at once up to which it is asked what as many as are wanted would come to.
MOST_WANTED = 1_000


@dataclass(frozen=True, slots=True)
class Work:
    """How the work is imagined. ``children`` of each job that may split: one number for all levels, or one a level."""

    children: Sequence[int]
    work_s: float  # of each item of a group, else of the request, with all that it hands down
    before_s: float = 0.0  # more, of each job that splits
    after_s: float = 0.0
    failing: float = 0.0
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """One of the runs to compare."""

    name: str
    scenario: Scenario
    order: str = DEEPEST_FIRST


def shape_of(kind: Kind, items: int, max_depth: int, work: Work) -> Shape:
    """Return the tree of a request: a group of ``items`` jobs of a kind, or one job where that is 0."""
    depth_left = max_depth - (1 if items else 0)
    given = tuple(work.children)
    counts = given * depth_left if len(given) == 1 else given[:depth_left]
    splits = [count for count in counts if count > 0] if 0 not in counts else list(counts[: counts.index(0)])
    share_s = work.work_s
    for count in splits:
        share_s /= count
    levels = [Level(count, work.before_s, work.after_s, kind) for count in splits]
    levels.append(Level(0, share_s, 0.0, kind))
    if items:
        levels.insert(0, Level(items, kind=Kind.GROUP))
    return Shape(tuple(levels), work.failing, work.spread)


def runs(scenario: Scenario) -> Iterator[Run]:
    """Return what to compare: the work undivided, divided without a limit, and as the limits and each order have it."""
    shape, limits = scenario.shape, replace(scenario.limits, timeouts_s=())
    items = shape.levels[0].children if shape.levels[0].kind is Kind.GROUP else 0
    flat = shape.cut(1 if items else 0)
    alone = replace(scenario, shape=flat, limits=replace(limits, max_workers=1), slots=1)
    yield Run("one after the other", alone)
    if items and len(shape.levels) > 2 and items * scenario.trees <= MOST_WANTED:
        yield Run("side by side, none split again", _boundless(scenario, flat, limits))
    if shape.widest * scenario.trees <= MOST_WANTED and len(shape.levels) > 1:
        yield Run("split all the way down", _boundless(scenario, shape, limits))
    for order in ORDERS:
        yield Run(f"{_at_once(scenario)} at once, {order}", scenario, order)


def paths(shape: Shape) -> str:
    """Return how a tree grows, in words: ``1 → 4 → 12``."""
    widths = [1]
    for above, _ in pairwise(shape.levels):
        widths.append(widths[-1] * above.children)
    return " → ".join(f"{width:,}" for width in widths)


def _boundless(scenario: Scenario, shape: Shape, limits: TreeLimits) -> Scenario:
    wanted = shape.widest * scenario.trees
    return replace(scenario, shape=shape, limits=replace(limits, max_workers=wanted), slots=wanted, memory_mb=None)


def _at_once(scenario: Scenario) -> int:
    return min(scenario.slots, scenario.limits.max_workers * scenario.trees)
