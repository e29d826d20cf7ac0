"""What was heard from Claude Code in one run: a fold over its messages that keeps what the ending is decided from.

Pure. Types and fields that it does not know are passed over, so that a newer Claude Code does not break an older runner.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from claude_agent_sdk import AssistantMessage, Message, RateLimitEvent, ResultMessage, SystemMessage

from tui_orch.worker.claude.usage import Totals
from tui_orch.worker.claude.wording import sound


@dataclass(frozen=True, slots=True)
class Result:
    """The end of a turn, as Claude Code reports it."""

    text: str | None
    is_error: bool
    subtype: str  # says little: an API error is a "success" too
    terminal_reason: str | None  # completed, hook_stopped, aborted_tools, api_error, budget_exhausted, ...
    api_status: int | None  # HTTP status of the API call that failed
    errors: tuple[str, ...]
    denials: tuple[Any, ...]
    totals: Totals


@dataclass(frozen=True, slots=True)
class Heard:
    """All that counts of a run's messages."""

    session_id: str | None = None
    version: str | None = None  # of Claude Code, such as 2.1.330
    answered: bool = False  # the model itself has spoken since the prompt
    api_error: str | None = None  # Claude Code's word for what failed: rate_limit, server_error, ...
    limited: bool = False  # the subscription's usage limit stands against us
    limited_until_s: int | None = None  # unix seconds
    limit_type: str | None = None  # five_hour, seven_day, ...
    estimate: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # usage by message id
    result: Result | None = None


def hear(heard: Heard, message: Message) -> Heard:
    """Return what is known after ``message``."""
    match message:
        case SystemMessage(subtype="init", data={"session_id": str(session_id)} as data):
            return replace(heard, session_id=session_id, version=str(data.get("claude_code_version") or "") or None)
        case AssistantMessage(error=None):
            return _spoken(heard, message)
        case AssistantMessage(error=error):
            return replace(heard, api_error=error)
        case RateLimitEvent(rate_limit_info=info):
            limited = info.status == "rejected"
            return replace(heard, limited=limited, limited_until_s=info.resets_at, limit_type=info.rate_limit_type)
        case ResultMessage():
            return replace(heard, session_id=message.session_id, result=_result(message))
        case _:
            return heard


def _spoken(heard: Heard, message: AssistantMessage) -> Heard:
    estimate = heard.estimate
    if message.message_id and message.usage:
        estimate = {**estimate, message.message_id: message.usage}
    return replace(heard, answered=True, api_error=None, estimate=estimate)


def _result(message: ResultMessage) -> Result:
    return Result(
        text=sound(message.result),
        is_error=message.is_error,
        subtype=message.subtype,
        terminal_reason=message.terminal_reason,
        api_status=message.api_error_status,
        errors=tuple(sound(message.errors or [])),
        denials=tuple(sound(message.permission_denials or [])),
        totals=Totals(message.total_cost_usd, message.usage or {}, message.num_turns),
    )
