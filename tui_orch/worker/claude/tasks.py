"""Reads what a worker gave to ``spawn_subtasks``: each mistake is one line that names the place and what is allowed.

Pure. The limits of the tree are not looked at here: the store refuses what goes beyond them.
"""

import reprlib
from collections.abc import Mapping
from typing import Any

from store.errors import BadInput
from store.models import NewJob
from store.needs import NEEDS_SCHEMA, Needs, parse_needs
from store.states import Kind

_KEYS = ("title", "request", "kind", "timeout_s", "model", "budget_usd", "needs")
_KINDS = (Kind.CLAUDE, Kind.COMMAND)
_LONGEST_S = 604_800
_MOST_USD = 1_000_000_000

TASK_SCHEMA: dict[str, Any] = {
    "type": ["string", "object"],
    "description": (
        "The request of one subtask, complete in itself: the worker sees nothing of this conversation. A plain string, "
        "or an object with the request and more."
    ),
    "properties": {
        "request": {"type": "string", "description": "What to do, with all that the worker must know."},
        "title": {
            "type": "string",
            "description": "A few words for the list of jobs. Default: the request's first line.",
        },
        "kind": {
            "type": "string",
            "enum": [kind.value for kind in _KINDS],
            "description": "claude (default): a Claude Code session. command: the request is one shell line to run.",
        },
        "timeout_s": {"type": "number", "description": "Seconds it may take at most, with all below it."},
        "model": {"type": "string", "description": "The model for it, where it should not be the tree's own."},
        "budget_usd": {
            "type": "number",
            "description": "Dollars that it may spend at most, with all below it; what it does not spend stays yours.",
        },
        "needs": {
            **NEEDS_SCHEMA,
            "description": "What its machine must have, where workers run on several; what is left out: as the tree says.",
        },
    },
}


class BadTasks(ValueError):
    """The tasks can not be read; the text is one line for the worker."""


def read_tasks(given: Any) -> tuple[NewJob, ...]:
    """Return the jobs to insert. Raises BadTasks."""
    if not isinstance(given, list):
        raise BadTasks(f"tasks is {_kind_of(given)}; allowed: a list of strings or objects")
    if not given:
        raise BadTasks("tasks is an empty list; give at least one subtask, or do the work yourself")
    return tuple(_read_task(f"tasks[{index}]", task) for index, task in enumerate(given))


def _read_task(where: str, task: Any) -> NewJob:
    if isinstance(task, str):
        task = {"request": task}
    if not isinstance(task, Mapping):
        raise BadTasks(f"{where} is {_kind_of(task)}; allowed: a string, or an object with {', '.join(_KEYS)}")
    unknown = sorted(str(key) for key in task if key not in _KEYS)
    if unknown:
        raise BadTasks(f"{where} has the unknown key {_shown(unknown[0])}; allowed: {', '.join(_KEYS)}")
    request = task.get("request")
    if not isinstance(request, str) or not request.strip():
        raise BadTasks(f"{where}.request is {_kind_of(request)}; it must be a text that says what to do")
    return NewJob(
        request=request,
        kind=_read_kind(where, task.get("kind")),
        title=_read_text(where, "title", task.get("title")),
        timeout_s=_read_seconds(where, task.get("timeout_s")),
        model=_read_text(where, "model", task.get("model")),
        budget_usd=_read_dollars(where, task.get("budget_usd")),
        needs=_read_needs(where, task.get("needs")),
    )


def _read_kind(where: str, given: Any) -> Kind:
    if given is None:
        return Kind.CLAUDE
    if given not in _KINDS:
        raise BadTasks(f"{where}.kind is {_shown(given)}; allowed: {', '.join(_KINDS)}")
    return Kind(given)


def _read_text(where: str, key: str, given: Any) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str) or not given.strip():
        raise BadTasks(f"{where}.{key} is {_kind_of(given)}; leave it out or give a text")
    return " ".join(given.split())


def _read_seconds(where: str, given: Any) -> float | None:
    if given is None:
        return None
    if not isinstance(given, int | float) or isinstance(given, bool) or not 0 < given <= _LONGEST_S:
        raise BadTasks(f"{where}.timeout_s is {_shown(given)}; allowed: seconds above 0, up to {_LONGEST_S}")
    return float(given)


def _read_dollars(where: str, given: Any) -> float | None:
    if given is None:
        return None
    if not isinstance(given, int | float) or isinstance(given, bool) or not 0 < given <= _MOST_USD:
        raise BadTasks(f"{where}.budget_usd is {_shown(given)}; allowed: dollars above 0, up to {_MOST_USD}")
    return float(given)


def _read_needs(where: str, given: Any) -> Needs | None:
    try:
        return None if given is None else parse_needs(given)
    except BadInput as error:
        raise BadTasks(f"{where}: {error}") from error


def _shown(value: Any) -> str:
    return reprlib.repr(value)


def _kind_of(value: Any) -> str:
    names = {
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    if value is None:
        return "missing"
    if value == "":
        return "empty"
    if isinstance(value, str) and not value.strip():
        return "blank"
    return names.get(type(value), type(value).__name__)
