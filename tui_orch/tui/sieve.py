"""The rows while a filter is on: jobs that match, and the jobs above them. Reads the store in steps, newest jobs first.

Holds a forest of its own, so that the one without a filter stays as it was. Decides nothing about what matches.
"""

from collections.abc import Callable, Iterable

from store.models import Job
from tui_orch.tui.forest import Applied, Forest
from tui_orch.tui.sorting import Sort
from tui_orch.tui.source import Source

#: Jobs that one step looks at: some 5 milliseconds.
STEP = 250
#: Matches after which the search ends: a person narrows the filter instead.
MOST_MATCHES = 5_000


class Sieve:
    """``while sieve.search(): ...`` finds what is there; `apply` keeps it right from the beginning."""

    def __init__(self, source: Source, matches: Callable[[Job], bool], sort: Sort) -> None:
        self.forest = Forest(takes_new=False)
        self.forest.sort = sort
        self.forest.resort(None, {} if sort is not Sort.ID else None)
        self.matched: set[int] = set()
        self.searched = 0  # jobs looked at
        self.done = False
        self._source = source
        self._matches = matches
        self._before_id: int | None = None

    def search(self) -> bool:
        """Look at the next older jobs; False when there are no more, or more matches than anyone reads."""
        if self.done:
            return False
        jobs = self._source.older(self._before_id, STEP)
        self.searched += len(jobs)
        self._keep([job for job in jobs if self._matches(job)])
        self.done = len(jobs) < STEP or len(self.matched) >= MOST_MATCHES
        self._before_id = jobs[-1].id if jobs else None
        return not self.done

    def apply(self, jobs: Iterable[Job]) -> Applied:
        """Take in changed jobs: some match now, some do no more."""
        jobs = list(jobs)
        applied = self.forest.apply(jobs)
        kept = []
        for job in jobs:
            if self._matches(job):
                kept.append(job)
            elif job.id in self.matched:
                self.matched.discard(job.id)
                applied.rows_changed |= self.forest.drop(job.id, job.parent_id, self.matched.__contains__)
        applied.rows_changed |= self._keep(kept)
        return applied

    def _keep(self, jobs: list[Job]) -> bool:
        new = [job for job in jobs if job.id not in self.matched]
        self.matched.update(job.id for job in new)
        above = self._above(new)
        added = False
        for job in new:
            path = [job]
            while (parent_id := path[0].parent_id) is not None and parent_id in above:
                path.insert(0, above[parent_id])
            added |= self.forest.keep(path)
        return added

    def _above(self, jobs: list[Job]) -> dict[int, Job]:
        """Return all jobs above these, by id, with one read a level."""
        found = {job.id: job for job in jobs}
        wanted = {job.parent_id for job in jobs} - {None}
        while missing := {job_id for job_id in wanted if job_id is not None and job_id not in found}:
            read = self._source.jobs(missing)
            found.update((job.id, job) for job in read)
            wanted = {job.parent_id for job in read} - {None} if read else set()
        return found
