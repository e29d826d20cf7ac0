"""Knows every module with steps, so that all of them can be called by name."""

from tui_orch.worker import worktree_steps
from tui_orch.worker.claude import claude_steps
from tui_orch.worker.steps import job_steps

MODULES = (job_steps, claude_steps, worktree_steps)
