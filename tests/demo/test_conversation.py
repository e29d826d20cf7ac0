"""What a script reads out of a request, by requests as the real Claude Code sent them (shortened)."""

from typing import Any

import pytest

from tui_orch.demo.conversation import BadBodyError, Reply, read_conversation

REMINDER = {"type": "text", "text": "<system-reminder>\nCLAUDE.md: Working hours are nine to five.\n</system-reminder>"}
ENVIRONMENT = {"role": "system", "content": "# Environment\n - Primary working directory: /home/me/my project\n - x"}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def result(words: str) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "t", "content": words}


def call(name: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": "t", "name": name, "input": {}}


def body(*later: dict[str, Any]) -> dict[str, Any]:
    first = {"role": "user", "content": [REMINDER, text("Build it.\nNow.")]}
    return {"model": "m", "messages": [first, ENVIRONMENT, *later], "tools": [{"name": "Bash"}]}


def test_the_prompt_is_the_first_text_that_is_no_reminder() -> None:
    said = read_conversation(body())
    assert (said.prompt, said.pending) == ("Build it.\nNow.", "Build it.\nNow.")
    assert said.replies == ()
    assert not said.utility


def test_the_working_directory_is_learnt_from_the_environment_message_with_its_spaces() -> None:
    assert read_conversation(body()).cwd == "/home/me/my project"


def test_the_working_directory_is_learnt_from_the_system_prompt_too() -> None:
    asked = {"system": [text("Working directory: /srv/a")], "messages": [{"role": "user", "content": "hi"}]}
    assert read_conversation(asked).cwd == "/srv/a"


def test_a_resumed_session_adds_its_prompt_to_the_last_tool_results() -> None:
    said = read_conversation(
        body(
            {"role": "assistant", "content": [text("I split it."), call("spawn")]},
            {"role": "user", "content": [result("spawned"), text("LEDGER")]},
            {"role": "system", "content": "PostToolUse:spawn hook stopped continuation: waiting"},
        )
    )
    assert said.replies == (Reply("Build it.\nNow.", 1),)
    assert said.pending == "spawned\nLEDGER"
    assert said.prompt == "Build it.\nNow."


def test_a_tool_result_in_blocks_is_heard() -> None:
    blocks = {"type": "tool_result", "tool_use_id": "t", "content": [text("refused: depth"), text("3")]}
    said = read_conversation(
        body({"role": "assistant", "content": [call("a"), call("b")]}, {"role": "user", "content": [blocks]})
    )
    assert said.replies[0].tool_calls == 2
    assert said.pending == "refused: depth\n3"


def test_calls_that_failed_are_counted_with_the_turn_that_made_them() -> None:
    cut_off = result("The tool call was interrupted before a result was received.") | {"is_error": True}
    said = read_conversation(
        body(
            {"role": "assistant", "content": [call("a"), call("b")]},
            {"role": "user", "content": [result("one"), cut_off]},
            {"role": "assistant", "content": [text("No response requested.")]},
            {"role": "user", "content": [text("Go on.")]},
        )
    )
    assert said.replies == (Reply("Build it.\nNow.", 2, failed_calls=1, was_cut_off=True),)


def test_what_claude_code_says_for_the_model_after_a_kill_is_no_turn() -> None:
    said = read_conversation(
        body(
            {"role": "assistant", "content": [call("Bash")]},
            {"role": "user", "content": [result("one")]},
            {"role": "assistant", "content": [text("No response requested.")]},
            {"role": "user", "content": [text("Go on.")]},
        )
    )
    assert len(said.replies) == 1
    assert said.pending == "one\nGo on."


def test_a_request_that_offers_no_tools_is_a_side_call() -> None:
    assert read_conversation({"messages": [{"role": "user", "content": "Title of: Build it."}]}).utility


@pytest.mark.parametrize("wrong", [{}, {"messages": []}, {"messages": "hi"}, {"messages": ["hi"]}])
def test_a_body_without_messages_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadBodyError, match="messages"):
        read_conversation(wrong)
