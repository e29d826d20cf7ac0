"""A tree's limits beside what of them is used: the one place that pairs the two. Reads only."""

from dataclasses import dataclass

from store.database import Reader
from store.states import Status
from store.tree import get_tree, subtree
from tui_orch.client.measures import money, seconds


@dataclass(frozen=True, slots=True)
class Use:
    """One limit: its value, what is used of it (None where there is no such count), and both as text."""

    name: str
    limit: float | int | tuple[float, ...] | None
    used: float | int | None
    text: str


def limit_use(reader: Reader, root_id: int) -> list[Use]:
    """Return every limit of a tree with what is used of it. Raises NotFound."""
    tree, jobs = get_tree(reader, root_id), subtree(reader, root_id)
    deepest, most_children = max(job.depth for job in jobs), max(job.children for job in jobs)
    running = sum(job.status is Status.RUNNING and not job.lending for job in jobs)
    spent = jobs[0].subtree_cost_usd
    budget = "none" if tree.budget_usd is None else money(tree.budget_usd)
    return [
        Use("max_depth", tree.max_depth, deepest, f"{tree.max_depth}  (deepest job: {deepest})"),
        Use("max_jobs", tree.max_jobs, tree.jobs, f"{tree.max_jobs}  (jobs: {tree.jobs})"),
        Use(
            "max_children", tree.max_children, most_children, f"{tree.max_children}  (most of one job: {most_children})"
        ),
        Use("max_workers", tree.max_workers, running, f"{tree.max_workers}  (running: {running})"),
        Use("max_attempts", tree.max_attempts, None, f"{tree.max_attempts}"),
        Use("timeouts_s", tree.timeouts_s, None, ", ".join(seconds(found) for found in tree.timeouts_s)),
        Use("budget_usd", tree.budget_usd, spent, f"{budget}  (spent: {money(spent)})"),
    ]
