"""The last line of what a worker does, for the screen: made from its messages, stored at most once a second.

The newest line is never lost: one that comes too early is stored when its second has passed, or at the end.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from claude_agent_sdk import AssistantMessage, Message, SystemMessage, TextBlock, ToolUseBlock

from tui_orch.worker.claude.wording import first_line, one_line

CHARS = 120
SECOND = 1.0
#: What a tool's call is about, by the first of these that its input holds; paths come first.
_PATHS = ("file_path", "notebook_path", "path")
_WORDS = ("command", "pattern", "query", "url", "skill", "question", "summary")
_PREFIX = "mcp__orch__"


def describe(message: Message, work_dir: str = "") -> str | None:
    """Return the line for a message; None for one that shows no new activity. Paths are told from ``work_dir``."""
    match message:
        case AssistantMessage(content=blocks):
            return next((text for block in reversed(blocks) if (text := _block(block, work_dir))), None)
        case SystemMessage(subtype="api_retry", data=data):
            status = data.get("error_status") or data.get("error") or "no answer"
            return one_line(f"The API fails ({status}), try {data.get('attempt')} of {data.get('max_retries')}", CHARS)
        case _:
            return None


class Activity:
    """Stores lines through ``write``, in the running event loop. ``write`` must not raise."""

    def __init__(self, write: Callable[[str], None], pause_s: float = SECOND) -> None:
        self._write = write
        self._pause_s = pause_s
        self._loop = asyncio.get_running_loop()
        self._next_at = float("-inf")
        self._waiting: str | None = None
        self._timer: asyncio.TimerHandle | None = None

    def show(self, text: str) -> None:
        """Store ``text`` now, or as soon as the last one is a second old."""
        self._waiting = text
        if self._timer is not None:
            return
        left_s = self._next_at - self._loop.time()
        if left_s <= 0:
            self.flush()
        else:
            self._timer = self._loop.call_later(left_s, self.flush)

    def flush(self) -> None:
        """Store the newest line if it is not stored yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting is not None:
            text, self._waiting = self._waiting, None
            self._next_at = self._loop.time() + self._pause_s
            self._write(text)


def _block(block: Any, work_dir: str) -> str | None:
    match block:
        case TextBlock(text=text):
            return first_line(text, CHARS) or None
        case ToolUseBlock(name=name, input=tool_input):
            return one_line(_call(name.removeprefix(_PREFIX), tool_input, work_dir), CHARS)
        case _:
            return None


def _call(name: str, tool_input: Mapping[str, Any], work_dir: str) -> str:
    if isinstance(tasks := tool_input.get("tasks"), list):
        return f"{name}: {len(tasks)} subtask(s)"
    texts = {key: value for key, value in tool_input.items() if isinstance(value, str)}
    for key in _PATHS:
        if key in texts:
            return f"{name} {texts[key].removeprefix(f'{work_dir}/') if work_dir else texts[key]}"
    return next((f"{name}: {texts[key]}" for key in _WORDS if key in texts), name)
