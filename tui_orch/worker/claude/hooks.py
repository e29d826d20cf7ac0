"""Ends Claude Code's turn right after a tool of ours has marked that the job is to wait.

Measured: a ``PostToolUse`` hook that answers ``continue_: False`` lets the other calls of the same message finish, and
then no further model call is made; the history stays valid for the resume.
"""

from collections.abc import Mapping, Sequence

from claude_agent_sdk import HookContext, HookInput, HookMatcher
from claude_agent_sdk.types import HookEvent, HookJSONOutput, SyncHookJSONOutput

from tui_orch.worker.claude.options import SERVER
from tui_orch.worker.claude.turn import Turn


def ending_hooks(turn: Turn) -> Mapping[HookEvent, Sequence[HookMatcher]]:
    """Return the hooks of one run."""

    async def end_turn(_input: HookInput, _tool_use_id: str | None, _context: HookContext) -> HookJSONOutput:
        return stop_answer(turn.waits_for)

    return {"PostToolUse": [HookMatcher(matcher=f"mcp__{SERVER}__.*", hooks=[end_turn])]}


def stop_answer(waits_for: str | None) -> SyncHookJSONOutput:
    """Return what the hook says: nothing, or that the turn ends because the job waits for ``waits_for``."""
    if waits_for is None:
        return {}
    reason = "waiting for subtasks" if waits_for == "children" else "waiting for a person's answer"
    return {"continue_": False, "stopReason": reason}
