"""Every step by its name: what a worker on another machine can have done in the store, and no more."""

from collections.abc import Mapping
from types import MappingProxyType

from tui_orch.worker import worktree_steps
from tui_orch.worker.claude import claude_steps
from tui_orch.worker.steps import job_steps
from tui_orch.worker.steps.registry import Step, step_of


def _named() -> Mapping[str, Step]:
    found: dict[str, Step] = {}
    for module in (job_steps, claude_steps, worktree_steps):
        for member in vars(module).values():
            step = step_of(member)
            if step is not None and found.setdefault(step.name, step) is not step:
                raise ValueError(f"two steps are called {step.name}")
    return MappingProxyType(found)


STEPS = _named()
