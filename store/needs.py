"""What a job needs of the machine that it runs on: processors, memory, countable resources, labels.

Parses and joins them; the engine that places workers decides what they mean. Reads and writes no row.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from store.errors import BadInput

KEYS = ("cpus", "memory_mb", "resources", "labels")
LEAST_CPUS = 0.01
MOST_CPUS = 1024
MOST_MEMORY_MB = 4_000_000
MOST_OF_A_RESOURCE = 1_000_000
#: Resources, and labels, that one job may name.
MOST_NAMES = 16

#: What `parse_needs` takes, as a JSON schema.
NEEDS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "cpus": {"type": "number", "minimum": LEAST_CPUS, "maximum": MOST_CPUS},
        "memory_mb": {"type": "integer", "minimum": 1, "maximum": MOST_MEMORY_MB},
        "resources": {
            "type": "object",
            "maxProperties": MOST_NAMES,
            "propertyNames": {"pattern": "^[A-Za-z0-9._/-]{1,63}$"},
            "additionalProperties": {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_OF_A_RESOURCE},
        },
        "labels": {
            "type": "object",
            "maxProperties": MOST_NAMES,
            "propertyNames": {"pattern": "^[A-Za-z0-9._/-]{1,63}$"},
            "additionalProperties": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,63}$"},
        },
    },
    "additionalProperties": False,
}

_NAME = re.compile(r"[A-Za-z0-9._/-]{1,63}")
_LABEL = re.compile(r"[A-Za-z0-9._-]{1,63}")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Needs:
    """What a worker gets at least; what is not given is the engine's to decide."""

    cpus: float | None = None
    memory_mb: int | None = None  # MB of 1,000,000 bytes
    resources: Mapping[str, float] = field(default_factory=dict)  # how many of each: {"claude": 1}
    labels: Mapping[str, str] = field(default_factory=dict)  # what the machine must be: {"zone": "a"}

    def over(self, default: "Needs | None") -> "Needs":
        """Return these needs, and those of ``default`` where these say nothing; resources and labels name by name."""
        if default is None:
            return self
        return Needs(
            default.cpus if self.cpus is None else self.cpus,
            default.memory_mb if self.memory_mb is None else self.memory_mb,
            {**default.resources, **self.resources},
            {**default.labels, **self.labels},
        )

    def as_json(self) -> dict[str, Any]:
        """Return what is given, as `parse_needs` takes it; ``{}`` for nothing."""
        given = (self.cpus, self.memory_mb, dict(self.resources) or None, dict(self.labels) or None)
        return {key: value for key, value in zip(KEYS, given, strict=True) if value is not None}


def parse_needs(value: object) -> Needs:
    """Return the needs of a value as JSON, YAML and TOML have it. Raises BadInput, with one line, for anything not allowed."""
    if not isinstance(value, Mapping):
        raise BadInput(f"needs is {_shown(value)}; it is an object with any of: {', '.join(KEYS)}")
    for key in value:
        if key not in KEYS:
            raise BadInput(f"needs has the unknown key {_shown(key)}; allowed: {', '.join(KEYS)}")
    cpus, memory_mb, resources, labels = (value.get(key) for key in KEYS)
    if cpus is not None and not (_is_number(cpus) and LEAST_CPUS <= cpus <= MOST_CPUS):
        raise BadInput(f"cpus of needs is {_shown(cpus)}; allowed: {LEAST_CPUS} to {MOST_CPUS}")
    if type(memory_mb) is float and memory_mb.is_integer():
        memory_mb = int(memory_mb)  # JSON has one kind of number
    if memory_mb is not None and not (type(memory_mb) is int and 1 <= memory_mb <= MOST_MEMORY_MB):
        raise BadInput(f"memory_mb of needs is {_shown(memory_mb)}; allowed: a whole number, 1 to {MOST_MEMORY_MB}")
    for name, amount in _names("resources", resources).items():
        if not (_is_number(amount) and 0 < amount <= MOST_OF_A_RESOURCE):
            raise BadInput(
                f"{name} in resources of needs is {_shown(amount)}; allowed: a number above 0, up to {MOST_OF_A_RESOURCE}"
            )
    for name, label in _names("labels", labels).items():
        if not (isinstance(label, str) and _LABEL.fullmatch(label)):
            raise BadInput(
                f"{name} in labels of needs is {_shown(label)}; allowed: a text of 1 to 63 of A-Z a-z 0-9 . _ -"
            )
    return Needs(
        None if cpus is None else float(cpus),
        memory_mb,
        {name: float(amount) for name, amount in _names("resources", resources).items()},
        dict(_names("labels", labels)),
    )


def read_needs(text: str) -> Needs:
    """Return the needs that a JSON text tells. Raises BadInput."""
    try:
        value = json.loads(text)
    except (RecursionError, ValueError) as error:
        raise BadInput(f'needs is no JSON ({error}); an example: {{"cpus": 2, "memory_mb": 4000}}') from error
    return parse_needs(value)


def _names(what: str, value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > MOST_NAMES:
        said = f"has {len(value)} names" if isinstance(value, Mapping) else f"is {_shown(value)}"
        raise BadInput(f"{what} of needs {said}; allowed: an object of at most {MOST_NAMES} names")
    for name in value:
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            raise BadInput(f"{what} of needs has the name {_shown(name)}; allowed: 1 to 63 of A-Z a-z 0-9 . _ / -")
    return value


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
