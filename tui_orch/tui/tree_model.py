"""The tree of the screen without the screen: a forest, the jobs of the rows that are looked at, and what loads both.

Reads only what is asked for: a window of rows costs those rows, a change costs itself, whatever is in the store. Counts
what it has read (``fetched``), so that this can be proved. Knows no Textual; writes nothing.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from store.browse import Link
from store.models import Job
from store.states import FINAL
from tui_orch.tui.blocks import Page
from tui_orch.tui.branch import Branch
from tui_orch.tui.forest import Applied, Forest
from tui_orch.tui.sieve import Sieve
from tui_orch.tui.sorting import Key, Sort, key
from tui_orch.tui.source import PAGE, Source

#: Jobs that are kept beyond the rows of the last window, so that scrolling back reads nothing.
_KEPT_JOBS = 512
#: Siblings that are sorted by something else than their ids; more of them stay in the order of ids.
MOST_SORTED = 10_000
#: Jobs read at once to be sorted.
_SORT_STEP = 500
#: Rows up to which jobs under way are unfolded by themselves as they get children.
_MOST_GROWN = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """What one row shows. ``job`` is None while it is not there yet."""

    job_id: int | None
    parent_id: int | None
    depth: int
    folded: bool | None  # None: there is nothing to fold
    job: Job | None
    question: str | None  # what its worker asks a person, where that is open


class TreeModel:
    """All rows of a source. With ``grow``, jobs under way are unfolded by themselves, but for those a person folded."""

    def __init__(self, source: Source, *, grow: bool = True) -> None:
        self.forest = Forest()
        self.sieve: Sieve | None = None
        self.fetched = 0  # ids and jobs read so far
        self._source = source
        self._grow = grow
        self._folded_by_hand: set[int] = set()
        self._jobs: dict[int, Job] = {}
        self._questions: dict[int, str] = {}

    @property
    def view(self) -> Forest:
        """The forest that is shown: all, or what the filter leaves."""
        return self.forest if self.sieve is None else self.sieve.forest

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.view.rows

    # Looking

    def open(self, screen_rows: int) -> None:
        """Load the newest root jobs, and unfold what is under way until a screen is full."""
        self.sieve = None
        self._jobs.clear()  # after trouble the store may be another one
        self._questions.clear()
        self.forest = Forest(self._source.count(None))
        self.window(0, max(1, screen_rows))
        row = 0
        while self._grow and row < screen_rows and self.forest.rows > row:
            job = self.window(row, 1)[0].job
            if job is not None and job.children and job.status not in FINAL:
                self.forest.unfold(Link(job.id, job.parent_id, job.children))
            row += 1

    def window(self, start: int, most: int) -> list[Line]:
        """Return the rows from ``start`` on, at most so many, with their jobs; reads those that are not known."""
        window = self.view.window(start, most)
        while window.pages or window.unsorted:
            for parent_id in window.unsorted:
                self._sort_children(parent_id)
            if not window.unsorted:
                self._load(self.view, window.pages[0])
            window = self.view.window(start, most)
        ids = [slot.job_id for slot in window.slots if slot.job_id is not None]
        self._know(ids)
        return [self._line(*slot) for slot in window.slots]

    def again(self, line: Line) -> Line:
        """Return the line as it is now."""
        if line.job_id is None:
            return line
        self._know([line.job_id])
        return self._line(line.job_id, line.parent_id, line.depth, self.view.is_unfolded(line.job_id))

    def _line(self, job_id: int | None, parent_id: int | None, depth: int, unfolded: bool) -> Line:
        if job_id is None:
            return Line(None, parent_id, depth, None, None, None)
        job = self._jobs.get(job_id)
        can_fold = unfolded or (job is not None and self.view.can_unfold(job))
        return Line(job_id, parent_id, depth, not unfolded if can_fold else None, job, self._questions.get(job_id))

    def row_of(self, job_id: int, parent_id: int | None) -> int | None:
        """Return a job's row; None where it is folded away, filtered out or not loaded."""
        for above_id in self.view.unsorted_above(parent_id):
            self._sort_children(above_id)
        return self.view.row_of(job_id, parent_id)

    def shown_above(self, job_id: int | None) -> tuple[int, int, int | None] | None:
        """Return row, id and parent's id of this job, or of the nearest above it that is a row; None for none."""
        for above_id in self.view.unsorted_above(job_id):
            self._sort_children(above_id)
        branch = self.view.branch(job_id)
        while branch is not None and branch.job_id is not None and branch.parent is not None:
            found = self.view.row_of(branch.job_id, branch.parent.job_id)
            if found is not None:
                return found, branch.job_id, branch.parent.job_id
            branch = branch.parent
        return None

    def job(self, job_id: int) -> Job | None:
        """Return a job of which a row was looked at lately."""
        return self._jobs.get(job_id)

    # What happens in the store

    def apply(self, jobs: Collection[Job]) -> Applied:
        """Take in changed jobs."""
        touched = set()
        for job in jobs:
            known = self._jobs.get(job.id)
            if known is not None and known.seq <= job.seq:
                self._jobs[job.id] = job
                self._questions.pop(job.id, None)
                touched.add(job.id)
        applied = self.forest.apply(jobs)
        if self._grow:
            applied.rows_changed |= self._unfold_under_way(jobs)
        if self.sieve is not None:
            applied = self.sieve.apply(jobs)
        applied.touched = touched
        return applied

    def _unfold_under_way(self, jobs: Iterable[Job]) -> bool:
        unfolded = False
        for job in sorted(jobs, key=lambda job: job.id):
            if self.forest.rows >= _MOST_GROWN:
                break
            if not job.children or job.status in FINAL or job.id in self._folded_by_hand:
                continue
            siblings = self.forest.branch(job.parent_id)
            if self.forest.branch(job.id) is None and siblings is not None and siblings.shown and job.id in siblings:
                self._unfold(self.forest, Link(job.id, job.parent_id, job.children))
                unfolded = True
        return unfolded

    # What a person does

    def unfold(self, job_id: int) -> bool:
        """Show a job's children; False where it has none or they are shown."""
        if self.view.is_unfolded(job_id):
            return False
        self._folded_by_hand.discard(job_id)
        job = self._jobs.get(job_id)
        links = [Link(job.id, job.parent_id, job.children)] if job is not None else self._source.links([job_id])
        return bool(links) and self.view.unfold(links[0])

    def fold(self, job_id: int) -> bool:
        """Hide a job's children; False where they are hidden."""
        self._folded_by_hand.add(job_id)
        return self.view.fold(job_id)

    def unfold_all(self, job_id: int, most: int = 1_000) -> bool:
        """Unfold a job and all below it, level by level, until some ``most`` rows are added; False where that was cut."""
        start = self.view.rows
        links = self._source.links([job_id])
        while links:
            below: list[int] = []
            for link in links:
                if self.view.rows - start >= most:
                    return False
                self._folded_by_hand.discard(link.id)
                branch = self._unfold(self.view, link)
                below += list(branch.ids())[:PAGE] if branch is not None else []
            links = [link for link in self._source.links(below) if link.children] if below else []
        return True

    def restore(self, unfolded: Iterable[int]) -> None:
        """Unfold these jobs where they are there, as `Forest.unfolded` gave them."""
        for link in self._source.links(list(unfolded)):  # by id, and so parents before their children
            branch = self.forest.branch(link.parent_id)
            if branch is not None:
                self._load_around(self.forest, link.id, branch)
                self._unfold(self.forest, link)

    def reveal(self, job_id: int) -> int | None:
        """Unfold and load what is above a job, and return its row; None where a filter hides it or it is not there."""
        path = self._source.path(job_id)
        for job in path:
            branch = self.view.branch(job.parent_id)
            if branch is None:
                return None
            self._load_around(self.view, job.id, branch)
            if job.id != job_id:
                self.view.unfold(Link(job.id, job.parent_id, job.children))
        return self.row_of(job_id, path[-1].parent_id) if path else None

    def set_sort(self, sort: Sort) -> None:
        """Sort all siblings by something else; each branch when it is looked at."""
        self.forest.sort = sort
        if self.sieve is not None:
            self.sieve.forest.sort = sort

    def set_filter(self, matches: Callable[[Job], bool] | None) -> None:
        """Show only jobs that match and those above them; all for None. `Sieve.search` then finds them step by step."""
        self.sieve = None if matches is None else Sieve(self._source, matches, self.forest.sort)

    # Loading

    def _unfold(self, view: Forest, link: Link) -> Branch | None:
        """Unfold a job and load its first children."""
        if not view.unfold(link):
            return None
        branch = view.branch(link.id)
        assert branch is not None
        page = branch.next_page()
        if page is not None and page.after_id is None:
            self._load(view, page)
        return branch

    def _load(self, view: Forest, page: Page) -> None:
        wanted: Page | None = page
        while wanted is not None:
            parent_id, after_id, skip, limit = wanted
            ids = self._source.ids(parent_id, after_id=after_id, skip=skip, limit=limit)
            self.fetched += len(ids)
            wanted = view.fill(wanted, ids)

    def _load_around(self, view: Forest, job_id: int, branch: Branch) -> None:
        """Load the page of siblings that a job is on."""
        page = branch.page_with(
            job_id, lambda after_id: self._source.count(branch.job_id, after_id=after_id, before_id=job_id)
        )
        if page is not None:
            self._load(view, page)

    def _know(self, ids: list[int]) -> None:
        """Have the jobs of these rows at hand, and of others no more than scrolling back needs."""
        unknown = [job_id for job_id in ids if job_id not in self._jobs]
        if unknown:
            jobs = self._source.jobs(unknown)
            self.fetched += len(jobs)
            self._jobs.update((job.id, job) for job in jobs)
            self._forget(set(ids))
        known = [self._jobs[job_id] for job_id in ids if job_id in self._jobs]
        asking = [job.id for job in known if job.open_asks and job.id not in self._questions]
        if asking:
            self._questions |= dict.fromkeys(asking, "") | self._source.questions(asking)

    def _forget(self, needed: set[int]) -> None:
        surplus = len(self._jobs) - len(needed) - _KEPT_JOBS
        if surplus > 0:
            for job_id in [job_id for job_id in self._jobs if job_id not in needed][:surplus]:
                del self._jobs[job_id]
                self._questions.pop(job_id, None)

    def _sort_children(self, job_id: int | None) -> None:
        view = self.view
        branch = view.branch(job_id)
        assert branch is not None
        if view.sort is Sort.ID or branch.size > MOST_SORTED:
            view.resort(job_id, None)
            return
        while (page := branch.next_page()) is not None:
            self._load(view, page)
        ids = list(branch.ids())
        keys: dict[int, Key] = {}
        for start in range(0, len(ids), _SORT_STEP):
            jobs = self._source.jobs(ids[start : start + _SORT_STEP])
            self.fetched += len(jobs)
            keys.update((job.id, key(job, view.sort)) for job in jobs)
        view.resort(job_id, keys)
