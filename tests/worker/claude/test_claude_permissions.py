"""What is asked of a person, how the answer reaches Claude Code, and which refusals count as denials."""

from typing import Any

import pytest
from claude_agent_sdk import PermissionUpdate, ToolPermissionContext
from claude_agent_sdk.types import PermissionRuleValue
from claude_rows import ask, tree

from tui_orch.worker.claude.denials import all_denials
from tui_orch.worker.claude.hooks import stop_answer
from tui_orch.worker.claude.options import applied, stays_whole
from tui_orch.worker.claude.permissions import permission, session_rules, suggested, user_answers, user_question

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


def test_a_refusal_for_good_tells_its_rule() -> None:
    assert all_denials([], (), [ask(answer="deny", rule_id=3)], ()) == (
        {"tool": "Bash", "input": {"command": "make"}, "rule_id": 3},
    )


def update(**given: Any) -> PermissionUpdate:
    return PermissionUpdate(**{"type": "addRules", "behavior": "allow", "destination": "session"} | given)


def test_what_claude_code_would_keep_and_calls_it_comes_with_the_ask() -> None:
    rules = [PermissionRuleValue("Bash", "make x *"), PermissionRuleValue("Read", "//etc/**")]
    context = ToolPermissionContext(suggestions=[update(rules=rules)], description="Builds\x1b[2J it")
    asked = permission("Bash", {"command": "make x"}, context)
    assert asked.suggestions == ("Bash(make x *)", "Read(//etc/**)")
    assert asked.title == "Builds [2J it"
    assert permission("Bash", {}, ToolPermissionContext(title="Claude wants", description="x")).title == "Claude wants"
    assert permission("Bash", {}, ToolPermissionContext()).title is None


def test_suggestions_that_are_no_rules_that_allow_are_left_out() -> None:
    """Modes, folders, denials, and texts that no rule may hold."""
    updates = [
        update(type="setMode", mode="bypassPermissions"),
        update(type="addDirectories", directories=["/"]),
        update(behavior="deny", rules=[PermissionRuleValue("Read")]),
        update(type="removeRules", rules=[PermissionRuleValue("Read")]),
        update(
            rules=[PermissionRuleValue("Bash", "x\x1b"), PermissionRuleValue("Edit"), PermissionRuleValue("Edit", "")]
        ),
        update(rules=None),
    ]
    assert suggested(updates) == ("Edit",)


def test_rules_for_the_session_go_over_in_parts() -> None:
    sent = session_rules(["Bash(make:*)", "Read"]).to_dict()
    assert sent == {
        "type": "addRules",
        "behavior": "allow",
        "destination": "session",
        "rules": [{"toolName": "Bash", "ruleContent": "make:*"}, {"toolName": "Read"}],
    }


@pytest.mark.parametrize(
    ("rule", "whole"),
    [
        ("Read", True),
        ("Bash(git log:*)", True),
        ("Bash(echo a, b)", True),
        ("Bash(echo ), Bash, x)", False),
        ("Bash(echo (a))", False),
        ("Bash(echo \\)", False),
        ("Bash(a\nb)", False),
        ("no rule", False),
    ],
)
def test_a_rule_that_could_be_split_on_the_way_is_kept_back(rule: str, *, whole: bool) -> None:
    """Claude Code takes its list apart at commas outside brackets, and knows no escapes."""
    assert stays_whole(rule) is whole
    assert applied(tree(allowed_tools=(rule, "Edit")), []) == [*([rule] if whole else []), "Edit"]


def test_the_hook_ends_a_turn_only_when_the_job_waits() -> None:
    assert stop_answer(None) == {}
    assert stop_answer("children") == {"continue_": False, "stopReason": "waiting for subtasks"}
    assert stop_answer("ask")["continue_"] is False
