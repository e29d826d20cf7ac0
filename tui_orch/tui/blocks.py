"""The parts of a branch: a block of siblings, the rows that a window collects, the pages that are still to be loaded."""

from array import array
from bisect import bisect_left
from collections.abc import MutableSequence
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from tui_orch.tui.sorting import Sort
from tui_orch.tui.source import PAGE

#: A place among siblings: the id (negative for root jobs: newest first), or a sort key with it at the end.
Order: TypeAlias = int | tuple[float, float, int]
#: Before every place in the order of ids.
LOWEST = -(2**63)


class Slot(NamedTuple):
    """What stands in one row. ``job_id`` is None in a gap."""

    job_id: int | None
    parent_id: int | None
    depth: int
    unfolded: bool


class Page(NamedTuple):
    """Siblings to be loaded: ``limit`` ids behind ``after_id`` (None: from the first), less ``skip``."""

    parent_id: int | None
    after_id: int | None
    skip: int
    limit: int


class Window:
    """Rows to be drawn, and what has to be loaded or sorted before they are right."""

    __slots__ = ("most", "pages", "slots", "sort", "unsorted")

    def __init__(self, most: int, sort: Sort) -> None:
        self.most = most
        self.sort = sort
        self.slots: list[Slot] = []
        self.pages: list[Page] = []
        self.unsorted: list[int | None] = []  # whose children are not in the window's order


class Open(Protocol):
    """What a block knows of an open branch: where it hangs, and how many rows it takes."""

    order: Order

    @property
    def rows(self) -> int:
        """Rows of all that is shown below."""
        ...


OpenBranch = TypeVar("OpenBranch", bound=Open)


class Block(Generic[OpenBranch]):
    """Some siblings in order with the open branches among them, or a gap: so many siblings that are not loaded."""

    __slots__ = ("missing", "orders", "unfolded")

    def __init__(self, orders: MutableSequence[Any], missing: int = 0) -> None:
        self.orders = orders
        self.missing = missing  # how many siblings a gap stands for; 0 in a loaded block
        self.unfolded: list[OpenBranch] = []  # the open branches among them, in order

    @property
    def rows(self) -> int:
        """Rows of the siblings and of all that is shown below them."""
        return len(self.orders) + self.missing + sum(branch.rows for branch in self.unfolded)

    def find(self, row: int) -> tuple[int, int | None, int]:
        """Return which sibling ``row`` belongs to, which row of its branch (None: its own), and the next open branch."""
        skipped = 0
        for number, branch in enumerate(self.unfolded):
            at = bisect_left(self.orders, branch.order)
            if row <= at + skipped:
                return row - skipped, None, number
            if row <= at + skipped + branch.rows:
                return at, row - at - skipped - 1, number
            skipped += branch.rows
        return row - skipped, None, len(self.unfolded)

    def halves(self) -> "list[Block[OpenBranch]]":
        """Return two blocks that hold what this one does."""
        parts: list[Block[OpenBranch]] = [Block(self.orders[:PAGE]), Block(self.orders[PAGE:])]
        first = parts[1].orders[0]
        for branch in self.unfolded:
            parts[branch.order >= first].unfolded.append(branch)
        return parts


def filled(first: Order, skip: int, orders: list[int], left: int) -> tuple[list[Block[Any]], list[Order]]:
    """Return what takes a gap's place, with the first place of each: ``skip`` still missing, these, ``left`` missing.

    ``first`` is the gap's own first place.
    """
    blocks: list[Block[Any]] = []
    firsts: list[Order] = []
    if skip:
        blocks.append(Block(array("q"), skip))
        firsts.append(first)
    for start in range(0, len(orders), PAGE):
        blocks.append(Block(array("q", orders[start : start + PAGE])))
        firsts.append(orders[start])
    if left:
        blocks.append(Block(array("q"), left))
        firsts.append(orders[-1] + 1)
    return blocks, firsts
