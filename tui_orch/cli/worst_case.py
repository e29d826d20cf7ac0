"""What ``orch estimate`` says: the worst case of a request, for a person and for a program. Pure."""

from typing import Any

from store.states import Kind
from tui_orch.cli.foreseen import Foreseen
from tui_orch.client.measures import duration, money
from tui_orch.request.estimate import WorstCase, levels, worst_case


class Estimate:
    """The worst case where every job gets so many ``children`` (None: as many as run at once)."""

    def __init__(self, seen: Foreseen, children: int | None = None) -> None:
        self._seen = seen
        self._children = seen.tree.max_workers if children is None else children
        items = len(seen.new.items)
        self._levels = levels(seen.limits, children=self._children, items=items)
        slots = seen.settings.slots
        self._worst: WorstCase = worst_case(seen.limits, slots, children=self._children, items=items)
        self._most_jobs = worst_case(seen.limits, slots, items=items).jobs

    def values(self) -> dict[str, Any]:
        """Return it for a program."""
        return {
            "jobs": self._worst.jobs,
            "jobs_per_level": list(self._levels),
            "children_per_job": self._children,
            "jobs_allowed": self._most_jobs,
            "processes": self._worst.processes,
            "memory_mb": self._memory_mb(),
            "seconds": self._worst.seconds,
            "budget_usd": self._worst.budget_usd,
            "worktrees": self._worktrees(),
        }

    def rows(self) -> list[tuple[str, str, str]]:
        """Return it for a person: what, how much, and why."""
        worst, memory_mb, trees = self._worst, self._memory_mb(), self._worktrees()
        return [
            ("jobs", f"{worst.jobs:,}", self._jobs_because()),
            ("processes", f"{worst.processes:,} at once", "max_workers and slots; a job that waits has none"),
            (
                "memory",
                "as the commands take" if memory_mb is None else f"{memory_mb / 1000:.1f} GB",
                "" if memory_mb is None else "Claude Code takes 0.2 to 0.4 GB a process",
            ),
            (
                "time",
                duration(round(worst.seconds * 1000)),
                "from its start; the root's timeout holds for all below it",
            ),
            (
                "dollars",
                "no bound" if worst.budget_usd is None else money(worst.budget_usd),
                "set one with --budget" if worst.budget_usd is None else "nothing new starts beyond them",
            ),
            ("worktrees", f"{trees:,}", "one a job, removed once merged" if trees else "all work in one folder"),
        ]

    def _jobs_because(self) -> str:
        sums = " + ".join(f"{level:,}" for level in self._levels)
        said = f"{sums}, at {self._children} children a job" if len(self._levels) > 1 else "it may not be split"
        if sum(self._levels) > self._worst.jobs:
            said += f", which max_jobs stops at {self._worst.jobs:,}"
        if self._most_jobs > self._worst.jobs:
            said += f"; the limits allow {self._most_jobs:,}"
        return said

    def _memory_mb(self) -> int | None:
        return self._worst.memory_mb if self._seen.kind is Kind.CLAUDE else None

    def _worktrees(self) -> int:
        # With none running one is made beyond the setting, so that there is always a way on.
        most = max(1, self._seen.settings.max_worktrees)
        return min(self._worst.jobs, most) if self._seen.new.ground is not None else 0
