"""Answers Claude Code's permission requests: what rules leave open, a person decides through the store.

``AskUserQuestion`` arrives here too and becomes a question. Everything that is asked and not answered in time ends the
turn: the call is refused with an interrupt, which Claude Code records as a refusal of all calls of that message, so the
prompt of the resumed session says that it was none.
"""

import json
from collections.abc import Mapping
from typing import Any

from claude_agent_sdk import PermissionResult, PermissionResultAllow, PermissionResultDeny, ToolPermissionContext

from store.errors import StaleAttempt, StoreError
from store.models import Ask
from tui_orch.worker.claude.asking import Person, Question
from tui_orch.worker.claude.prompt import answer_text
from tui_orch.worker.claude.turn import Turn
from tui_orch.worker.claude.wording import cut, one_line, sound

QUESTION_TOOL = "AskUserQuestion"
_QUESTION_CHARS = 4_000
_PARKED = "Waiting for a person; the answer comes when you are resumed. This is not a refusal."


class Permissions:
    """The ``can_use_tool`` of one run."""

    def __init__(self, person: Person, turn: Turn) -> None:
        self._person = person
        self._turn = turn

    async def can_use_tool(
        self, tool: str, tool_input: dict[str, Any], context: ToolPermissionContext
    ) -> PermissionResult:
        """Decide on one call, as the SDK asks for it."""
        if self._turn.waits_for is not None:
            return self._park(context)
        given = sound(tool_input)
        question = user_question(given) if tool == QUESTION_TOOL else permission(tool, given, context)
        try:
            answer = await self._person.ask(question)
        except StoreError as error:
            over = isinstance(error, StaleAttempt)
            return PermissionResultDeny(message=f"A person could not be asked: {error}", interrupt=over)
        if answer is None:
            return self._park(context)
        if tool == QUESTION_TOOL:
            return PermissionResultAllow(updated_input={**tool_input, "answers": user_answers(tool_input, answer)})
        if answer.answer == "allow":
            return PermissionResultAllow()
        return PermissionResultDeny(message=answer_text(answer))

    def _park(self, context: ToolPermissionContext) -> PermissionResult:
        if context.tool_use_id:
            self._turn.parked.add(context.tool_use_id)
        return PermissionResultDeny(message=_PARKED, interrupt=True)


def permission(tool: str, tool_input: Mapping[str, Any], context: ToolPermissionContext) -> Question:
    """Return what to ask a person about a call that no rule decides."""
    why = one_line(context.decision_reason or "", 300)
    text = f"May it call {tool}?{f' {why}' if why else ''}\n{json.dumps(dict(tool_input), ensure_ascii=False)}"
    return Question("permission", cut(text, _QUESTION_CHARS), tool, tool_input)


def user_question(tool_input: Mapping[str, Any]) -> Question:
    """Return Claude Code's own questions as one question; a single one keeps the answers that it offers."""
    asked = _questions(tool_input)
    lines = []
    for number, one in enumerate(asked, 1):
        labels = _labels(one)
        offered = f" ({' / '.join(labels)})" if labels else ""
        lines.append(f"{f'{number}. ' if len(asked) > 1 else ''}{one.get('question')}{offered}")
    options = tuple(_labels(asked[0])) if len(asked) == 1 else ()
    text = "\n".join(lines) or json.dumps(dict(tool_input), ensure_ascii=False)
    return Question("question", cut(text, _QUESTION_CHARS), QUESTION_TOOL, tool_input, options)


def user_answers(tool_input: Mapping[str, Any], answer: Ask) -> dict[str, str]:
    """Return the answer as Claude Code wants it: by question. With several, the first carries the person's whole text."""
    text = (answer.text or "").strip() or "No answer; decide by yourself."
    names = [str(one.get("question")) for one in _questions(tool_input)]
    return {name: text if index == 0 else "see the first answer" for index, name in enumerate(names)}


def _questions(tool_input: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    asked = tool_input.get("questions")
    return [one for one in asked if isinstance(one, Mapping)] if isinstance(asked, list) else []


def _labels(question: Mapping[str, Any]) -> list[str]:
    options = question.get("options")
    if not isinstance(options, list):
        return []
    return [one_line(str(one["label"]), 200) for one in options if isinstance(one, Mapping) and "label" in one]
