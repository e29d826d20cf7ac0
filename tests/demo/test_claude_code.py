"""The real Claude Code, played by a script: what it does with turns, resumes, kills and errors of the API.

Each start of Claude Code costs a second or two, so a test says several things about one session.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from claude_agent_sdk import (
    AssistantMessage,
    Message,
    ProcessError,
    RateLimitEvent,
    ResultMessage,
    SystemMessage,
    TextBlock,
    ToolResultBlock,
    UserMessage,
)
from claude_code import SPAWN, ClaudeCode

from tui_orch.demo import notes_service
from tui_orch.demo.faults import overloaded, rate_limited, server_error, unauthorized, usage_limit
from tui_orch.demo.model import ScriptedModel
from tui_orch.demo.script import Branch, Role, Script, ToolCall, Turn

pytestmark = pytest.mark.real_cli


def script(*turns: Turn | Branch) -> Script:
    return Script((Role("^Build it", turns),))


def python(code: str) -> ToolCall:
    return ToolCall("Bash", {"command": f'python3 -c "{code}"'})


def write(path: str, text: str) -> ToolCall:
    return ToolCall("Write", {"file_path": f"{{cwd}}/{path}", "content": text})


def result(messages: Sequence[Message]) -> ResultMessage:
    assert isinstance(messages[-1], ResultMessage)
    return messages[-1]


def tool_results(messages: Sequence[Message]) -> list[ToolResultBlock]:
    said = [message.content for message in messages if isinstance(message, UserMessage)]
    return [block for content in said for block in content if isinstance(block, ToolResultBlock)]


def turns(model: ScriptedModel) -> list[tuple[str, int]]:
    """What was played, without side calls."""
    return [(entry.what, entry.turn) for entry in model.entries() if entry.what != "utility"]


async def test_a_session_writes_spawns_ends_its_turn_and_goes_on_with_the_ledger(claude: ClaudeCode) -> None:
    """The life of a parent: tools run, the hook ends the turn after the spawn, the resume counts on."""
    play = script(
        Turn("I write.", (write("a.txt", "one\n"), python("print(6 * 7)"))),
        Turn("I split.", (ToolCall(SPAWN, {"tasks": ["x", "y"], "wait": True}), write("b.txt", "two\n"))),
        Branch("LEDGER: 2 of 2", then=(Turn("I join.", (edit("a.txt", "one", "ONE"),)), Turn("Joined."))),
    )
    with ScriptedModel(play) as model:
        first = await claude.run(model.url, "Build it.\nAll of it.")
        assert (claude.cwd / "a.txt").read_text() == "one\n"
        assert (claude.cwd / "b.txt").read_text() == "two\n"
        assert tool_results(first)[1].content == "42"
        assert claude.spawned == [{"tasks": ["x", "y"], "wait": True}]
        assert (result(first).stop_reason, result(first).is_error) == ("tool_use", False)
        assert turns(model) == [("answered", 0), ("answered", 1)]

        second = await claude.run(model.url, "LEDGER: 2 of 2 completed", result(first).session_id)
        assert (claude.cwd / "a.txt").read_text() == "ONE\n"
        assert result(second).result == "Joined."
        assert result(second).session_id == result(first).session_id
        assert result(second).total_cost_usd > result(first).total_cost_usd > 0

        third = await claude.run(model.url, "And now?", result(first).session_id)
        assert result(third).result == "done"
        assert turns(model) == [("answered", n) for n in range(5)]
        assert {entry.session for entry in model.entries()} == {result(first).session_id}


def edit(path: str, before: str, after: str) -> ToolCall:
    return ToolCall("Edit", {"file_path": f"{{cwd}}/{path}", "old_string": before, "new_string": after})


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
async def test_a_session_killed_while_the_model_thinks_asks_for_the_same_turn_again(
    claude: ClaudeCode, tmp_path: Path, stop: signal.Signals
) -> None:
    """Claude Code says "No response requested." for the model then; that must not count as a turn."""
    go_on = tmp_path / "go on"
    play = script(Turn(tools=(python("print(1)"),)), Turn("Second.", hold=str(go_on)), Turn("Third."))
    with ScriptedModel(play) as model:
        session = asyncio.create_task(claude.run(model.url, "Build it."))
        await asyncio.to_thread(until, lambda: ("held", 1) in turns(model))
        only_child().send_signal(stop)
        with pytest.raises(ProcessError):
            await session
        go_on.touch()
        session_id = model.entries()[0].session
        assert result(await claude.run(model.url, "Go on.", session_id)).result == "Second."
        assert [turn for turn in turns(model) if turn[0] == "answered"] == [("answered", 0), ("answered", 1)]


def until(come: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def only_child() -> psutil.Process:
    [child] = [process for process in psutil.Process().children() if process.name() == "claude"]
    return child


async def test_an_api_error_ends_the_session_and_a_resume_asks_for_the_same_turn(claude: ClaudeCode) -> None:
    play = script(Turn(tools=(python("print(1)"),)), Turn("Second.", error=server_error()))
    with ScriptedModel(play) as model:
        failed = result(await claude.run(model.url, "Build it."))
        assert (failed.subtype, failed.is_error, failed.api_error_status) == ("success", True, 500)
        assert result(await claude.run(model.url, "Go on.", failed.session_id)).result == "Second."
        assert turns(model) == [("answered", 0), ("error", 1), ("answered", 1)]


async def test_claude_code_retries_an_overloaded_api_and_a_cut_stream_by_itself(claude: ClaudeCode) -> None:
    play = script(
        Turn("First.", (python("print(1)"),), error=overloaded()),
        Turn("Cut in a block.", (python("print(2)"),), drop_after=2),
        Turn("Cut after the text.", (python("print(3)"),), drop_after=4),
        Turn("Cut after a call.", (python("print(4)"), python("print(5)")), drop_after=7),
        Turn("Last."),
    )
    with ScriptedModel(play) as model:
        messages = await claude.run(model.url, "Build it.", retries=2)
        retries = [m.data for m in messages if isinstance(m, SystemMessage) and m.subtype == "api_retry"]
        assert retries[0]["error_status"] == 529
        assert [block.content for block in tool_results(messages)] == ["1", "2", "3", "4", "5"]
        assert (result(messages).result, result(messages).is_error) == ("Last.", False)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [(rate_limited(), 429, "rate_limit"), (unauthorized(), 401, "authentication_failed")],
)
async def test_an_error_of_the_first_turn_is_told_by_status_and_kind(
    claude: ClaudeCode, error: Any, status: int, kind: str
) -> None:
    with ScriptedModel(script(Turn("Hello.", error=error))) as model:
        messages = await claude.run(model.url, "Build it.")
    assert result(messages).api_error_status == status
    assert [m.error for m in messages if isinstance(m, AssistantMessage)] == [kind]
    assert not [m for m in messages if isinstance(m, RateLimitEvent)]


async def test_a_subscriptions_usage_limit_is_an_event_with_its_reset(claude: ClaudeCode) -> None:
    with ScriptedModel(script(Turn("Hello.", error=usage_limit(1_900_000_000)))) as model:
        messages = await claude.run(model.url, "Build it.", login="CLAUDE_CODE_OAUTH_TOKEN", retries=3)
        assert turns(model) == [("error", 0)]
    [event] = [m.rate_limit_info for m in messages if isinstance(m, RateLimitEvent)]
    assert (event.status, event.resets_at, event.rate_limit_type) == ("rejected", 1_900_000_000, "five_hour")
    assert result(messages).api_error_status == 429


async def test_the_demos_checks_are_allowed_and_pass_in_the_real_client(claude: ClaudeCode) -> None:
    """All of what its request allows that the scenario needs, in one session on the finished files."""
    for path, text in notes_service.final_files().items():
        (claude.cwd / path).parent.mkdir(parents=True, exist_ok=True)
        (claude.cwd / path).write_text(text)
    checks = [ToolCall("Bash", {"command": part.check}) for part in notes_service.parts().values()]
    with ScriptedModel(script(Turn("I check.", tuple(checks)), Turn("Checked."))) as model:
        messages = await claude.run(model.url, "Build it.")
    assert result(messages).permission_denials == []
    assert [block.content for block in tool_results(messages) if block.is_error] == []
    assert tool_results(messages)[0].content == "all 14 checks passed"
    assert [m.content for m in messages if isinstance(m, AssistantMessage)][-1] == [TextBlock("Checked.")]
