"""A new request as it is being written: its text and its fields, what they mean, and what it may come to. Pure.

The rules are those of `tui_orch.request`; that of the store which can be known beforehand are told here too, so that a
person sees them while typing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store import permission_rule
from store.models import Limits, NewTree
from store.settings import Settings
from store.states import Kind
from tui_orch.request.compose import compose
from tui_orch.request.document import load_text
from tui_orch.request.errors import RequestError
from tui_orch.request.estimate import WorstCase, filled, worst_case
from tui_orch.request.limits import limits_of, overlay, read_config
from tui_orch.tui.dialogs.limit_fields import read_times, write_time, write_times
from tui_orch.tui.figures import dollars

#: The fields beside the text, by the names that a request's config has for them.
NUMBERS = ("max_depth", "max_children", "max_jobs", "max_workers")
NAMES = (*NUMBERS, "timeout", "budget_usd", "kind", "split", "workspace", "allowed_tools")
KINDS = ("claude", "command", "group")
SPLITS = ("auto", "list", "none")
WORKSPACES = ("auto", "shared", "worktree")
_WORDS = ("kind", "split", "workspace")

_SOURCE = "the request"
_FORM = "the form"
# A comma within brackets belongs to the rule: Bash(git log:*, git show:*).
_WHOLE = re.compile(r"-?\d{1,12}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,12})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the editor and in the fields; a field that is empty asks for nothing."""

    text: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a draft means: the tree, or why there is none; and what it comes to at worst, as far as that is known."""

    new: NewTree | None
    problem: str
    worst: WorstCase | None


def read(draft: Draft, settings: Settings, work_dir: Path) -> Reading:
    """Return what a draft means in a store with these settings; workers run in ``work_dir`` unless it says otherwise."""
    try:
        over = read_config(_config(draft.fields), _FORM)
    except RequestError as error:
        return Reading(None, str(error), None)
    config, new, problem = over, None, ""
    try:
        document = load_text(draft.text, _SOURCE)
        config = overlay(document.config, over)
        new = compose(document, over, work_dir, default_max_depth=settings.max_depth)
    except RequestError as error:
        problem = str(error)
    limits = filled(limits_of(config, settings.max_depth), defaults(settings))
    worst = worst_case(limits, settings.slots)
    if new is not None:
        problem = refusal(new, limits, settings)
    return Reading(None if problem else new, problem, worst)


def defaults(settings: Settings) -> Limits:
    """Return the limits that a tree gets where it asks for none."""
    return Limits(
        settings.max_depth,
        settings.max_jobs,
        settings.max_children,
        settings.max_workers,
        settings.max_attempts,
        settings.timeouts_s,
    )


def refusal(new: NewTree, limits: Limits, settings: Settings) -> str:
    """Return why the store would not take the tree, as far as that can be known; "" if it would."""
    if (limits.max_workers or 0) > settings.max_workers_ceiling:
        return f"max_workers may be {settings.max_workers_ceiling} at most; raise that with: orch settings max_workers_ceiling N"
    items = len(new.items)
    if items > (limits.max_children or 0):
        return f"the list has {items} items and max_children is {limits.max_children}; raise max_children"
    if items >= (limits.max_jobs or 0) and items:
        return f"the list has {items} items and max_jobs is {limits.max_jobs}; raise max_jobs"
    return ""


def becomes(new: NewTree) -> str:
    """Return what a request would start as."""
    if new.items:
        return f"a group of {len(new.items)} {'commands' if is_commands(new) else 'jobs'}"
    if new.root.kind is Kind.COMMAND:
        return "one command"
    return "one worker alone" if new.limits.max_depth == 0 else "one worker, which may split it"


def is_commands(new: NewTree) -> bool:
    """Tell whether a tree starts with commands alone, whose memory nobody knows."""
    return all(job.kind is Kind.COMMAND for job in (new.items or (new.root,)))


def at_worst(worst: WorstCase, *, commands: bool = False) -> str:
    """Return the worst case in words, without the memory where ``commands`` run."""
    jobs = f"{worst.jobs:,} job{'' if worst.jobs == 1 else 's'}"
    processes = f"{worst.processes:,} process{'' if worst.processes == 1 else 'es'}"
    memory = f"{worst.memory_mb / 1_000:.1f} GB" if worst.memory_mb >= 1_000 else f"{worst.memory_mb} MB"
    cost = "dollars without bound" if worst.budget_usd is None else dollars(worst.budget_usd)
    return f"{jobs}, {processes} at once{'' if commands else f' ({memory})'}, {write_time(worst.seconds)}, {cost}"


def placeholders(settings: Settings) -> dict[str, str]:
    """Return what each field means when it is empty."""
    return {
        **{name: str(getattr(settings, name)) for name in NUMBERS},
        "timeout": write_times(settings.timeouts_s),
        "budget_usd": "none",
        "allowed_tools": "rules that need no asking, with commas between: Read, Bash(git log:*)",
    }


def _config(fields: Mapping[str, str]) -> dict[str, Any]:
    given = {name: text.strip() for name, text in fields.items() if text.strip()}
    values: dict[str, Any] = {name: text for name, text in given.items() if name in _WORDS}
    for name in NUMBERS:
        if name in given:
            values[name] = int(given[name]) if _WHOLE.fullmatch(given[name]) else given[name]
    if "budget_usd" in given:
        text = given["budget_usd"].removeprefix("$")
        values["budget_usd"] = float(text) if _NUMBER.fullmatch(text) else given["budget_usd"]
    if "timeout" in given:
        values |= _timeouts(given["timeout"])
    if "allowed_tools" in given:
        values["allowed_tools"] = permission_rule.split(given["allowed_tools"])
    return values


def _timeouts(text: str) -> dict[str, Any]:
    try:
        levels = read_times(text)
    except ValueError as error:
        raise RequestError(f"{_FORM}: timeout: {error}") from error
    return {"timeout": levels[0]} if len(levels) == 1 else {"timeouts": list(levels)}
