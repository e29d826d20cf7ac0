"""Starts the real Claude Code against a scripted model, with a home of its own and a made-up key."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claude_agent_sdk import (
    ClaudeAgentOptions,
    HookMatcher,
    Message,
    ResultError,
    ResultMessage,
    create_sdk_mcp_server,
    query,
    tool,
)

SPAWN = "mcp__orch__spawn_subtasks"


@dataclass
class ClaudeCode:
    """Runs sessions in ``cwd`` and keeps what the stub of ``spawn_subtasks`` was asked."""

    cwd: Path
    home: Path
    spawned: list[Any] = field(default_factory=list)

    async def run(
        self, url: str, prompt: str, resume: str | None = None, *, login: str = "ANTHROPIC_API_KEY", retries: int = 0
    ) -> list[Message]:
        """One process of Claude Code: all its messages. An error result ends in the result, not in an exception."""
        options = ClaudeAgentOptions(
            cwd=self.cwd,
            resume=resume,
            permission_mode="acceptEdits",
            allowed_tools=["Bash(python3:*)", SPAWN],
            mcp_servers={"orch": create_sdk_mcp_server("orch", tools=[self._spawn_tool()])},
            hooks={"PostToolUse": [HookMatcher(matcher=SPAWN, hooks=[end_the_turn])]},
            env={
                "HOME": str(self.home),
                "CLAUDE_CONFIG_DIR": str(self.home / "claude"),
                "ANTHROPIC_BASE_URL": url,
                login: "made-up",
                "CLAUDE_CODE_MAX_RETRIES": str(retries),
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                "DISABLE_AUTOUPDATER": "1",
                "ENABLE_TOOL_SEARCH": "0",
            },
        )
        messages: list[Message] = []
        try:
            async for said in query(prompt=prompt, options=options):
                messages.append(said)
        except ResultError:
            assert isinstance(messages[-1], ResultMessage)
        return messages

    def _spawn_tool(self) -> Any:
        @tool("spawn_subtasks", "Split the work.", {"type": "object", "properties": {"tasks": {"type": "array"}}})
        async def spawn(arguments: dict[str, Any]) -> dict[str, Any]:
            self.spawned.append(arguments)
            return {"content": [{"type": "text", "text": "spawned"}]}

        return spawn


async def end_the_turn(*_: Any) -> Any:
    """The hook that suspends a session after its spawn."""
    return {"continue_": False, "stopReason": "waiting for children"}
