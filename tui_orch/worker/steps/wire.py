"""Steps as JSON: what they are given and what they answer, by the types that their functions name. Calls nothing.

Imported only where steps travel: pydantic takes its time, and a worker beside its store needs none of it.
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from store.errors import BadInput

#: The store, the attempt and the time: whoever calls a step has these.
_OWN_PARAMETERS = 3


def arguments_to_json(function: Callable[..., Any], args: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call, beyond the first three, by name."""
    forms = _forms(function)
    given = {**dict(zip(forms.arguments, args, strict=False)), **named}
    return {name: forms.arguments[name].dump_python(value, mode="json") for name, value in given.items()}


def arguments_from_json(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that were sent. Raises BadInput for what the step does not take."""
    forms = _forms(function)
    unknown = sorted(given.keys() - forms.arguments.keys())
    missing = sorted(forms.required - given.keys())
    if unknown or missing:
        said = f"unknown: {', '.join(unknown)}" if unknown else f"missing: {', '.join(missing)}"
        raise BadInput(f"the step {function.__name__} takes {', '.join(forms.arguments) or 'nothing'}; {said[:200]}")
    try:
        return {name: forms.arguments[name].validate_python(value) for name, value in given.items()}
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BadInput(f"the step {function.__name__} can not take this: {where} {first['msg']}") from error


def answer_to_json(function: Callable[..., Any], answer: Any) -> Any:
    """Return what a step answered."""
    return _forms(function).answer.dump_python(answer, mode="json")


def answer_from_json(function: Callable[..., Any], told: Any) -> Any:
    """Return what a step has answered elsewhere. Raises BadInput for what it can not have."""
    try:
        return _forms(function).answer.validate_python(told)
    except ValidationError as error:
        raise BadInput(f"what the step {function.__name__} answered can not be read: {error}") from error


class _Forms:
    """The forms of one function's arguments and answer."""

    def __init__(self, function: Callable[..., Any]) -> None:
        hints = get_type_hints(function)
        parameters = list(inspect.signature(function).parameters.values())[_OWN_PARAMETERS:]
        self.arguments: dict[str, TypeAdapter[Any]] = {each.name: TypeAdapter(hints[each.name]) for each in parameters}
        self.required = {each.name for each in parameters if each.default is inspect.Parameter.empty}
        self.answer: TypeAdapter[Any] = TypeAdapter(hints["return"])


@functools.cache
def _forms(function: Callable[..., Any]) -> _Forms:
    return _Forms(function)
