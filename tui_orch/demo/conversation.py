"""What Claude Code sent to the model, reduced to what a script needs; pure, it answers nothing.

Claude Code sends the whole conversation with every request. As measured with 2.1.330:

- The first user message is ``<system-reminder>`` blocks (CLAUDE.md, rules) and then the prompt. The
  environment, with the working directory, follows as a message of the role ``system``.
- One API response is one assistant message, also after a resume. A resumed session's new prompt stands in
  the same user message as the last tool results.
- An API error leaves no trace. A session that was killed while the model was to speak gets the assistant
  message "No response requested." when it is resumed: that is no turn.
- A stream that is cut after a complete block is kept as an assistant message, and a user message asks to go
  on.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

#: What Claude Code writes in the model's name when a session ended before the model spoke.
SYNTHETIC = "No response requested."
#: What stands in the result of a call whose real one nobody knows.
INTERRUPTED = "interrupted"
REMINDER = "<system-reminder>"
_CWD = re.compile(r"[Ww]orking directory: (/[^\n]*)")


class BadBodyError(ValueError):
    """A request that is no Messages API request; says what is wrong."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One turn that the model has spoken already."""

    before: str  # all that was said to it since its turn before
    tool_calls: int
    failed_calls: int = 0
    was_cut_off: bool = False  # a call of it was under way when the worker or Claude Code died


@dataclass(frozen=True, slots=True)
class Conversation:
    """A request's conversation."""

    prompt: str
    replies: tuple[Reply, ...]
    pending: str  # all that was said since the model's last turn
    cwd: str | None
    utility: bool  # a side call of Claude Code's own: it offers the model no tools


def read_conversation(body: Mapping[str, Any]) -> Conversation:
    """Read the body of a ``POST /v1/messages``. Raises BadBodyError."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        msg = "messages: a list with at least one message is needed"
        raise BadBodyError(msg)
    replies: list[Reply] = []
    heard: list[str] = []
    prompt: str | None = None
    around = list(_texts(body.get("system")))
    for message in messages:
        if not isinstance(message, Mapping):
            msg = "messages: each message is an object"
            raise BadBodyError(msg)
        content = message.get("content")
        texts = list(_texts(content))
        if message.get("role") == "assistant":
            calls = _tool_calls(content)
            if calls or texts != [SYNTHETIC]:
                replies.append(Reply("\n".join(heard), calls))
                heard = []
            continue
        if message.get("role") == "system":
            around += texts
            continue
        if replies and (failed := _failed_calls(content)):
            last = replies[-1]
            cut_off = last.was_cut_off or any(INTERRUPTED in text for each in failed for text in _texts(each))
            replies[-1] = replace(last, failed_calls=last.failed_calls + len(failed), was_cut_off=cut_off)
        around += [text for text in texts if text.startswith(REMINDER)]
        spoken = [text for text in texts if not text.startswith(REMINDER)]
        if prompt is None and spoken:
            prompt = spoken[0]
        heard += spoken
    return Conversation(
        prompt=prompt or "",
        replies=tuple(replies),
        pending="\n".join(heard),
        cwd=next((found[1].strip() for text in around if (found := _CWD.search(text))), None),
        utility=not body.get("tools"),
    )


def _texts(content: Any) -> Iterator[str]:
    """All texts of a content, whether it is a string, a block list, or a tool's result."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for block in content:
            yield from _texts(block)
    elif isinstance(content, Mapping):
        yield from _texts(content.get("text") if content.get("type") == "text" else content.get("content"))


def _tool_calls(content: Any) -> int:
    return sum(block.get("type") == "tool_use" for block in _blocks(content))


def _failed_calls(content: Any) -> list[Mapping[str, Any]]:
    return [each for each in _blocks(content) if each.get("type") == "tool_result" and each.get("is_error") is True]


def _blocks(content: Any) -> list[Mapping[str, Any]]:
    return [block for block in content if isinstance(block, Mapping)] if isinstance(content, list) else []
