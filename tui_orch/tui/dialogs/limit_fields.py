"""The limits of a tree as fields of a form: how each is written, what is used of it, what a new value would allow. Pure.

The ranges are the store's, which has the last say; a test holds the two together.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from store.models import Limits, Tree
from store.use import TreeUse
from tui_orch.tui.figures import dollars

MAX_DEPTH = 5
MAX_JOBS = 10_000_000
MAX_CHILDREN = 100_000
MAX_ATTEMPTS = 100
MAX_SECONDS = 604_800
MAX_LEVELS = 6
MAX_DOLLARS = 1_000_000_000
#: Characters of a wrong value that an error shows.
_SHOWN = 20

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_TIME = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)([smhd]?)", re.ASCII)
_WHOLE = re.compile(r"\d{1,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Form:
    """What a form of limits is about: the tree, what is used, and the highest ``max_workers`` of the store."""

    tree: Tree
    use: TreeUse
    workers_ceiling: int


@dataclass(frozen=True, slots=True)
class LimitField:
    """One limit. ``read`` raises ValueError with one line; ``used`` and ``allows`` are words for a person."""

    name: str
    write: Callable[[Tree], str]
    read: Callable[[str, Form], Any]
    used: Callable[[Form], str]
    allows: Callable[[Any, Form], str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the texts of a form mean: the values that differ from the tree's, and what is wrong, by field."""

    changes: Mapping[str, Any]
    problems: Mapping[str, str]

    @property
    def limits(self) -> Limits:
        """The limits that are changed, the others None."""
        return Limits(**self.changes)


def verdict(form: Form, typed: Mapping[str, str]) -> Verdict:
    """Return what is meant by the fields' texts, by name; a field that stays as it is asks for nothing."""
    changes: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for field in FIELDS:
        text = typed[field.name].strip()
        if text == field.write(form.tree):
            continue
        try:
            value = field.read(text, form)
        except ValueError as error:
            problems[field.name] = str(error)
        else:
            if value != getattr(form.tree, field.name):
                changes[field.name] = value
    return Verdict(changes, problems)


def read_times(text: str) -> tuple[float, ...]:
    """Return the seconds in ``20m,5m,60``, one a level. Raises ValueError."""
    levels = [part.strip() for part in text.split(",")]
    if len(levels) > MAX_LEVELS:
        raise ValueError(f"at most {MAX_LEVELS} times, one a level")
    return tuple(_seconds(part) for part in levels)


def write_time(seconds: float) -> str:
    """Return seconds as `read_times` takes them, in the largest unit that says them exactly."""
    for unit in ("d", "h", "m"):
        if seconds >= _UNITS[unit] and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    return f"{seconds:.10g}s"


def write_times(seconds: tuple[float, ...]) -> str:
    """Return the times of all levels as `read_times` takes them."""
    return ",".join(write_time(found) for found in seconds)


def _seconds(text: str) -> float:
    found = _TIME.fullmatch(text)
    value = float(found[1]) * _UNITS[found[2]] if found else math.nan
    if not 0 < value <= MAX_SECONDS:
        raise ValueError(f"a time is such as 90s, 10m or 2h, up to 7d; not {text[:_SHOWN] or 'nothing'}")
    return value


def _whole(low: int, high: int) -> Callable[[str, Form], int]:
    return lambda text, _: whole(text, low, high)


def whole(text: str, low: int, high: int) -> int:
    """Return a whole number of a range. Raises ValueError."""
    if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
        raise ValueError(f"a whole number from {low} to {high}, not {text[:_SHOWN] or 'nothing'}")
    return int(text)


def _depth(text: str, form: Form) -> int:
    value = whole(text, 0, MAX_DEPTH)
    if value < form.use.deepest:
        raise ValueError(f"the tree has jobs at depth {form.use.deepest} already")
    return value


def _workers(text: str, form: Form) -> int:
    try:
        return whole(text, 1, form.workers_ceiling)
    except ValueError as error:
        raise ValueError(f"{error}; raise that with: orch settings max_workers_ceiling N") from error


def _budget(text: str, form: Form) -> float | None:
    if not text and form.tree.budget_usd is None:
        return None
    return money(text)


def money(text: str) -> float:
    """Return dollars above 0. Raises ValueError."""
    digits = text.removeprefix("$")
    try:
        value = float(digits) if digits.isascii() and "_" not in digits else math.nan
    except ValueError:
        value = math.nan
    if not 0 < value <= MAX_DOLLARS:
        raise ValueError(f"dollars above 0, not {text[:_SHOWN] or 'nothing'}")
    return value


def _write_budget(tree: Tree) -> str:
    return "" if tree.budget_usd is None else f"{tree.budget_usd:.10g}"


def _more(count: int, one: str, many: str) -> str:
    return f"{count:,} more {one if count == 1 else many}" if count > 0 else f"no more {many}"


def _levels_allowed(value: int, form: Form) -> str:
    return "no recursion" if value == 0 else _more(value - form.use.deepest, "level below", "levels below")


def _workers_allowed(value: int, form: Form) -> str:
    return _more(value - form.use.running, "at once", "at once")


def _times_allowed(value: tuple[float, ...], _: Form) -> str:
    if len(value) == 1:
        return f"{write_time(value[0])} at every depth"
    last = len(value) - 1
    return ", ".join(
        f"{level}{'+' if level == last else ''}: {write_time(seconds)}" for level, seconds in enumerate(value)
    )


def _budget_allowed(value: float | None, form: Form) -> str:
    if value is None:
        return "no bound"
    left = value - form.use.spent_usd
    return f"{dollars(left)} more" if left > 0 else "nothing more: the tree stands still"


FIELDS = (
    LimitField(
        "max_depth",
        lambda tree: str(tree.max_depth),
        _depth,
        lambda form: f"deepest {form.use.deepest}",
        _levels_allowed,
    ),
    LimitField(
        "max_jobs",
        lambda tree: str(tree.max_jobs),
        _whole(1, MAX_JOBS),
        lambda form: f"{form.tree.jobs:,} there",
        lambda value, form: _more(value - form.tree.jobs, "job", "jobs"),
    ),
    LimitField(
        "max_children",
        lambda tree: str(tree.max_children),
        _whole(1, MAX_CHILDREN),
        lambda form: f"most {form.use.most_children}",
        lambda value, form: _more(value - form.use.most_children, "for that job", "for that job"),
    ),
    LimitField(
        "max_workers",
        lambda tree: str(tree.max_workers),
        _workers,
        lambda form: f"{form.use.running} running",
        _workers_allowed,
    ),
    LimitField(
        "max_attempts",
        lambda tree: str(tree.max_attempts),
        _whole(1, MAX_ATTEMPTS),
        lambda _: "",
        lambda value, _: f"{value} failed {'try' if value == 1 else 'tries'} of one job",
    ),
    LimitField(
        "timeouts_s",
        lambda tree: write_times(tree.timeouts_s),
        lambda text, _: read_times(text),
        lambda _: "",
        _times_allowed,
    ),
    LimitField(
        "budget_usd",
        _write_budget,
        _budget,
        lambda form: f"{dollars(form.use.spent_usd)} spent",
        _budget_allowed,
    ),
)
