"""The steps that may be called by name, from outside: whatever is not marked here can not be. Knows no step itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Step:
    """A function that an attempt may call. ``writes``: it wants a transaction that can write."""

    name: str
    function: Callable[..., Any]
    writes: bool


_STEPS: dict[str, Step] = {}


def looks(function: F) -> F:
    """Mark a step that only reads."""
    return _marked(function, writes=False)


def changes(function: F) -> F:
    """Mark a step that writes."""
    return _marked(function, writes=True)


def step_named(name: str) -> Step | None:
    """Return a step, None for what is none. Those of ``all_steps`` are known once that is imported."""
    return _STEPS.get(name)


def step_of(function: Callable[..., Any]) -> Step:
    """Return the step that a function is. Raises KeyError for one that is not marked."""
    step = _STEPS[function.__name__]
    if step.function is not function:
        raise KeyError(function.__name__)
    return step


def _marked(function: F, *, writes: bool) -> F:
    name = function.__name__
    if name in _STEPS:
        raise ValueError(f"two steps are called {name}")
    _STEPS[name] = Step(name, function, writes)
    return function
