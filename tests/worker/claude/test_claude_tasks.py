"""What a worker gives to spawn_subtasks, and the one line it gets for a mistake."""

import math
from typing import Any

import pytest

from store.models import NewJob
from store.needs import Needs
from store.states import Kind
from tui_orch.worker.claude.tasks import BadTasks, read_tasks


def test_a_text_is_a_request_and_an_object_says_more() -> None:
    whole = {"title": "Two\n parts", "request": "Do two.", "kind": "command", "timeout_s": 60, "model": "haiku"}
    assert read_tasks(["Do one.", whole]) == (
        NewJob("Do one."),
        NewJob("Do two.", Kind.COMMAND, "Two parts", None, 60.0, "haiku"),
    )


def test_a_task_says_what_its_machine_must_have() -> None:
    (task,) = read_tasks([{"request": "Do it.", "needs": {"cpus": 2, "labels": {"zone": "a"}}}])
    assert task.needs == Needs(cpus=2.0, labels={"zone": "a"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "tasks is missing; allowed: a list of strings or objects"),
        ("Do it", "tasks is a text; allowed: a list of strings or objects"),
        ([], "tasks is an empty list; give at least one subtask, or do the work yourself"),
        (
            [1],
            "tasks[0] is a number; allowed: a string, or an object with title, request, kind, timeout_s, model, budget_usd, needs",
        ),
        (
            ["a", ["b"]],
            "tasks[1] is a list; allowed: a string, or an object with title, request, kind, timeout_s, model, budget_usd, needs",
        ),
        ([""], "tasks[0].request is empty; it must be a text that says what to do"),
        (["a", " \n"], "tasks[1].request is blank; it must be a text that says what to do"),
        ([{}], "tasks[0].request is missing; it must be a text that says what to do"),
        ([{"request": 5}], "tasks[0].request is a number; it must be a text that says what to do"),
        (
            [{"request": "a", "prio": 1}],
            "tasks[0] has the unknown key 'prio'; allowed: title, request, kind, timeout_s, model, budget_usd, needs",
        ),
        ([{"request": "a", "kind": "group"}], "tasks[0].kind is 'group'; allowed: claude, command"),
        ([{"request": "a", "kind": ["claude"]}], "tasks[0].kind is ['claude']; allowed: claude, command"),
        ([{"request": "a", "title": ""}], "tasks[0].title is empty; leave it out or give a text"),
        ([{"request": "a", "needs": {"cpus": 0}}], "tasks[0]: cpus of needs is 0; allowed: 0.01 to 1024"),
        ([{"request": "a", "model": 3}], "tasks[0].model is a number; leave it out or give a text"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(given: Any, said: str) -> None:
    with pytest.raises(BadTasks) as caught:
        read_tasks(given)
    assert str(caught.value) == said


@pytest.mark.parametrize("seconds", [0, -1, 604_801, math.nan, math.inf, True, "60"])
def test_seconds_out_of_range_are_refused(seconds: Any) -> None:
    with pytest.raises(BadTasks, match="allowed: seconds above 0, up to 604800"):
        read_tasks([{"request": "a", "timeout_s": seconds}])


def test_a_huge_mistake_gives_a_short_line() -> None:
    with pytest.raises(BadTasks) as caught:
        read_tasks([{"request": "a", "k" * 10_000: 1}])
    assert len(str(caught.value)) < 200
