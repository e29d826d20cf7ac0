"""Reads what a tool was given: each mistake is one line that names the argument and what is allowed. Pure."""

import re
import reprlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

_TARGET = re.compile(r"#?([1-9]\d{0,17})(?:-([1-9]\d{0,8}))?", re.ASCII)
_MOST_ID = 10**18 - 1


class BadArguments(ValueError):
    """The call can not be read; the text is one line for who called."""


@dataclass(frozen=True, slots=True)
class Target:
    """A job, or one batch of its children."""

    job_id: int
    batch: int | None = None

    @property
    def name(self) -> str:
        """How it is called: ``12``, or ``12-1`` for a batch."""
        return str(self.job_id) if self.batch is None else f"{self.job_id}-{self.batch}"


class Given:
    """The arguments of one call. A value that is null counts as not given."""

    def __init__(self, tool: str, values: Mapping[str, Any], known: Collection[str]) -> None:
        unknown = sorted(str(name) for name in values if name not in known)
        if unknown:
            allowed = ", ".join(known) or "none"
            raise BadArguments(f"{tool} has no argument {reprlib.repr(unknown[0])}; it takes: {allowed}")
        self._tool = tool
        self._values = {name: value for name, value in values.items() if value is not None}

    def raw(self, name: str) -> Any:
        """Return a value as it came, None where it was not given."""
        return self._values.get(name)

    def text(self, name: str) -> str | None:
        """Return a text that is not blank."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(name, "a text that is not empty")
        return value

    def required_text(self, name: str) -> str:
        """Return a text that must be there."""
        self._require(name)
        return self.text(name) or ""

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return an object, an empty one where none was given."""
        value = self._values.get(name, {})
        if not isinstance(value, Mapping):
            raise self._wrong(name, "an object")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, an empty one where none was given."""
        value = self._values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            raise self._wrong(name, "a list of texts")
        return tuple(value)

    def flag(self, name: str) -> bool:
        """Return true or false; false where it was not given."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def choice(self, name: str, allowed: Collection[str]) -> str | None:
        """Return one of the words that are allowed."""
        value = self.raw(name)
        if value is not None and value not in allowed:
            raise self._wrong(name, f"one of {', '.join(allowed)}")
        return None if value is None else str(value)

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        """Return a whole number within ``low`` and ``high``."""
        value = self._values.get(name, default)
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole or not low <= value <= high:
            raise self._wrong(name, f"a whole number from {low} to {high}")
        return int(value)

    def seconds(self, name: str, high: float, default: float) -> float:
        """Return seconds from 0 to ``high``."""
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
            raise self._wrong(name, f"seconds from 0 to {high:g}")
        return float(value)

    def job_id(self, name: str = "job_id") -> int | None:
        """Return the id of a job: 12, "12" or "#12"."""
        found = self.target(name)
        if found is not None and found.batch is not None:
            raise self._wrong(name, "the id of one job, such as 12; a batch is not a job")
        return None if found is None else found.job_id

    def required_id(self, name: str = "job_id") -> int:
        """Return an id that must be there."""
        self._require(name)
        return self.job_id(name) or 0

    def target(self, name: str = "job_id") -> Target | None:
        """Return a job (12) or a batch of its children ("12-1")."""
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST_ID:
            return Target(value)
        found = _TARGET.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None:
            raise self._wrong(name, 'an id, such as 12, or "12-1" for a batch')
        return Target(int(found[1]), int(found[2]) if found[2] else None)

    def required_target(self, name: str = "job_id") -> Target:
        """Return a job or a batch that must be there."""
        self._require(name)
        found = self.target(name)
        assert found is not None
        return found

    def _require(self, name: str) -> None:
        if name not in self._values:
            raise BadArguments(f"{self._tool} needs {name}")

    def _wrong(self, name: str, allowed: str) -> BadArguments:
        return BadArguments(f"{name} is {reprlib.repr(self._values[name])}; it must be {allowed}")
