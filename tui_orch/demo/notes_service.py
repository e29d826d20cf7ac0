"""The demo's scenario: twelve scripted workers on four levels build the notes service of ``notes_project/``.

Turns ``notes_parts.toml`` (who is asked what) and ``notes_project/`` (what they write, file by file) into a ``Script``.
Nothing of the service is made up here, so the little program can be read, checked and run by itself.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from tui_orch.demo.script import Branch, Role, Script, ToolCall, Turn
from tui_orch.request.document import RequestDocument, load_text

_DOCUMENT = "requests/notes_service.md"

#: How Claude Code shows a command that ended with a code other than 0, or was not allowed.
FAILED = r"(?m)^Exit code \d|requires approval|haven't granted"


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Edit:
    """What a part changes in one of its files when its own parts have ended."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Part:
    """One job of the scenario; ``notes_parts.toml`` explains the fields."""

    title: str
    ask: str
    check: str
    summary: str
    files: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def request(self) -> str:
        """What the job is asked."""
        return f"{self.title}: {self.ask}"


def request() -> str:
    """The root job's request."""
    return document().request


def document() -> RequestDocument:
    """The request with its limits, the same as ``sample_requests/notes_service.md``."""
    return load_text(_shipped(_DOCUMENT), _DOCUMENT)


def script(pace_s: float = 0.0) -> Script:
    """The scenario; the model thinks ``pace_s`` seconds before each turn, so that a person can watch."""
    # The root last: its request may be quoted in those of its children.
    return Script(tuple(_role(part, pace_s) for part in reversed(parts().values())))


@cache
def parts() -> dict[str, Part]:
    """All jobs by their names; the root comes first."""
    return TypeAdapter(dict[str, Part]).validate_python(tomllib.loads(_shipped("notes_parts.toml")))


def final_files() -> dict[str, str]:
    """What the project's folder holds when all is done: path to text."""
    return {path: _shipped(f"notes_project/{path}") for part in parts().values() for path in part.files}


def _shipped(path: str) -> str:
    return (files("tui_orch.demo") / path).read_text(encoding="utf-8")


def _role(part: Part, pace_s: float) -> Role:
    turns: list[Turn] = [
        Turn(f"I write {' and '.join(part.files)}.", tuple(_writes(part)), delay_s=pace_s),
        Turn("These parts can be done at the same time: one worker each.", (_spawn(part),), delay_s=pace_s),
        *(Turn("The parts are there; I join them.", (_edit(edit),), delay_s=pace_s) for edit in part.edits),
        Turn("I check it.", (ToolCall("Bash", {"command": part.check}),), delay_s=pace_s),
    ]
    if not part.parts:
        del turns[1]
    if not part.files:
        del turns[0]
    failed = f"The check failed: {part.check}"
    reports = Branch(FAILED, then=_report(part, failed, pace_s), otherwise=_report(part, part.summary, pace_s))
    return Role(rf"(?m)^{re.escape(part.title)}(:|$)", (*turns, reports))


def _writes(part: Part) -> Iterator[ToolCall]:
    for path in part.files:
        text = _shipped(f"notes_project/{path}")
        for edit in part.edits:
            if edit.path == path:
                text = text.replace(edit.after, edit.before)
        yield ToolCall("Write", {"file_path": f"{{cwd}}/{path}", "content": text})


def _edit(edit: Edit) -> ToolCall:
    where = f"{{cwd}}/{edit.path}"
    return ToolCall("Edit", {"file_path": where, "old_string": edit.before, "new_string": edit.after})


def _spawn(part: Part) -> ToolCall:
    tasks = [{"title": child.title, "request": child.request} for child in map(parts().__getitem__, part.parts)]
    return ToolCall("mcp__orch__spawn_subtasks", {"tasks": tasks, "wait": True})


def _report(part: Part, summary: str, pace_s: float) -> tuple[Turn, ...]:
    call = ToolCall("mcp__orch__report_result", {"summary": summary, "data": {"files": list(part.files)}})
    return Turn("I report it.", (call,), delay_s=pace_s), Turn(summary, delay_s=pace_s)
