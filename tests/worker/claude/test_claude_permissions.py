"""What is asked of a person, how the answer reaches Claude Code, and which refusals count as denials."""

from typing import Any

import pytest
from claude_agent_sdk import ToolPermissionContext
from claude_rows import ask, tree

from tui_orch.worker.claude.denials import all_denials
from tui_orch.worker.claude.hooks import stop_answer
from tui_orch.worker.claude.permissions import permission, user_answers, user_question
from tui_orch.worker.claude.tools import commands_allowed

RED = {"label": "Red\x1b[0m", "description": "r"}
ONE = {"question": "Which colour?", "options": [RED, {"label": "Blue"}]}
TWO = {"question": "How many?", "options": []}


def denied(tool: str, use: str, **given: Any) -> dict[str, Any]:
    return {"tool_name": tool, "tool_use_id": use, "tool_input": given}


def test_a_permission_shows_the_call_and_why_it_is_asked() -> None:
    asked = permission("Bash", {"command": "make"}, ToolPermissionContext(decision_reason="requires\napproval"))
    assert asked.text == 'May it call Bash? requires approval\n{"command": "make"}'
    assert (asked.kind, asked.tool, asked.input) == ("permission", "Bash", {"command": "make"})


def test_a_huge_call_is_shown_in_part_and_kept_whole() -> None:
    asked = permission("Write", {"content": "x" * 100_000}, ToolPermissionContext())
    assert len(asked.text) < 4_100
    assert len(asked.input["content"]) == 100_000


def test_a_single_question_keeps_the_answers_that_it_offers() -> None:
    asked = user_question({"questions": [ONE]})
    assert (asked.text, asked.options) == ("Which colour? (Red [0m / Blue)", ("Red [0m", "Blue"))


def test_several_questions_become_one_with_numbers() -> None:
    asked = user_question({"questions": [ONE, TWO, "odd"]})
    assert (asked.text, asked.options) == ("1. Which colour? (Red [0m / Blue)\n2. How many?", ())


def test_questions_of_an_unknown_shape_are_shown_as_they_are() -> None:
    assert user_question({"prompt": "?"}).text == '{"prompt": "?"}'


def test_the_answer_goes_to_the_first_question_as_it_was_written() -> None:
    given = ask(kind="question", answer="answered", text=" Red, and 3 ")
    assert user_answers({"questions": [ONE, TWO]}, given) == {
        "Which colour?": "Red, and 3",
        "How many?": "see the first answer",
    }


def test_no_answer_leaves_the_decision_to_the_worker() -> None:
    assert user_answers({"questions": [ONE]}, ask(kind="question", answer="deny")) == {
        "Which colour?": "No answer; decide by yourself."
    }


def test_denials_of_rules_and_of_people_are_listed_once_and_parked_calls_are_none() -> None:
    reported = [denied("Bash", "t1", command="make"), denied("Bash", "t2", command="rm x"), denied("Edit", "t3"), "odd"]
    people = [ask(answer="deny", text="no"), ask(answer="allow"), ask(kind="question", answer="deny")]
    assert all_denials(reported, {"t3"}, people, ()) == (
        {"tool": "Bash", "input": {"command": "make"}, "text": "no"},
        {"tool": "Bash", "input": {"command": "rm x"}},
    )


def test_a_denial_that_is_recorded_already_is_not_listed_again() -> None:
    recorded = ({"tool": "Bash", "input": {"command": "make"}, "text": "no"},)
    assert all_denials([denied("Bash", "t1", command="make")], (), [ask(answer="deny", text="no")], recorded) == ()


def test_a_huge_denied_input_is_cut() -> None:
    (one,) = all_denials([denied("Write", "t1", content="x" * 100_000)], (), [], ())
    assert len(one["input"]["content"]) < 2_100


@pytest.mark.parametrize(
    ("mode", "rules", "commands", "allowed"),
    [
        ("acceptEdits", (), ("make",), False),
        ("bypassPermissions", (), ("make",), True),
        ("acceptEdits", ("Bash",), ("make", "rm -rf /"), True),
        ("acceptEdits", ("Bash(*)",), ("make",), True),
        ("acceptEdits", ("Bash(make)",), ("make",), True),
        ("acceptEdits", ("Bash(make)",), ("make", "make; rm x"), False),
        ("acceptEdits", ("Bash(make:*)", "Read"), ("make && rm x",), False),
    ],
)
def test_command_subtasks_need_a_rule_that_allows_just_them(
    mode: str, rules: tuple[str, ...], commands: tuple[str, ...], allowed: bool
) -> None:
    assert commands_allowed(tree(permission_mode=mode, allowed_tools=rules), commands) is allowed


def test_the_hook_ends_a_turn_only_when_the_job_waits() -> None:
    assert stop_answer(None) == {}
    assert stop_answer("children") == {"continue_": False, "stopReason": "waiting for subtasks"}
    assert stop_answer("ask")["continue_"] is False
