"""What an entry of a transcript says, without how it is drawn: a pure function that takes whatever the file holds.

The command line and the screen both draw from this. Claude Code's messages change from version to version: what is not
known is left out, and nothing is required.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from tui_orch.client.measures import money

#: Our own tools are shown by their own name.
_PREFIX = "mcp__orch__"
#: What a tool's call is about, by the first of these that its input holds.
_TELLING = ("file_path", "notebook_path", "command", "pattern", "path", "url", "query", "question", "summary")


class Kind(Enum):
    """Who says it, or what it is about."""

    PROMPT = auto()  # what we gave it to do
    SAID = auto()
    CALLED = auto()  # a tool, by ``name`` with ``given``
    RETURNED = auto()  # what a tool gave back
    NOTE = auto()
    TROUBLE = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that is said. ``text`` is as the file has it: not yet fit for a terminal."""

    kind: Kind
    text: str
    name: str = ""
    given: Any = None
    failed: bool = False


def parse(line: str) -> list[Piece] | None:
    """Return what one line of a transcript says; None for what is no entry, or too deep to be one."""
    try:
        entry = json.loads(line)
        return pieces(entry) if isinstance(entry, dict) else None
    except (ValueError, RecursionError):
        return None


def pieces(entry: Mapping[str, Any]) -> list[Piece]:
    """Return what one entry says; nothing for what tells a reader nothing."""
    content = entry.get("content")
    match entry.get("type"):
        case "Prompt":
            return [Piece(Kind.PROMPT, plain(entry.get("text") or content).strip())]
        case "AssistantMessage":
            return [piece for block in _blocks(content) for piece in _said(block)] + _failed(entry)
        case "UserMessage":
            return [_returned(block) for block in _blocks(content) if "tool_use_id" in block]
        case "SystemMessage":
            return _system(entry)
        case "RateLimitEvent":
            return _rate_limit(entry.get("rate_limit_info"))
        case "ResultMessage":
            return [_end(entry)]
        case _:
            return []


def plain(content: Any) -> str:
    """Return a content as text: a text, a list of text blocks, or whatever it is as JSON."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [block.get("text") for block in content if isinstance(block, Mapping)]
        if texts and all(isinstance(text, str) for text in texts):
            return "\n".join(str(text) for text in texts)
    return "" if content is None else as_json(content)


def brief(given: Any, most: int) -> str:
    """Return what a tool is called with on one line of at most ``most`` characters."""
    if not isinstance(given, Mapping):
        return ""
    what = next((given[name] for name in _TELLING if isinstance(given.get(name), str)), None)
    text = " ".join((what or as_json(given)).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def as_json(value: Any) -> str:
    """Return ``value`` as JSON on one line; a sign for what is nested too deep to be written."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "… [nested too deep]"


def _said(block: Mapping[str, Any]) -> list[Piece]:
    if isinstance(text := block.get("text"), str):
        return [Piece(Kind.SAID, text.strip())] if text.strip() else []
    if isinstance(name := block.get("name"), str):
        return [Piece(Kind.CALLED, "", name.removeprefix(_PREFIX), block.get("input"))]
    return []


def _returned(block: Mapping[str, Any]) -> Piece:
    return Piece(Kind.RETURNED, plain(block.get("content")).strip(), failed=bool(block.get("is_error")))


def _system(entry: Mapping[str, Any]) -> list[Piece]:
    data = entry.get("data")
    data = data if isinstance(data, Mapping) else {}
    match entry.get("subtype"):
        case "init":
            return [Piece(Kind.NOTE, f"session {data.get('session_id')}, model {data.get('model')}")]
        case "api_retry":
            status = data.get("error_status") or data.get("error")
            said = f"the API fails ({status}), try {data.get('attempt')} of {data.get('max_retries')}"
            return [Piece(Kind.TROUBLE, said)]
        case _:
            return []


def _rate_limit(info: Any) -> list[Piece]:
    if not isinstance(info, Mapping) or info.get("status") in (None, "allowed"):
        return []
    said = f"usage limit ({info.get('rate_limit_type')}): {info.get('status')}, resets at {info.get('resets_at')}"
    return [Piece(Kind.TROUBLE, said)]


def _end(entry: Mapping[str, Any]) -> Piece:
    failed = bool(entry.get("is_error"))
    parts = ["ended", "with an error" if failed else ""]
    if isinstance(status := entry.get("api_error_status"), int):
        parts.append(f"(API status {status})")
    if isinstance(turns := entry.get("num_turns"), int):
        parts.append(f"after {turns} turns,")
    if isinstance(cost := entry.get("total_cost_usd"), int | float):
        parts.append(f"session so far {money(cost)}")
    return Piece(Kind.ENDED, " ".join(part for part in parts if part).rstrip(","), failed=failed)


def _failed(entry: Mapping[str, Any]) -> list[Piece]:
    return [Piece(Kind.TROUBLE, str(entry["error"]))] if entry.get("error") else []


def _blocks(content: Any) -> list[Mapping[str, Any]]:
    if isinstance(content, str):
        return [{"text": content}]
    return [block for block in content if isinstance(block, Mapping)] if isinstance(content, list) else []
