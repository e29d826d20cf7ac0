"""What stands in the editor and the fields means what a file and the options of `orch submit` would."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dialog_stage import NOW_MS, SETTINGS, open_store

from store.errors import StoreError
from store.models import Limits
from store.settings import get_settings
from store.states import Kind
from store.submit import submit_tree
from tui_orch.tui.dialogs.request_draft import Draft, at_worst, becomes, is_commands, placeholders, read

HERE = Path("/tmp")
LIST = "Do it:\n1. one\n2. two\n3. three\n"


def reading(text: str, **fields: str) -> Any:
    """What is read; Any, because most tests know that there is a tree."""
    return read(Draft(text, fields), SETTINGS, HERE)


def test_every_field_reaches_the_tree() -> None:
    new = reading(
        LIST,
        max_depth="2",
        max_children="5",
        max_jobs="100",
        max_workers="4",
        timeout="1h,10m",
        budget_usd="$12.50",
        kind="claude",
        split="none",
        allowed_tools="Read, Bash(git log:*, git show:*) ,Edit",
    ).new
    assert new is not None
    assert new.limits == Limits(2, 100, 5, 4, None, (3600.0, 600.0), 12.5)
    assert new.allowed_tools == ("Read", "Bash(git log:*, git show:*)", "Edit")
    assert (new.root.kind, new.items, new.work_dir) == (Kind.CLAUDE, (), "/tmp")


def test_an_empty_field_leaves_what_the_request_itself_says() -> None:
    """And a field goes before it."""
    text = "---\nmax_depth: 1\nbudget: 3\n---\nDo it\n"
    assert reading(text).new.limits == Limits(max_depth=1, budget_usd=3.0)
    assert reading(text, max_depth="2", budget_usd="  ").new.limits == Limits(max_depth=2, budget_usd=3.0)


def test_the_worst_case_follows_the_fields_and_the_request() -> None:
    worst = reading("Do it", max_children="5", max_jobs="1000").worst
    assert (worst.jobs, worst.processes, worst.memory_mb) == (156, 5, 2000)
    assert reading("---\nmax_depth: 0\n---\nDo it").worst.jobs == 1
    assert reading("---\nmax_depth: 1\n---\nDo it", max_depth="2").worst.jobs == 200


def test_the_worst_case_is_known_before_a_word_is_written() -> None:
    found = reading("")
    assert found.new is None
    assert found.worst.jobs == 200
    assert "empty" in found.problem


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"max_depth": "6"}, "the form: max_depth must be a whole number from 0 to 5, not 6"),
        ({"max_jobs": "many"}, "the form: max_jobs must be a whole number"),
        ({"timeout": "soon"}, "the form: timeout: a time is such as 90s"),
        ({"budget_usd": "-1"}, "the form: budget_usd must be a number of dollars above 0"),
        ({"budget_usd": "1e400"}, "the form: budget_usd must be a number of dollars above 0"),
        ({"kind": "magic"}, "the form: kind must be one of claude, command, group"),
        ({"kind": "group"}, "kind group needs one list"),
        ({"split": "list"}, "split list needs one list"),
        ({"allowed_tools": "-x"}, "the form: allowed_tools must be a list of tool rules"),
        ({"max_workers": "11"}, "orch settings max_workers_ceiling N"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(fields: dict[str, str], said: str) -> None:
    found = reading("Do it", **fields)
    assert found.new is None
    assert said in found.problem
    assert "\n" not in found.problem


def test_what_is_wrong_in_the_text_is_told_too() -> None:
    assert "unknown key" in reading("---\nmax_dept: 1\n---\nDo it").problem


def test_what_a_request_would_start_as_is_said() -> None:
    assert becomes(reading("Do it").new) == "one worker, which may split it"
    assert becomes(reading("Do it", max_depth="0").new) == "one worker alone"
    assert becomes(reading(LIST).new) == "a group of 3 jobs"
    assert becomes(reading(LIST, kind="command").new) == "a group of 3 commands"
    assert becomes(reading("ls", kind="command").new) == "one command"
    assert is_commands(reading(LIST, kind="command").new)
    assert not is_commands(reading(LIST).new)


def test_the_worst_case_is_said_in_one_line() -> None:
    worst = reading("Do it", budget_usd="20").worst
    assert at_worst(worst) == "200 jobs, 5 processes at once (2.0 GB), 1h, $20.00"
    assert at_worst(replace(worst, jobs=1, processes=1, memory_mb=400, budget_usd=None)) == (
        "1 job, 1 process at once (400 MB), 1h, dollars without bound"
    )
    assert at_worst(worst, commands=True) == "200 jobs, 5 processes at once, 1h, $20.00"


def test_what_a_field_is_when_it_is_empty_is_shown() -> None:
    shown = placeholders(SETTINGS)
    assert (shown["max_workers"], shown["timeout"], shown["budget_usd"]) == ("5", "1h,20m,10m,5m", "none")


@pytest.mark.parametrize(
    ("fields", "limits"),
    [
        ({}, Limits()),
        ({"max_children": "2"}, Limits(max_children=2)),
        ({"max_children": "3"}, Limits(max_children=3)),
        ({"max_jobs": "3"}, Limits(max_jobs=3)),
        ({"max_jobs": "4"}, Limits(max_jobs=4)),
        ({"max_workers": "10"}, Limits(max_workers=10)),
        ({"max_workers": "11"}, Limits(max_workers=11)),
    ],
)
def test_the_form_foresees_what_the_store_refuses(tmp_path: Path, fields: dict[str, str], limits: Limits) -> None:
    """A list with more items than children or jobs, too many workers: refused by both, or by neither."""
    with open_store(tmp_path) as store:
        with store.read() as reader:
            settings = get_settings(reader)
        whole = read(Draft(LIST), settings, tmp_path).new
        assert whole is not None
        refused = False
        try:
            with store.write() as tx:
                submit_tree(tx, replace(whole, limits=limits), NOW_MS)
        except StoreError:
            refused = True
        assert refused == (read(Draft(LIST, fields), settings, tmp_path).new is None)
