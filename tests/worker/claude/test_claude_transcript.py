"""The transcript: everything that was said, a bounded line each, readable by its owner alone."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from claude_agent_sdk import AssistantMessage, SystemMessage, TextBlock, ToolUseBlock

from tui_orch.worker.claude.transcript import FILE, LINE_CHARS, TEXT_CHARS, Transcript, bounded, line


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text().splitlines()]


def test_a_message_becomes_one_line_with_its_blocks_named() -> None:
    message = AssistantMessage([TextBlock("Hi"), ToolUseBlock("t1", "Bash", {"command": "ls\n"})], "model-x")
    assert json.loads(line(5, "AssistantMessage", message)) == {
        "at_ms": 5,
        "type": "AssistantMessage",
        "content": [
            {"block": "TextBlock", "text": "Hi"},
            {"block": "ToolUseBlock", "id": "t1", "name": "Bash", "input": {"command": "ls\n"}},
        ],
        "model": "model-x",
    }


def test_each_line_is_in_the_file_as_soon_as_it_is_written(tmp_path: Path) -> None:
    with Transcript(tmp_path) as transcript:
        for number in (1, 2):
            transcript.write(number, "Prompt", {"text": "go"})
            assert [found["at_ms"] for found in read(tmp_path / FILE)] == list(range(1, number + 1))
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_second_session_of_the_attempt_goes_on_in_the_same_file(tmp_path: Path) -> None:
    for number in (1, 2):
        with Transcript(tmp_path) as transcript:
            transcript.write(number, "Prompt", {"text": "go"})
    assert len(read(tmp_path / FILE)) == 2


def test_a_long_text_is_cut_and_says_by_how_much() -> None:
    text = json.loads(line(1, "Prompt", {"text": "x" * (TEXT_CHARS + 7)}))["text"]
    assert text == "x" * TEXT_CHARS + "… [7 more characters]"


@pytest.mark.parametrize(
    "data",
    [
        {f"key{number}": "x" * 10_000 for number in range(500)},
        {"list": list(range(1_000_000))},
        {"list": [["\x00" * 200] * 300] * 300},
        {"\x01" * 1_000_000: 1},
        {str(number): {} for number in range(200_000)},
    ],
)
def test_a_line_is_bounded_whatever_a_message_holds(data: dict[str, Any]) -> None:
    text = line(1, "SystemMessage", SystemMessage("init", data))
    assert len(text) <= LINE_CHARS
    assert json.loads(text)["type"] == "SystemMessage"
    assert " more " in text


def test_a_long_list_is_cut_and_says_by_how_much() -> None:
    written = bounded({"list": [0] * 1_000_000}, 100)["list"]
    assert len(written) < 100_000
    assert written[-1] == f"… [{1_000_000 - len(written) + 1} more items]"


def test_what_is_nested_too_deep_is_left_out() -> None:
    deep: Any = "bottom"
    for _ in range(5_000):
        deep = [deep]
    assert "nested too deep" in line(1, "SystemMessage", {"data": deep})
    assert "bottom" not in line(1, "SystemMessage", {"data": deep})


def test_odd_values_and_lone_surrogates_are_written_too(tmp_path: Path) -> None:
    with Transcript(tmp_path) as transcript:
        transcript.write(1, "Odd", {"a": "\ud800", "b": b"\x00", "c": {1}})
    assert read(tmp_path / FILE) == [{"at_ms": 1, "type": "Odd", "a": "\ud800", "b": "b'\\x00'", "c": "{1}"}]


def test_bounded_values_within_bounds_stay_as_they_are() -> None:
    value = {"a": [1, 2.5, None, True, "x"], "b": {}}
    assert bounded(value, 10) == value
