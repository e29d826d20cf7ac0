"""Turns a job and its tree into the options of Claude Code. Pure; starts nothing and reads no environment of its own.

Measured with 2.1.330: ``disallowed_tools`` takes names that this version does not know; ``max_budget_usd`` counts what
this process spends, not what the session spent before; an ``allowed_tools`` entry ``mcp__orch__*`` allows our tools.
The lists of rules go over as one text that is split at commas outside brackets, without any escape: the rule
``Bash(echo ), Bash, x)`` arrives as three, and one of them allows the whole shell. See ``stays_whole``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
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

from store.errors import BadInput
from store.models import Job, Rule, Tree
from store.permission_rule import parse

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
_SPLITS = re.compile(r"[()\\]")


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
    ceiling_usd: float | None,
    callbacks: Callbacks,
    rules: Sequence[Rule] = (),
) -> ClaudeAgentOptions:
    """Return the options of one run.

    ``resume``: the session to go on with; ``ceiling_usd``: what it may spend, None for any amount; ``rules``: those in force for the
    job, of which Claude Code gets what it can be told (the others are decided on when it asks).
    """
    return ClaudeAgentOptions(
        cwd=work_dir,
        cli_path=env.get(_CLI_PATH) or None,
        model=job.model or tree.model,
        permission_mode=cast(PermissionMode, tree.permission_mode),
        allowed_tools=[*applied(tree, rules), f"mcp__{SERVER}__*"],
        disallowed_tools=[*DISALLOWED, *_whole(rule.rule for rule in rules if rule.verdict == "deny")],
        setting_sources=setting_sources(tree),
        system_prompt={"type": "preset", "preset": "claude_code", "append": appendix},
        max_budget_usd=ceiling_usd,
        resume=resume,
        env={**env, **_ENV},
        mcp_servers={SERVER: callbacks.server},
        can_use_tool=callbacks.can_use_tool,
        hooks={event: list(matchers) for event, matchers in callbacks.hooks.items()},
        max_buffer_size=MAX_MESSAGE_BYTES,
    )


def applied(tree: Tree, rules: Sequence[Rule]) -> list[str]:
    """Return the rules by which Claude Code itself allows calls in a run that begins now."""
    return _whole([*tree.allowed_tools, *(rule.rule for rule in rules if rule.verdict == "allow")])


def stays_whole(rule: str) -> bool:
    """Tell whether a rule means the same to Claude Code as to us, whatever way it is told."""
    try:
        _, content = parse(rule)
    except BadInput:
        return False
    return content is None or (content.isprintable() and not _SPLITS.search(content))


def _whole(rules: Iterable[str]) -> list[str]:
    return [rule for rule in dict.fromkeys(rules) if stays_whole(rule)]


def setting_sources(tree: Tree) -> list[SettingSource] | None:
    """Return which settings of the user and the project apply; None: all that Claude Code itself would take."""
    return None if tree.setting_sources is None else [cast(SettingSource, name) for name in tree.setting_sources]
