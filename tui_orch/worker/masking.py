"""Keeps secrets out of what is stored: known shapes of tokens, and the values of the worker's own keys. Pure.

What a worker writes may hold a key by accident: a printed environment, a configuration file, a URL. Every text that the
worker stores goes through here: results, errors, activity, asks, the transcript. Requests do not: they are what somebody
has asked for. Output of commands goes to its file by itself and stays raw there.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")

#: What stands in place of a secret; the word tells what kind it was.
_INSTEAD = "[secret: {}]"
#: A value of the environment is a secret if its name says so and it is long enough not to be a word.
_NAMES = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|PASSPHRASE)", re.IGNORECASE)
_LEAST_CHARS = 8
_PUBLIC = frozenset({"ORCH_ATTEMPT_ID"})

#: Shapes that mean a secret wherever they stand. Each begins with what nothing else begins with, so that no ordinary
#: text (a hash, a file name) is taken for one.
SHAPES = (
    ("Anthropic key", r"sk-ant-[A-Za-z0-9_-]{16,}"),
    ("OpenAI key", r"sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,}"),
    ("GitHub token", r"(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})"),
    ("GitLab token", r"glpat-[A-Za-z0-9_-]{16,}"),
    ("Slack token", r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("AWS key", r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"),
    ("Google key", r"AIza[A-Za-z0-9_-]{35}"),
    ("Stripe key", r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("npm token", r"npm_[A-Za-z0-9]{36}"),
    ("PyPI token", r"pypi-[A-Za-z0-9_-]{32,}"),
    ("tui-orch key", r"orch_[A-Za-z0-9_-]{43}"),
    ("JSON web token", r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    ("private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
)
_SHAPE = re.compile(
    "|".join(f"(?<![A-Za-z0-9_-])(?P<s{number}>{shape})" for number, (_, shape) in enumerate(SHAPES)), re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Mask:
    """Masks what a worker stores. ``own``: the worker's own secrets by name."""

    own: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Mask":
        """Return the mask for a worker with this environment; longer values first, so that none is masked in part."""
        found = [(name, value) for name, value in env.items() if len(value) >= _LEAST_CHARS and _is_secret(name)]
        return cls(tuple(sorted(found, key=lambda pair: -len(pair[1]))))

    def text(self, text: str) -> str:
        """Return ``text`` without secrets."""
        for name, value in self.own:
            if value in text:
                text = text.replace(value, _INSTEAD.format(name))
        return _SHAPE.sub(_named, text)

    def of_any(self, value: T) -> T:
        """Return a copy of JSON values and frozen records in which every text, keys too, is masked."""
        return self._any(value)  # type: ignore[no-any-return]

    def _any(self, value: Any) -> Any:
        match value:
            case Enum():
                return value
            case str():
                return self.text(value)
            case Mapping():
                return {self._any(key): self._any(each) for key, each in value.items()}
            case list():
                return [self._any(each) for each in value]
            case tuple():
                return tuple(self._any(each) for each in value)
        if is_dataclass(value) and not isinstance(value, type):
            changed = {each.name: self._any(getattr(value, each.name)) for each in fields(value)}
            return replace(value, **changed)
        return value


@functools.lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _NAMES.search(name) is not None and name not in _PUBLIC


def _named(found: "re.Match[str]") -> str:
    number = int((found.lastgroup or "s0")[1:])
    return _INSTEAD.format(SHAPES[number][0])
