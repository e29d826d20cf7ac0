"""The last line of activity: what it says, and that it is stored at most once a second and never lost."""

import asyncio
from typing import Any

import pytest
from claude_agent_sdk import AssistantMessage, SystemMessage, TextBlock, ThinkingBlock, ToolUseBlock, UserMessage

from tui_orch.worker.claude.activity import CHARS, Activity, describe


def use(name: str, **given: Any) -> AssistantMessage:
    return AssistantMessage([ToolUseBlock("t", name, given)], "model")


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (use("Edit", file_path="/srv/p/src/auth.py", old_string="a"), "Edit src/auth.py"),
        (use("Read", file_path="/etc/hosts"), "Read /etc/hosts"),
        (use("Bash", command="pytest -q\n  tests", description="d"), "Bash: pytest -q tests"),
        (use("Grep", pattern="x", path="/srv/p/src"), "Grep src"),
        (use("mcp__orch__spawn_subtasks", tasks=["a", "b"]), "spawn_subtasks: 2 subtask(s)"),
        (use("mcp__orch__report_result", summary="It works."), "report_result: It works."),
        (use("TodoWrite", todos=[]), "TodoWrite"),
        (AssistantMessage([TextBlock("\n I look at it.\nThen more.")], "model"), "I look at it."),
        (
            SystemMessage("api_retry", {"attempt": 1, "max_retries": 10, "error_status": 529}),
            "The API fails (529), try 1 of 10",
        ),
        (AssistantMessage([ThinkingBlock("hm", "")], "model"), None),
        (UserMessage("x"), None),
        (SystemMessage("init", {}), None),
    ],
)
def test_a_message_is_told_in_one_line(message: Any, line: str | None) -> None:
    assert describe(message, "/srv/p") == line


def test_the_newest_block_of_a_message_is_told() -> None:
    assert (
        describe(AssistantMessage([TextBlock("First."), ToolUseBlock("t", "Bash", {"command": "ls"})], "m"))
        == "Bash: ls"
    )


def test_a_hostile_line_is_cleaned_and_bounded() -> None:
    line = describe(use("Bash", command="\x1b]0;evil\x07\u202e" + "x" * 100_000)) or ""
    assert len(line) == CHARS
    assert line.isprintable()


async def test_the_first_line_is_stored_at_once_and_a_burst_as_its_last_line_only() -> None:
    stored: list[str] = []
    changed = asyncio.Event()

    def write(text: str) -> None:
        stored.append(text)
        changed.set()

    activity = Activity(write, pause_s=0.05)
    activity.show("a")
    assert stored == ["a"]
    changed.clear()
    for text in ("b", "c", "d"):
        activity.show(text)
    assert stored == ["a"]
    await asyncio.wait_for(changed.wait(), 10)
    assert stored == ["a", "d"]


async def test_the_last_line_is_stored_at_the_end_without_waiting() -> None:
    stored: list[str] = []
    activity = Activity(stored.append, pause_s=3_600)
    activity.show("a")
    activity.show("b")
    activity.flush()
    activity.flush()
    assert stored == ["a", "b"]
