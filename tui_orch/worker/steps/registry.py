"""How a function says that it is a step, which may be called by name from outside. Knows no step itself; see ``all_steps``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__orch_step__"


@dataclass(frozen=True, slots=True)
class Step:
    """A function that an attempt may call. ``writes``: it wants a transaction that can write."""

    name: str
    function: Callable[..., Any]
    writes: bool


def looks(function: F) -> F:
    """Mark a step that only reads."""
    setattr(function, _MARK, Step(function.__name__, function, writes=False))
    return function


def changes(function: F) -> F:
    """Mark a step that writes."""
    setattr(function, _MARK, Step(function.__name__, function, writes=True))
    return function


def step_of(function: Any) -> Step | None:
    """Return the step that something is; None: it is none."""
    found = getattr(function, _MARK, None)
    return found if isinstance(found, Step) else None
