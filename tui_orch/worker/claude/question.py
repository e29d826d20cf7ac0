"""What a person is asked, and what comes of it. Records only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked. ``tool`` and ``input`` tell one ask from another: the same call gets the same answer."""

    kind: Literal["permission", "question"]
    text: str
    tool: str
    input: Mapping[str, Any]
    options: tuple[str, ...] = ()
    title: str | None = None
    suggestions: tuple[str, ...] = ()  # rules that Claude Code would keep


@dataclass(frozen=True, slots=True)
class Permit:
    """What a rule or a person says to a call. ``text`` is for the worker, ``rules`` allow it for good."""

    allowed: bool
    text: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """A permit, or none yet. ``ask_id``: the ask whose answer it is, or which waits for one."""

    permit: Permit | None
    ask_id: int | None = None
