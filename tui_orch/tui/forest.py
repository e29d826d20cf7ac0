"""Which jobs are rows of the screen, and in which row each stands. Pure: knows neither Textual nor where jobs come from.

A forest is a branch (see `branch`) for every job that was ever unfolded, under one for the root jobs. It changes by
`apply` as jobs change and by `unfold` and `fold` as a person likes; whoever draws asks for a `window` of rows and brings
what that says is missing. A job is found by its id and that of its parent, so that nothing is kept for a row but its id.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from store.browse import Link
from store.models import Job
from tui_orch.tui.blocks import Page, Window
from tui_orch.tui.branch import Branch
from tui_orch.tui.sorting import Key, Sort, key


@dataclass(slots=True)
class Applied:
    """What changes of jobs did to the rows."""

    rows_changed: bool = False  # rows came or went, or were moved
    moved: set[int] = field(default_factory=set)  # jobs that stand elsewhere among their siblings now
    touched: set[int] = field(default_factory=set)  # jobs whose own row may look different


class Forest:
    """The rows. ``total`` is how many root jobs there are; ``takes_new`` whether unknown jobs become rows by themselves."""

    def __init__(self, total: int = 0, *, takes_new: bool = True) -> None:
        self.sort = Sort.ID
        self._takes_new = takes_new
        self._top = Branch(None, None, total)
        self._branches: dict[int | None, Branch] = {None: self._top}

    @property
    def rows(self) -> int:
        """How many rows there are, those in gaps included."""
        return self._top.rows

    def window(self, start: int, most: int) -> Window:
        """Return the rows from ``start`` on, at most so many, with what has to be loaded or sorted for them."""
        window = Window(most, self.sort)
        self._top.collect(start, window)
        return window

    def row_of(self, job_id: int, parent_id: int | None) -> int | None:
        """Return the row in which a job stands; None where it is folded away or not loaded."""
        branch, child, row = self._branches.get(parent_id), job_id, 0
        while branch is not None:
            found = branch.row_of(child) if branch.open else None
            if found is None:
                return None
            row += found
            if branch.job_id is None:
                return row
            child, row, branch = branch.job_id, row + 1, branch.parent
        return None

    def branch(self, job_id: int | None) -> Branch | None:
        """Return the branch of a job that was unfolded once; of the root jobs for None."""
        return self._branches.get(job_id)

    def unsorted_above(self, parent_id: int | None) -> list[int | None]:
        """Return the jobs from this one up whose children are not in the forest's order yet."""
        branch, found = self._branches.get(parent_id), []
        while branch is not None:
            if branch.sort is not self.sort:
                found.append(branch.job_id)
            branch = branch.parent
        return found

    def is_unfolded(self, job_id: int) -> bool:
        """Tell whether a job's children are shown (if it is itself)."""
        branch = self._branches.get(job_id)
        return branch is not None and branch.open

    def can_unfold(self, job: Job) -> bool:
        """Tell whether a job has children that could be shown."""
        if self._takes_new:
            return job.children > 0
        branch = self._branches.get(job.id)
        return branch is not None and branch.size > 0

    def unfolded(self) -> list[int]:
        """Return the ids of all unfolded jobs, parents before their children."""
        return sorted(job_id for job_id, branch in self._branches.items() if job_id is not None and branch.open)

    # What a person does

    def unfold(self, link: Link) -> bool:
        """Show a job's children; False where its own row is not loaded, or it has none."""
        branch = self._branches.get(link.id)
        if branch is None:
            parent = self._branches.get(link.parent_id)
            if not self._takes_new or parent is None or link.id not in parent or not link.children:
                return False
            branch = self._branches[link.id] = Branch(link.id, parent, link.children)
        branch.set_open(True)
        return True

    def fold(self, job_id: int) -> bool:
        """Hide a job's children, remembering what is unfolded below; False where they are hidden already."""
        branch = self._branches.get(job_id)
        if branch is None or not branch.open:
            return False
        branch.set_open(False)
        return True

    # What a loader brings

    def fill(self, page: Page, ids: list[int]) -> Page | None:
        """Take in a page of siblings; fewer than its limit say that there are no more. Return what to load at once."""
        branch = self._branches.get(page.parent_id)
        return None if branch is None else branch.fill(page, ids)

    def resort(self, job_id: int | None, keys: Mapping[int, Key] | None) -> None:
        """Put a branch in the forest's order by the keys of all its children; None leaves it in the order of ids."""
        self._branches[job_id].resort(self.sort, keys)

    # What happens in the store

    def apply(self, jobs: Iterable[Job]) -> Applied:
        """Take in changed jobs: new ones become rows where their siblings are loaded, sorted ones may move."""
        applied = Applied()
        for job in jobs:
            siblings = self._branches.get(job.parent_id)
            if siblings is not None and self._place(siblings, job, applied):
                applied.rows_changed |= siblings.shown
            own = self._branches.get(job.id)
            if own is not None and self._takes_new and own.set_total(job.children):
                applied.rows_changed |= own.shown
        return applied

    def _place(self, siblings: Branch, job: Job, applied: Applied) -> bool:
        place = key(job, siblings.sort)
        if siblings.move(job.id, place):
            applied.moved.add(job.id)
            return True
        return self._takes_new and siblings.add(job.id, place)

    # What a filter does

    def keep(self, path: Sequence[Job]) -> bool:
        """Make rows of all jobs of ``path`` (the root first), unfolded; False where they all were."""
        added = False
        for job in path:
            siblings = self._branches.get(job.parent_id)
            if siblings is None:
                siblings = self._branches[job.parent_id] = Branch(job.parent_id, self._above(job, path), 0)
                siblings.sort = self.sort
                if self.sort is not Sort.ID:
                    siblings.resort(self.sort, {})
                siblings.set_open(True)
            added |= siblings.add(job.id, key(job, siblings.sort))
        return added

    def _above(self, job: Job, path: Sequence[Job]) -> Branch:
        parent = next(above for above in path if above.id == job.parent_id)
        return self._branches[parent.parent_id]

    def drop(self, job_id: int, parent_id: int | None, is_kept: Callable[[int], bool]) -> bool:
        """Take a job's row out, and those above that nobody wants any more; False where it has rows below it."""
        dropped = False
        while True:
            branch, siblings = self._branches.get(job_id), self._branches.get(parent_id)
            if siblings is None or job_id not in siblings or (branch is not None and branch.size):
                return dropped
            if branch is not None:
                branch.set_open(False)
                del self._branches[job_id]
            siblings.remove(job_id)
            dropped = True
            if siblings.job_id is None or is_kept(siblings.job_id) or siblings.parent is None:
                return True
            job_id, parent_id = siblings.job_id, siblings.parent.job_id

    def walk(self) -> Iterator[tuple[int | None, Branch]]:
        """Yield every branch with its job's id, for whoever measures or checks."""
        yield from self._branches.items()
