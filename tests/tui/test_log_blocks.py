"""A transcript is readable, and whatever else a log holds is shown as it is, bounded."""

import json
from typing import Any

import pytest
from detail_stores import DEEP, called, returned, said

from tui_orch.tui.detail.blocks import MOST_CHARS, MOST_LINES, Block, cut_off_block, output_block, transcript_blocks
from tui_orch.tui.detail.log_tail import RawLine
from tui_orch.tui.text.line import Tone


def blocks(entry: Any) -> list[Block]:
    return transcript_blocks(RawLine(json.dumps(entry)))


def shown(found: list[Block]) -> list[str]:
    return [line.text for block in found for line in block.shown]


def hidden(found: list[Block]) -> list[str]:
    return [line.text for block in found for line in block.hidden]


def test_what_is_said_stands_there_whole() -> None:
    """With an empty line before it."""
    assert shown(blocks(said("one\ntwo [/foo]"))) == ["", "one", "two [/foo]"]


def test_a_call_takes_one_line_and_hides_its_input() -> None:
    """Our own tools go by their short name, texts keep their lines."""
    found = blocks(called("mcp__orch__spawn_subtasks", file_path="a.py", text="x\ny", flags=[1, 2]))
    assert shown(found) == ["→ spawn_subtasks a.py"]
    assert hidden(found) == ["    file_path: a.py", "    text:", "      x", "      y", "    flags: [1, 2]"]


def test_a_call_without_input_hides_nothing() -> None:
    """There is nothing to unfold."""
    assert hidden(blocks(called("Stop"))) == []


def test_a_long_result_is_folded() -> None:
    """Its first line tells how much is behind it; a short one is there whole."""
    found = blocks(returned("first\nsecond\nthird"))
    assert shown(found) == ["← first  … 2 more lines"]
    assert hidden(found) == ["    first", "    second", "    third"]
    assert hidden(blocks(returned("short"))) == []


def test_an_error_is_marked_in_words() -> None:
    """Not by its colour alone."""
    assert shown(blocks(returned("no such file", is_error=True))) == ["  ← error: no such file"]


def test_a_long_prompt_is_folded_behind_its_beginning() -> None:
    """A ledger can be long; what it is about comes first."""
    found = blocks({"type": "Prompt", "content": "\n".join(f"line {number}" for number in range(50))})
    assert shown(found)[:3] == ["", "> prompt", "  line 0"]
    assert len(shown(found)) + len(hidden(found)) == 52
    assert found[0].shown[found[0].marked].text == "> prompt"


def test_the_end_tells_what_it_cost() -> None:
    """And whether it was an error."""
    end = {"type": "ResultMessage", "num_turns": 5, "total_cost_usd": 0.42}
    assert shown(blocks(end)) == ["", "■ ended after 5 turns, session so far $0.42"]
    assert "with an error" in shown(blocks(end | {"is_error": True, "api_error_status": 529}))[1]


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[1, 2]",
        '"text"',
        '{"type": "Assis',
        DEEP,
        '{"a":' + "1" * 5_000 + "}",
        "{" * 200_000,
        "\x00\x1b[2J",
    ],
)
def test_a_line_that_is_no_entry_is_shown_as_it_is(line: str) -> None:
    """Its beginning, on one line, without anything that a terminal would obey."""
    (text,) = shown(transcript_blocks(RawLine(line)))
    assert text[:1] == (line[0] if line[0].isprintable() else "␀")
    assert len(text) <= 2_000
    assert "\x1b" not in text


@pytest.mark.parametrize("entry", [{}, {"type": 5}, {"type": "Unknown"}, {"type": "AssistantMessage", "content": 3}])
def test_what_is_not_known_is_left_out(entry: dict[str, Any]) -> None:
    """Claude Code's messages change from version to version."""
    assert blocks(entry) == []


def test_a_piece_of_a_line_is_never_taken_for_an_entry() -> None:
    """Its rest could be valid by chance."""
    assert shown(transcript_blocks(RawLine(json.dumps(said("x")), whole=False)))[0].startswith('{"type"')


def test_deep_input_of_a_tool_does_not_break_it() -> None:
    """A worker nests as deep as it likes."""
    value: Any = "x"
    for _ in range(300):
        value = [value]
    assert hidden(blocks(called("Write", deep=value)))[0].startswith("    deep: [[")


def test_what_is_huge_is_cut() -> None:
    """A block never holds more than it may, and says that something is missing."""
    for text in ("x" * 10_000_000, "y\n" * 100_000):
        (block,) = transcript_blocks(RawLine(json.dumps(returned(text + "\nend"))))
        assert len(block.hidden) <= MOST_LINES + 1
        assert block.chars < 2 * MOST_CHARS
        assert block.hidden[-1].text.strip().startswith("… the rest is not shown")


def test_no_text_of_a_worker_reaches_the_terminal_as_it_is() -> None:
    """Not from any field of any entry."""
    evil = "\x1b]52;c;x\x07\x9b31m\u202e\u2028[bold]\ud800\r"
    entries = [
        said(evil), called(evil, **{evil: evil, "b": [evil]}), returned(evil), returned(evil, is_error=True),
        {"type": "Prompt", "content": evil},
        {"type": "SystemMessage", "subtype": "init", "data": {"session_id": evil, "model": evil}},
        {"type": "SystemMessage", "subtype": "api_retry", "data": {"error": evil}},
        {"type": "RateLimitEvent", "rate_limit_info": {"status": evil, "rate_limit_type": evil, "resets_at": evil}},
        {"type": "AssistantMessage", "content": [], "error": evil},
    ]  # fmt: skip
    found = [block for entry in entries for block in blocks(entry)] + [output_block(RawLine(evil)), cut_off_block(evil)]
    text = "".join(shown(found) + hidden(found))
    assert len(found) >= len(entries)
    assert not set(text) & set("\x1b\x07\x9b\u202e\u2028\ud800\r\n\t")
    assert "[bold]" in text


def test_the_line_of_a_writer_that_was_stopped_is_told_as_such() -> None:
    """It is neither hidden nor taken for text of the worker."""
    (line,) = cut_off_block('{"type": "Assis').shown
    assert line.text == '! cut off here: {"type": "Assis'
    assert line.parts[0][1] is Tone.WARN
