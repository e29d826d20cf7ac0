"""What a person sees of an ask is all of it, or says what is missing; and nothing in it can pass for something else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dialog_stage import HOSTILE, NOW_MS, a_job, ask_to_run, open_store, running_tree
from rich.cells import cell_len

from store.models import Ask
from tui_orch.tui.dialogs.ask_view import MOST_CHARS, MOST_LINES, InboxItem, detail, read_items, row

WIDTH = 72
ASK = Ask(7, 12, 1, 1, "permission", "Bash", {"command": "ls"}, "run it?", (), None, (), NOW_MS - 61_000, *(None,) * 4)
ITEM = InboxItem(ASK, (a_job(), a_job(id=12, title="The tests")))


def told(**changes: Any) -> str:
    return "".join(piece.text for piece in detail(replace(ITEM, ask=replace(ASK, **changes)), NOW_MS, WIDTH))


def test_path_tool_input_question_and_age_are_told() -> None:
    assert told() == (
        "#12 wants to use a tool, 1m01s ago (ask 7)\npath  #1 Build it › #12 The tests\ntool  Bash\n"
        "rule  Bash(ls)\ns allows it for #12 and below, t for tree #1; D denies it for #12 and\nbelow\n"
        "asks  run it?\ncommand  ls\n"
    )


def test_a_question_has_numbered_options() -> None:
    seen = told(kind="question", tool=None, input=None, question="Which?\nSay.", options=("red", "blue [/foo]"))
    assert "asks a question" in seen
    assert "asks  \n│ Which?\n│ Say.\n1  red\n2  blue [/foo]\n" in seen


def test_lines_of_a_value_can_not_pass_for_another_value() -> None:
    """Each stands behind a bar."""
    seen = told(input={"text": "x\ncommand  rm -rf /"})
    assert "\ntext  \n│ x\n│ command  rm -rf /\n" in seen
    seen = told(input={"text": "日" * 40 + "command  rm -rf /"})
    assert all(line.startswith("│ ") for line in seen.split("\ntext  \n")[1].splitlines())


@pytest.mark.parametrize("width", [14, 40, 120])
def test_no_line_is_wider_than_the_box(width: int) -> None:
    """Nor is any text lost by that."""
    question = "日本語 " * 50 + HOSTILE
    pieces = detail(replace(ITEM, ask=replace(ASK, question=question, options=("x" * 99,))), NOW_MS, width)
    lines = "".join(piece.text for piece in pieces).split("\n")
    assert all(cell_len(line) <= max(width, 30) for line in lines[1:] if "orch asks" not in line)
    assert "".join(piece.text.rstrip("\n") for piece in pieces if piece.role == "text").count("日本語") == 51


def test_values_that_are_no_text_are_shown_as_json() -> None:
    seen = told(input={"n": 1, "flag": True, "few": [1, 2], "many": {"a": "x" * 80}})
    assert 'n  1\nflag  true\nfew  [1, 2]\nmany  \n│ {\n│   "a": ' in seen


@pytest.mark.parametrize("where_it_is", ["question", "command", "key", "option", "tool", "title", "says", "rule"])
def test_hostile_text_is_cleaned_wherever_it_is(where_it_is: str) -> None:
    changes: dict[str, dict[str, Any]] = {
        "question": {"question": HOSTILE},
        "command": {"input": {"command": HOSTILE}},
        "key": {"input": {HOSTILE: "x"}},
        "option": {"options": (HOSTILE,)},
        "tool": {"tool": HOSTILE},
        "title": {},
        "says": {"title": HOSTILE},
        "rule": {"suggestions": (f"Bash({HOSTILE})", "Bash([/foo])")},
    }
    item = replace(ITEM, ask=replace(ASK, **changes[where_it_is]))
    if where_it_is == "title":
        item = replace(item, path=(a_job(title=HOSTILE),))
    seen = "".join(piece.text for piece in detail(item, NOW_MS, WIDTH)) + row(item, NOW_MS, 200)
    assert "[/foo]" in seen
    assert not set(seen) & {"\x1b", "\x07", "\x9b", "\u202e", "\U000e0041"}


def test_what_is_too_long_says_how_much_is_missing() -> None:
    """Nobody shall allow a command whose end they do not know of."""
    assert f"… {5:,} characters more" in told(input={"command": "x" * (MOST_CHARS + 5)})
    assert "… 3 lines more" in told(input={"command": "\n".join("x" * (MOST_LINES + 3))})
    assert "more" not in told(input={"command": "x" * MOST_CHARS})


@pytest.mark.parametrize("width", [10, 40, 80])
def test_a_row_is_one_line_that_fits(width: int) -> None:
    line = row(replace(ITEM, ask=replace(ASK, question="日本語 " * 50 + "\n" + HOSTILE)), NOW_MS, width)
    assert "\n" not in line
    assert cell_len(line) <= width


def test_claude_codes_title_and_rules_stand_above_what_may_be_long() -> None:
    seen = told(
        title="Shows the log [/foo]", suggestions=("Bash(git log:*)", "Read(//srv/**)"), input={"command": "git log"}
    )
    assert "tool  Bash\nsays  Shows the log [/foo]\nrule  Bash(git log:*)\nrule  Read(//srv/**)\ns allows" in seen


def test_where_no_rule_says_just_this_it_is_told() -> None:
    assert "rule  none says just this; it can be answered once\n" in told(input={"command": "rm *"})
    assert "rule" not in told(kind="question", tool=None, input=None)


def test_asks_are_read_oldest_first_with_their_way_down(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        root, below = running_tree(store, children=2)
        asked = [ask_to_run(store, below[1]), ask_to_run(store, root), ask_to_run(store, below[0])]
        with store.read() as reader:
            items = read_items(reader)
            assert [item.ask.id for item in items] == asked
            assert [[job.id for job in item.path] for item in items] == [[1, 3], [1], [1, 2]]
            assert [item.ask.id for item in read_items(reader, most=1)] == asked[:1]
            assert read_items(reader, root_id=99) == []
