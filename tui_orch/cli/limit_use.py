"""A tree's limits beside what of them is used: the one place that pairs the two. Reads only."""

from dataclasses import dataclass

from store.database import Reader
from store.tree import get_tree
from store.use import tree_use
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
    tree, use = get_tree(reader, root_id), tree_use(reader, root_id)
    budget = "none" if tree.budget_usd is None else money(tree.budget_usd)
    return [
        Use("max_depth", tree.max_depth, use.deepest, f"{tree.max_depth}  (deepest job: {use.deepest})"),
        Use("max_jobs", tree.max_jobs, tree.jobs, f"{tree.max_jobs}  (jobs: {tree.jobs})"),
        Use(
            "max_children",
            tree.max_children,
            use.most_children,
            f"{tree.max_children}  (most of one job: {use.most_children})",
        ),
        Use("max_workers", tree.max_workers, use.running, f"{tree.max_workers}  (running: {use.running})"),
        Use("max_attempts", tree.max_attempts, None, f"{tree.max_attempts}"),
        Use("timeouts_s", tree.timeouts_s, None, ", ".join(seconds(found) for found in tree.timeouts_s)),
        Use("budget_usd", tree.budget_usd, use.spent_usd, f"{budget}  (spent: {money(use.spent_usd)})"),
    ]
