"""What a scripted model says, as frozen data that a JSON file can hold; it knows no HTTP and keeps no state.

A ``Script`` is a list of roles. The first role whose ``match`` is found in a conversation's first prompt
(the job's request) plays it, and says its turns one after the other. Which turn comes next is read from the
conversation alone (``next_turn``), so any number of sessions may talk at once, and a resumed session goes
on where it was.

Texts and tool inputs may hold ``{cwd}`` (the session's working directory), ``{name}`` for every named group
of ``match``, and whatever the model is started with; other braces are left as they are.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, NonNegativeFloat, NonNegativeInt, PositiveInt, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from tui_orch.demo.conversation import Conversation

STRICT = ConfigDict(extra="forbid")


class ScriptError(ValueError):
    """A script that can not be used; says where in it and why."""


@dataclass(frozen=True, config=STRICT)
class ToolCall:
    """A tool that the model calls, by Claude Code's name for it: ``Write``, ``mcp__orch__spawn_subtasks``."""

    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True, config=STRICT)
class ApiError:
    """An answer of the API that is no turn. ``times``: per request text; None = for ever. See ``faults``."""

    status: int
    type: str
    message: str
    headers: Mapping[str, str] | None = None
    times: PositiveInt | None = 1


@dataclass(frozen=True, config=STRICT)
class Tokens:
    """What a turn is said to have used. Claude Code turns it into dollars by the model's list price."""

    input: NonNegativeInt = 1000
    output: NonNegativeInt = 200
    cache_read: NonNegativeInt = 0
    cache_write: NonNegativeInt = 0


@dataclass(frozen=True, config=STRICT)
class Turn:
    """One answer of the model: a text, then tool calls; neither is an empty answer.

    Before it is given: the model waits until the file ``hold`` exists, then ``delay_s`` seconds, then
    answers ``error`` as often as that says. ``drop_after`` cuts the first answer off after so many stream
    events.
    """

    text: str | None = None
    tools: tuple[ToolCall, ...] = ()
    error: ApiError | None = None
    hold: str | None = None
    delay_s: NonNegativeFloat = 0.0
    drop_after: NonNegativeInt | None = None
    usage: Tokens = Tokens()


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        msg = f"{pattern!r} is no regular expression: {error}"
        raise ValueError(msg) from error


@dataclass(frozen=True, config=STRICT)
class Branch:
    """A fork in a role: ``when`` is searched in all that Claude Code has said since the model's last turn."""

    when: str
    then: tuple["Turn | Branch", ...]
    otherwise: tuple["Turn | Branch", ...] = ()

    def __post_init__(self) -> None:
        _check_pattern(self.when)


@dataclass(frozen=True, config=STRICT)
class Role:
    """How the model plays the conversations whose first prompt holds the regular expression ``match``.

    ``insists``: how often a turn is said again of which a tool call failed, as a model would that has read so; then the
    next one follows. Of one that insists at all, a turn that was cut off is said again however often that happens.
    """

    match: str
    turns: tuple[Turn | Branch, ...]
    insists: NonNegativeInt = 0

    def __post_init__(self) -> None:
        _check_pattern(self.match)


@dataclass(frozen=True, config=STRICT)
class Script:
    """All that a scripted model knows."""

    roles: tuple[Role, ...]


@dataclass(frozen=True, config=STRICT)
class Cue:
    """What to say now: the turn with its names filled in, and where it stands in the script."""

    turn: Turn
    role: str | None  # the role's ``match``; None: no role knows the request
    index: int  # turns of the role that the conversation holds already


PAST_THE_END = Turn(text="done")
UNKNOWN_REQUEST = Turn(text="No role of this script knows the request.")


def next_turn(script: Script, said: Conversation, substitutions: Mapping[str, str]) -> Cue:
    """Read from the conversation alone what the model says next.

    A turn whose answer was cut off between two tool calls goes on with those that are missing.
    """
    for role in script.roles:
        found = re.search(role.match, said.prompt)
        if found is None:
            continue
        names = {"cwd": said.cwd, **found.groupdict(), **substitutions}
        index, turn = _walk(role, said)
        return Cue(_fill(turn, {k: v for k, v in names.items() if v is not None}), role.match, index)
    return Cue(UNKNOWN_REQUEST, None, len(said.replies))


def _walk(role: Role, said: Conversation) -> tuple[int, Turn]:
    todo: list[Turn | Branch] = list(role.turns)
    index = calls = again = 0
    for reply in said.replies:
        turn = _resolve(todo, reply.before)
        if role.insists and (reply.was_cut_off or (reply.failed_calls and again < role.insists)):
            calls, again = 0, again + (not reply.was_cut_off)
            continue
        calls += reply.tool_calls
        if calls >= len(turn.tools):
            index, calls, again = index + 1, 0, 0
            del todo[:1]
    turn = _resolve(todo, said.pending)
    if calls:
        turn = Turn(tools=turn.tools[calls:], usage=turn.usage)
    return index, turn


def _resolve(todo: list[Turn | Branch], heard: str) -> Turn:
    """Replace the branches at the head of ``todo`` by what they choose; return the turn that stands there."""
    while todo and isinstance(head := todo[0], Branch):
        todo[:1] = head.then if re.search(head.when, heard) else head.otherwise
    return todo[0] if todo and isinstance(todo[0], Turn) else PAST_THE_END


def _fill(turn: Turn, names: Mapping[str, str]) -> Turn:
    known: Turn = _TURN.validate_python(_filled(_TURN.dump_python(turn), names))
    return known


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace("{" + name + "}", text)
        return value
    if isinstance(value, Mapping):
        return {key: _filled(inner, names) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(inner, names) for inner in value]
    return value


_TURN = TypeAdapter(Turn)
_SCRIPT = TypeAdapter(Script)


def script_from_json(text: str | bytes) -> Script:
    """Read a script. Raises ScriptError for unknown keys, wrong types, bad patterns; it names the place."""
    try:
        return _SCRIPT.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        msg = f"{where}: {first['msg']}"
        raise ScriptError(msg) from error


def script_to_json(script: Script) -> str:
    """Write a script so that ``script_from_json`` gives the same again."""
    return _SCRIPT.dump_json(script, indent=1, exclude_defaults=True).decode()


def load_script(path: Path) -> Script:
    """Read a script's file. Raises ScriptError with the file's name, and OSError where it can not be read."""
    try:
        return script_from_json(path.read_bytes())
    except ScriptError as error:
        msg = f"{path}: {error}"
        raise ScriptError(msg) from error
