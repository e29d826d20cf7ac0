"""Turns a job and its tree into the options of Claude Code. Pure; starts nothing and reads no environment of its own.

Measured with 2.1.330: ``disallowed_tools`` takes names that this version does not know; ``max_budget_usd`` counts what
this process spends, not what the session spent before; an ``allowed_tools`` entry ``mcp__orch__*`` allows our tools.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from claude_agent_sdk import (
    CanUseTool,
    ClaudeAgentOptions,
    HookMatcher,
    McpSdkServerConfig,
    PermissionMode,
    SettingSource,
)
from claude_agent_sdk.types import HookEvent

from store.models import Job, Tree

SERVER = "orch"
#: What would start agents that the store does not see, talk to other sessions, or run after the turn has ended; and
#: what would move the session to another folder or wait for a person by itself.
DISALLOWED = (
    *("Agent", "Task", "Workflow", "TeamCreate", "TeamDelete", "RemoteTrigger"),
    *("SendMessage", "ListAgents", "ListPeers", "SubscribePR", "UnsubscribePR", "PushNotification"),
    *("CronCreate", "CronDelete", "CronList", "ScheduleWakeup", "Monitor"),
    *("EnterWorktree", "ExitWorktree", "EnterPlanMode"),
)
#: Largest single message of Claude Code that is taken (bytes). The SDK's own 1 MiB is less than one big file read.
MAX_MESSAGE_BYTES = 64 * 1024 * 1024

_ENV = {
    "ENABLE_TOOL_SEARCH": "0",  # our tools stand in the model's list at once, not behind a search
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",  # nothing of a session outlives its turn,
    "CLAUDE_CODE_DISABLE_CRON": "1",  # and nothing comes up later
}
_CLI_PATH = "ORCH_CLAUDE_PATH"
_LEAST_BUDGET_USD = 0.000_001


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What of ours Claude Code calls while it runs."""

    server: McpSdkServerConfig
    can_use_tool: CanUseTool
    hooks: Mapping[HookEvent, Sequence[HookMatcher]]


def claude_options(
    job: Job,
    tree: Tree,
    *,
    work_dir: Path,
    env: Mapping[str, str],
    appendix: str,
    resume: str | None,
    spent_usd: float,
    callbacks: Callbacks,
) -> ClaudeAgentOptions:
    """Return the options of one run. ``resume``: the session to go on with; ``spent_usd``: of the whole tree so far."""
    return ClaudeAgentOptions(
        cwd=work_dir,
        cli_path=env.get(_CLI_PATH) or None,
        model=job.model or tree.model,
        permission_mode=cast(PermissionMode, tree.permission_mode),
        allowed_tools=[*tree.allowed_tools, f"mcp__{SERVER}__*"],
        disallowed_tools=list(DISALLOWED),
        setting_sources=setting_sources(tree),
        system_prompt={"type": "preset", "preset": "claude_code", "append": appendix},
        max_budget_usd=budget_left(tree, spent_usd),
        resume=resume,
        env={**env, **_ENV},
        mcp_servers={SERVER: callbacks.server},
        can_use_tool=callbacks.can_use_tool,
        hooks={event: list(matchers) for event, matchers in callbacks.hooks.items()},
        max_buffer_size=MAX_MESSAGE_BYTES,
    )


def budget_left(tree: Tree, spent_usd: float) -> float | None:
    """Return what may still be spent (usd), None without a budget; 0.0 when nothing is left."""
    if tree.budget_usd is None:
        return None
    left = tree.budget_usd - spent_usd
    return left if left >= _LEAST_BUDGET_USD else 0.0


def setting_sources(tree: Tree) -> list[SettingSource] | None:
    """Return which settings of the user and the project apply; None: all that Claude Code itself would take."""
    return None if tree.setting_sources is None else [cast(SettingSource, name) for name in tree.setting_sources]


def work_dir(tree: Tree, project: Path) -> Path:
    """Return the folder in which the tree's workers run; ``project`` is the store's own."""
    return Path(tree.work_dir) if tree.work_dir else project
