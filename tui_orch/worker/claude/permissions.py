"""Answers Claude Code's permission requests: what rules leave open, a person decides through the store.

``AskUserQuestion`` arrives here too and becomes a question. Everything that is asked and not answered in time ends the
turn: the call is refused with an interrupt, which Claude Code records as a refusal of all calls of that message, so the
prompt of the resumed session says that it was none.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from claude_agent_sdk import (
    PermissionResult,
    PermissionResultAllow,
    PermissionResultDeny,
    PermissionUpdate,
    ToolPermissionContext,
)
from claude_agent_sdk.types import PermissionRuleValue

from store.errors import BadInput, StaleAttempt, StoreError
from store.models import Ask
from store.permission_rule import parse
from tui_orch.worker.claude.asking import Person
from tui_orch.worker.claude.options import stays_whole
from tui_orch.worker.claude.question import Permit, Question
from tui_orch.worker.claude.turn import Turn
from tui_orch.worker.claude.wording import cut, one_line, sound

QUESTION_TOOL = "AskUserQuestion"
_QUESTION_CHARS = 4_000
_TITLE_CHARS = 200
_PARKED = "Waiting for a person; the answer comes when you are resumed. This is not a refusal."


class Permissions:
    """The ``can_use_tool`` of one run. ``known``: rules that Claude Code was started with and applies by itself."""

    def __init__(self, person: Person, turn: Turn, known: Iterable[str] = ()) -> None:
        self._person = person
        self._turn = turn
        self._known = set(known)

    async def can_use_tool(
        self, tool: str, tool_input: dict[str, Any], context: ToolPermissionContext
    ) -> PermissionResult:
        """Decide on one call, as the SDK asks for it."""
        if self._turn.waits_for is not None:
            return self._park(context)
        given = sound(tool_input)
        try:
            if tool == QUESTION_TOOL:
                answer = await self._person.ask(user_question(given))
                if answer is not None:
                    return PermissionResultAllow(
                        updated_input={**tool_input, "answers": user_answers(tool_input, answer)}
                    )
                return self._park(context)
            permit = await self._person.may(permission(tool, given, context), self._known)
        except StoreError as error:
            over = isinstance(error, StaleAttempt)
            return PermissionResultDeny(message=f"A person could not be asked: {error}", interrupt=over)
        if permit is None:
            return self._park(context)
        return self._allow(permit) if permit.allowed else PermissionResultDeny(message=permit.text)

    def _allow(self, permit: Permit) -> PermissionResult:
        """Allow it; rules that are new to Claude Code are told to it, so that it need not ask again in this run."""
        new = [rule for rule in permit.rules if rule not in self._known and stays_whole(rule)]
        self._known.update(new)
        return PermissionResultAllow(updated_permissions=[session_rules(new)] if new else None)

    def _park(self, context: ToolPermissionContext) -> PermissionResult:
        if context.tool_use_id:
            self._turn.parked.add(context.tool_use_id)
        return PermissionResultDeny(message=_PARKED, interrupt=True)


def permission(tool: str, tool_input: Mapping[str, Any], context: ToolPermissionContext) -> Question:
    """Return what to ask a person about a call that no rule decides."""
    why = one_line(context.decision_reason or "", 300)
    text = f"May it call {tool}?{f' {why}' if why else ''}\n{json.dumps(dict(tool_input), ensure_ascii=False)}"
    title = one_line(context.title or context.description or "", _TITLE_CHARS) or None
    return Question(
        "permission",
        cut(text, _QUESTION_CHARS),
        tool,
        tool_input,
        title=title,
        suggestions=suggested(context.suggestions),
    )


def suggested(updates: Iterable[PermissionUpdate]) -> tuple[str, ...]:
    """Return the rules that Claude Code would keep; other changes that it suggests (modes, folders) are left out."""
    found = []
    for update in updates:
        if update.type == "addRules" and update.behavior == "allow":
            found += [
                f"{rule.tool_name}({rule.rule_content})" if rule.rule_content else rule.tool_name
                for rule in update.rules or ()
            ]
    return tuple(dict.fromkeys(rule for rule in found if _is_rule(rule)))


def session_rules(rules: Iterable[str]) -> PermissionUpdate:
    """Return the change by which Claude Code allows what these rules cover until its process ends."""
    values = [PermissionRuleValue(*parse(rule)) for rule in rules]
    return PermissionUpdate(type="addRules", behavior="allow", destination="session", rules=values)


def _is_rule(text: str) -> bool:
    try:
        parse(text)
    except BadInput:
        return False
    return True


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
