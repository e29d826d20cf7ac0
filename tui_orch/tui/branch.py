"""The children of one unfolded job, in the order of the screen, as blocks: some loaded, some only counted. Pure.

A block holds the places of up to 512 siblings and the open branches among them, or it is a gap: so many siblings that
nobody has looked at yet. A sum over the blocks says in O(log n) where a row is, so a change costs the block that it
falls into and the same on the way up, never the siblings. Only ids are kept here, in 8 bytes each; nothing of a row.

In the order of ids nothing is ever inserted into a gap but at its end, since the store's ids only rise: new children
come behind the last, new root jobs before the first. That is what makes counting without looking right.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableSequence
from typing import Any

from tui_orch.tui.blocks import LOWEST, Block, Order, Page, Slot, Window, filled
from tui_orch.tui.row_counts import RowCounts
from tui_orch.tui.sorting import Key, Sort
from tui_orch.tui.source import PAGE

_LAST: Key = (float("inf"), 0.0)


class Branch:
    """An unfolded job (``job_id`` None: the store, above all root jobs) and its children."""

    __slots__ = (
        "_blocks",
        "_counts",
        "_firsts",
        "_orders",
        "depth",
        "job_id",
        "open",
        "order",
        "parent",
        "size",
        "sort",
    )

    def __init__(self, job_id: int | None, parent: "Branch | None", total: int) -> None:
        self.job_id = job_id
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1  # of the children
        self.open = parent is None
        self.order: Order = 0  # its place in the parent, right while it is open
        self.sort = Sort.ID
        self.size = total  # children, the ones in gaps included
        self._orders: dict[int, Order] | None = None  # places by id, where they do not follow from the id
        self._blocks: list[Block[Branch]] = []
        self._firsts: list[Order] = []  # per block, no greater than its first place (but for the very first block)
        self._counts = RowCounts()
        if total:
            self._splice(0, 0, [Block(array("q"), total)], [LOWEST])

    @property
    def rows(self) -> int:
        """Rows that the children take, with all that is open below them."""
        return self._counts.total

    @property
    def shown(self) -> bool:
        """Whether the children are rows of the screen: this and all branches above are open."""
        branch: Branch | None = self
        while branch is not None:
            if not branch.open:
                return False
            branch = branch.parent
        return True

    def ids(self) -> Iterator[int]:
        """Yield the ids of the loaded children, in order."""
        for block in self._blocks:
            for order in block.orders:
                yield _id(order)

    def __contains__(self, job_id: int) -> bool:
        return self._find(job_id) is not None

    # Rows

    def collect(self, start: int, window: Window) -> None:
        """Add the rows from ``start`` on to ``window``, until it is full."""
        if self.sort is not window.sort:
            window.unsorted.append(self.job_id)
        if start >= self.rows:
            return
        index, rest = self._counts.find(start)
        while index < len(self._blocks) and len(window.slots) < window.most:
            block = self._blocks[index]
            if block.missing:
                self._collect_gap(index, rest, window)
            else:
                self._collect_block(block, rest, window)
            index, rest = index + 1, 0

    def _collect_gap(self, index: int, rest: int, window: Window) -> None:
        missing = self._blocks[index].missing
        take = min(missing - rest, window.most - len(window.slots))
        window.slots.extend([Slot(None, self.job_id, self.depth, False)] * take)
        window.pages.append(self._page(index, rest // PAGE * PAGE))

    def _collect_block(self, block: "Block[Branch]", rest: int, window: Window) -> None:
        at, inner, number = block.find(rest)
        slots, most, unfolded = window.slots, window.most, block.unfolded
        while at < len(block.orders) and len(slots) < most:
            order = block.orders[at]
            branch = unfolded[number] if number < len(unfolded) and unfolded[number].order == order else None
            if inner is None:
                slots.append(Slot(_id(order), self.job_id, self.depth, branch is not None))
                inner = 0
            if branch is not None:
                number += 1
                if len(slots) < most:
                    branch.collect(inner, window)
            inner = None
            at += 1

    def row_of(self, job_id: int) -> int | None:
        """Return the row of a child, counted from the first child; None where it is not loaded."""
        found = self._find(job_id)
        if found is None:
            return None
        index, at = found
        block = self._blocks[index]
        order = block.orders[at]
        above = sum(branch.rows for branch in block.unfolded if branch.order < order)
        return self._counts.before(index) + at + above

    # Children come, go and move

    def add(self, job_id: int, key: Key | None = None) -> bool:
        """Add a child; False where it is there already, or falls into a gap, which `set_total` counts."""
        if self._orders is None:
            return self._insert(self._natural(job_id))
        if job_id in self._orders:
            return False
        assert key is not None
        order = (*key, self._natural(job_id))
        self._orders[job_id] = order
        return self._insert(order)

    def remove(self, job_id: int) -> "Branch | None":
        """Take a loaded child out, with the rows of its branch; return that branch where it is open."""
        found = self._find(job_id)
        if found is None:
            return None
        index, at = found
        block = self._blocks[index]
        order = block.orders.pop(at)
        if self._orders is not None:
            del self._orders[job_id]
        branch = next((branch for branch in block.unfolded if branch.order == order), None)
        gone = 1
        if branch is not None:
            block.unfolded.remove(branch)
            gone += branch.rows
        self.size -= 1
        if block.orders:
            self._counts.add(index, -gone)
        else:
            self._splice(index, index + 1, [], [])
        self._tell_parent(-gone)
        return branch

    def move(self, job_id: int, key: Key) -> bool:
        """Put a child of a sorted branch where ``key`` belongs; False where it stands there already."""
        if self._orders is None or self._orders.get(job_id) in (None, (*key, self._natural(job_id))):
            return False
        branch = self.remove(job_id)
        self.add(job_id, key)
        if branch is not None:
            self._attach(branch)
        return True

    def set_total(self, total: int) -> bool:
        """Take in how many children there are now; True where the gap behind the last loaded one grew by it.

        Where the last children are loaded, each new one is added by itself, as it becomes known.
        """
        more = total - self.size
        if more <= 0 or not self._blocks or not self._blocks[-1].missing:
            return False
        self._blocks[-1].missing += more
        self.size += more
        self._counts.add(len(self._blocks) - 1, more)
        self._tell_parent(more)
        return True

    # Folding

    def set_open(self, is_open: bool) -> None:
        """Show or hide the children. What is open below stays so."""
        if self.parent is None or is_open == self.open:
            return
        if is_open:
            self.open = True
            self.parent._attach(self)
        else:
            self.parent._detach(self)
            self.open = False

    # Loading

    def fill(self, page: Page, ids: list[int]) -> Page | None:
        """Put the ids of a page into the gap that it was asked for; fewer than its limit mean that there are no more.

        Return the page to be loaded at once where the last children were wanted and there may be newer ones: of a gap
        that is closed, everything must be loaded, or a child that nobody counted would be missed for good.
        """
        index = 0 if page.after_id is None else bisect_right(self._firsts, self._natural(page.after_id))
        if index >= len(self._blocks) or page.skip >= self._blocks[index].missing:
            return None  # loaded by now
        missing, first = self._blocks[index].missing, self._firsts[index]
        orders = [self._natural(job_id) for job_id in ids]
        is_last = index + 1 == len(self._firsts)
        if not is_last:
            orders = orders[: bisect_left(orders, self._firsts[index + 1])]
        left = max(0, missing - page.skip - len(orders)) if len(orders) == page.limit else 0
        unsure = is_last and len(ids) == page.limit and not left
        left += unsure
        blocks: list[Block[Branch]]
        blocks, firsts = filled(first, page.skip, orders, left)
        change = page.skip + len(orders) + left - missing
        self.size += change
        self._splice(index, index + 1, blocks, firsts)
        self._tell_parent(change)
        return Page(self.job_id, ids[-1], 0, PAGE) if unsure else None

    def page_with(self, job_id: int, count: Callable[[int | None], int]) -> Page | None:
        """Return the page to be loaded so that a child is; None where it is, or is none of these.

        ``count`` tells how many children stand between an id (None: from the first) and this child.
        """
        if self._orders is not None or not self._blocks:
            return None
        index = self._block_of(self._natural(job_id))
        missing = self._blocks[index].missing
        place = count(self._page(index, 0).after_id) if missing else 0
        return self._page(index, place // PAGE * PAGE) if place < missing else None

    def next_page(self) -> Page | None:
        """Return the first page that is not loaded; None where there are no gaps."""
        return next((self._page(index, 0) for index, block in enumerate(self._blocks) if block.missing), None)

    def resort(self, sort: Sort, keys: Mapping[int, Key] | None) -> None:
        """Sort all children anew by these keys (None: by their ids). With keys there must be no gaps; who has none stands last."""
        self.sort = sort
        if keys is None and self._orders is None:
            return
        branches = [branch for block in self._blocks for branch in block.unfolded]
        ids = list(self.ids())
        if keys is None:
            self._orders = None
        else:
            self._orders = {job_id: (*keys.get(job_id, _LAST), self._natural(job_id)) for job_id in ids}
        orders = sorted(self._order(job_id) for job_id in ids)
        chunks = [self._sequence(orders[start : start + PAGE]) for start in range(0, len(orders), PAGE)]
        self._blocks, self._firsts = [Block(chunk) for chunk in chunks], [chunk[0] for chunk in chunks]
        for branch in branches:
            assert branch.job_id is not None
            branch.order = self._order(branch.job_id)
            insort(self._blocks[self._block_of(branch.order)].unfolded, branch, key=_place)
        self._counts = RowCounts(block.rows for block in self._blocks)

    # Inner parts

    def _page(self, index: int, skip: int) -> Page:
        """Return the page of a gap that begins ``skip`` children behind the gap's begin."""
        after_id = _id(self._blocks[index - 1].orders[-1]) if index else None
        missing = self._blocks[index].missing - skip
        # At the very end one more than there should be: if it comes, others may have been inserted since.
        is_end = missing <= PAGE and index + 1 == len(self._blocks)
        return Page(self.job_id, after_id, skip, min(PAGE, missing) + is_end)

    def _natural(self, job_id: int) -> int:
        return -job_id if self.job_id is None else job_id

    def _order(self, job_id: int) -> Order:
        return self._natural(job_id) if self._orders is None else self._orders[job_id]

    def _sequence(self, orders: list[Any]) -> MutableSequence[Any]:
        return array("q", orders) if self._orders is None else orders

    def _block_of(self, order: Order) -> int:
        return max(bisect_right(self._firsts, order) - 1, 0)

    def _find(self, job_id: int) -> tuple[int, int] | None:
        order = self._natural(job_id) if self._orders is None else self._orders.get(job_id)
        if order is None or not self._blocks:
            return None
        index = self._block_of(order)
        orders = self._blocks[index].orders
        at = bisect_left(orders, order)
        return (index, at) if at < len(orders) and orders[at] == order else None

    def _insert(self, order: Order) -> bool:
        if not self._blocks:
            self._splice(0, 0, [Block(self._sequence([order]))], [order])
        else:
            index = self._block_of(order)
            block = self._blocks[index]
            at = bisect_left(block.orders, order)
            if block.missing or (at < len(block.orders) and block.orders[at] == order):
                return False
            block.orders.insert(at, order)
            self._counts.add(index, 1)
            if len(block.orders) > 2 * PAGE:
                halves = block.halves()
                self._splice(index, index + 1, halves, [half.orders[0] for half in halves])
        self.size += 1
        self._tell_parent(1)
        return True

    def _splice(self, start: int, stop: int, blocks: "list[Block[Branch]]", firsts: Iterable[Order]) -> None:
        self._blocks[start:stop] = blocks
        self._firsts[start:stop] = firsts
        self._counts.splice(start, stop, [block.rows for block in blocks])

    def _attach(self, branch: "Branch") -> None:
        """Take the rows of a child's branch in."""
        assert branch.job_id is not None
        branch.order = self._order(branch.job_id)
        index = self._block_of(branch.order)
        insort(self._blocks[index].unfolded, branch, key=_place)
        self._grow(index, branch.rows)

    def _detach(self, branch: "Branch") -> None:
        index = self._block_of(branch.order)
        self._blocks[index].unfolded.remove(branch)
        self._grow(index, -branch.rows)

    def _grow(self, index: int, rows: int) -> None:
        self._counts.add(index, rows)
        self._tell_parent(rows)

    def _tell_parent(self, rows: int) -> None:
        """Take ``rows`` more (or less) in, in every branch above up to the first that is closed."""
        if self.parent is not None and self.open:
            self.parent._grow(self.parent._block_of(self.order), rows)


def _id(order: Order) -> int:
    return abs(order if isinstance(order, int) else order[-1])


def _place(branch: Branch) -> Any:
    return branch.order
