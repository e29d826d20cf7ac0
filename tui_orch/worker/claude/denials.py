"""Lists the tool calls that a job was refused: by Claude Code's rules in this run, and by people in all its runs. Pure."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from store.models import Ask
from tui_orch.worker.claude.transcript import bounded

#: Longest text within one refused call's input that is kept.
_INPUT_CHARS = 2_000


def all_denials(
    reported: Sequence[Any], parked: Collection[str], asked: Sequence[Ask], recorded: Sequence[Any]
) -> tuple[dict[str, Any], ...]:
    """Return the refused calls that are not ``recorded`` yet, each once.

    ``reported``: Claude Code's list of this run. ``parked``: ids of calls in it that were stopped to ask, not refused.
    ``asked``: all asks of the job; what a person refused in an earlier run is in no list of Claude Code's.
    """
    found = [_reported(one) for one in reported if isinstance(one, Mapping) and one.get("tool_use_id") not in parked]
    refused = [ask for ask in asked if ask.kind == "permission" and ask.answer == "deny"]
    said = {_key(_asked(ask)): _asked(ask) for ask in refused}
    fresh = {_key(one): one for one in found} | said
    known = {_key(one) for one in recorded if isinstance(one, Mapping)}
    return tuple(one for key, one in fresh.items() if key not in known)


def _reported(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"tool": str(one.get("tool_name")), "input": bounded(one.get("tool_input"), _INPUT_CHARS)}


def _asked(ask: Ask) -> dict[str, Any]:
    text = {"text": bounded(ask.text, _INPUT_CHARS)} if ask.text else {}
    rule = {"rule_id": ask.rule_id} if ask.rule_id is not None else {}
    return {"tool": ask.tool, "input": bounded(dict(ask.input or {}), _INPUT_CHARS), **text, **rule}


def _key(one: Mapping[str, Any]) -> str:
    return json.dumps([one.get("tool"), one.get("input")], sort_keys=True, ensure_ascii=False)
