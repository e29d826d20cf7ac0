"""What a line of a transcript says: every message that is known, and none that can stop a reader."""

import json
from typing import Any

import pytest

from tui_orch.client.transcript import Kind, Piece, brief, parse, pieces


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"type": "Prompt", "content": " do it\n"}, [Piece(Kind.PROMPT, "do it")]),
        ({"type": "Prompt", "text": "do it"}, [Piece(Kind.PROMPT, "do it")]),
        ({"type": "AssistantMessage", "content": "hello"}, [Piece(Kind.SAID, "hello")]),
        ({"type": "AssistantMessage", "content": [{"text": " "}]}, []),
        (
            {"type": "AssistantMessage", "content": [{"name": "mcp__orch__report_result", "input": {"a": 1}}]},
            [Piece(Kind.CALLED, "", "report_result", {"a": 1})],
        ),
        ({"type": "AssistantMessage", "content": [], "error": "rate_limit"}, [Piece(Kind.TROUBLE, "rate_limit")]),
        (
            {"type": "UserMessage", "content": [{"tool_use_id": "1", "content": [{"text": "a"}, {"text": "b"}]}]},
            [Piece(Kind.RETURNED, "a\nb")],
        ),
        (
            {"type": "UserMessage", "content": [{"tool_use_id": "1", "content": {"x": 1}, "is_error": True}]},
            [Piece(Kind.RETURNED, '{"x": 1}', failed=True)],
        ),
        ({"type": "UserMessage", "content": "a text of ours"}, []),
        ({"type": "RateLimitEvent", "rate_limit_info": {"status": "allowed"}}, []),
        ({"type": "ResultMessage"}, [Piece(Kind.ENDED, "ended")]),
        ({"type": "SystemMessage", "subtype": "init", "data": 5}, [Piece(Kind.NOTE, "session None, model None")]),
        ({"type": "SystemMessage", "subtype": "other"}, []),
        ({"type": "Something"}, []),
        ({}, []),
    ],
)
def test_an_entry_says(entry: dict[str, Any], said: list[Piece]) -> None:
    """Nothing is required of it."""
    assert pieces(entry) == said
    assert parse(json.dumps(entry)) == said


@pytest.mark.parametrize("line", ["", "x", "[]", "5", "null", '{"a": ', "[" * 100_000, '{"n": ' + "9" * 5_000 + "}"])
def test_what_is_no_entry_says_nothing(line: str) -> None:
    """It is for others to show it as it is."""
    assert parse(line) is None


def test_a_call_is_told_by_what_tells_the_most() -> None:
    """The file of an edit, the command of a shell; else all of it."""
    assert brief({"old_string": "x", "file_path": "a.py"}, 80) == "a.py"
    assert brief({"command": "ls\n -l"}, 80) == "ls -l"
    assert brief({"n": 1}, 80) == '{"n": 1}'
    assert brief({"command": "x" * 100}, 10) == "x" * 9 + "…"
    assert brief(None, 10) == ""
