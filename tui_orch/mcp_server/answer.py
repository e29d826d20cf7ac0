"""What a tool gives back: text for the model, and where no worker's words are in it the same as data for programs.

A client that is given data shows its model the data alone, so all that the text says stands in it, too. What workers
wrote is told as text only: there it is fenced.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tui_orch.mcp_server.desk import Desk
from tui_orch.mcp_server.given import Given


@dataclass(frozen=True, slots=True)
class Answer:
    """``data`` is what the tool's output schema describes; None for a tool without one."""

    text: str
    data: Mapping[str, Any] | None = None


#: Tells whoever called how far a long call is: a number that grows, and a line.
Progress = Callable[[float, str], Awaitable[None]]

#: What carries a tool out.
Tool = Callable[[Desk, Given, Progress], Awaitable[Answer]]


def told(text: str, **data: Any) -> Answer:
    """Return an answer whose data holds its text as ``message``."""
    return Answer(text, {**data, "message": text})
