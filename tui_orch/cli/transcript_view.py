"""One entry of a transcript as readable lines: a pure function that takes whatever the file holds.

Claude Code's messages change from version to version: what is not known is left out, and nothing is required.
"""

import json
from collections.abc import Mapping
from typing import Any

from tui_orch.cli.measures import money

#: Lines of a tool's result that are shown; ``--raw`` shows all.
_RESULT_LINES = 12
_CALL_CHARS = 400
_PREFIX = "mcp__orch__"
#: What a tool's call is about, by the first of these that its input holds; ``--raw`` shows all of it.
_TELLING = ("file_path", "notebook_path", "command", "pattern", "path", "url", "query", "question", "summary")


def entry_lines(entry: Mapping[str, Any]) -> list[str]:
    """Return the lines for one entry; none for what tells a reader nothing."""
    content = entry.get("content")
    match entry.get("type"):
        case "Prompt":
            return ["> prompt", *_indented(_plain(entry.get("text") or content))]
        case "AssistantMessage":
            return [line for block in _blocks(content) for line in _said(block)] + _failed(entry)
        case "UserMessage":
            return [line for block in _blocks(content) for line in _returned(block)]
        case "SystemMessage":
            return _system(entry)
        case "RateLimitEvent":
            return _rate_limit(entry.get("rate_limit_info"))
        case "ResultMessage":
            return [_end(entry)]
        case _:
            return []


def _said(block: Mapping[str, Any]) -> list[str]:
    if isinstance(text := block.get("text"), str):
        return text.strip().split("\n") if text.strip() else []
    if isinstance(name := block.get("name"), str):
        return [f"-> {name.removeprefix(_PREFIX)} {_call(block.get('input'))}".rstrip()]
    return []


def _returned(block: Mapping[str, Any]) -> list[str]:
    if "tool_use_id" not in block:
        return []
    lines = _plain(block.get("content")).strip().split("\n")
    more = len(lines) - _RESULT_LINES
    shown = [*lines[:_RESULT_LINES], f"... {more} more lines"] if more > 1 else lines
    mark = "<- error: " if block.get("is_error") else "<- "
    return [f"{mark}{shown[0]}", *(f"   {line}" for line in shown[1:])]


def _system(entry: Mapping[str, Any]) -> list[str]:
    data = entry.get("data")
    data = data if isinstance(data, Mapping) else {}
    match entry.get("subtype"):
        case "init":
            return [f"session {data.get('session_id')}, model {data.get('model')}"]
        case "api_retry":
            status = data.get("error_status") or data.get("error")
            return [f"! the API fails ({status}), try {data.get('attempt')} of {data.get('max_retries')}"]
        case _:
            return []


def _rate_limit(info: Any) -> list[str]:
    if not isinstance(info, Mapping) or info.get("status") in (None, "allowed"):
        return []
    return [f"! usage limit ({info.get('rate_limit_type')}): {info.get('status')}, resets at {info.get('resets_at')}"]


def _end(entry: Mapping[str, Any]) -> str:
    parts = ["= ended", "with an error" if entry.get("is_error") else ""]
    if isinstance(status := entry.get("api_error_status"), int):
        parts.append(f"(API status {status})")
    if isinstance(turns := entry.get("num_turns"), int):
        parts.append(f"after {turns} turns,")
    if isinstance(cost := entry.get("total_cost_usd"), int | float):
        parts.append(f"session so far {money(cost)}")
    return " ".join(part for part in parts if part).rstrip(",")


def _failed(entry: Mapping[str, Any]) -> list[str]:
    return [f"! {entry['error']}"] if entry.get("error") else []


def _blocks(content: Any) -> list[Mapping[str, Any]]:
    if isinstance(content, str):
        return [{"text": content}]
    return [block for block in content if isinstance(block, Mapping)] if isinstance(content, list) else []


def _plain(content: Any) -> str:
    """Return a content as text: a text, a list of text blocks, or whatever it is as JSON."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [block.get("text") for block in content if isinstance(block, Mapping)]
        if texts and all(isinstance(text, str) for text in texts):
            return "\n".join(str(text) for text in texts)
    return "" if content is None else json.dumps(content, ensure_ascii=False)


def _call(given: Any) -> str:
    if not isinstance(given, Mapping):
        return ""
    what = next((given[name] for name in _TELLING if isinstance(given.get(name), str)), None)
    text = " ".join((what or json.dumps(given, ensure_ascii=False)).split())
    return text if len(text) <= _CALL_CHARS else f"{text[: _CALL_CHARS - 1]}…"


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.strip().split("\n")]
