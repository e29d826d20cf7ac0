"""What a person types to see some jobs only, as a test that a job passes or not. Pure, and without the time.

Terms stand side by side and must all hold. ``!`` before one turns it round. A term is

    word, "some words"                  in the title, the request, the activity, the error or the result
    #12                                 the job with this id (or id:12)
    state:failed  state:failed,partial  in one of these states; also open, ended and asks
    kind:claude                         what its worker runs
    reason:timeout                      why it is in its state
    cost>1  depth:2  attempt>=2         a number: cost (dollars of the subtree), tokens, depth, attempt, children, id, tree

A number is compared by ``:`` or ``=`` (equal), ``<``, ``<=``, ``>``, ``>=``. Upper and lower case are the same, and so
are full-width and half-width characters.
"""

import math
import operator
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from store.models import Job
from store.states import FINAL, Kind, Reason, Status

#: Characters of each text of a job that are looked through.
LOOKED_AT = 4_000
#: Characters of a filter.
MOST_CHARS = 1_000

Test: TypeAlias = Callable[[Job], bool]

_TERM = re.compile(r'\s*(?P<not>!*)(?:"(?P<quoted>[^"]*)(?P<close>"|$)|(?P<bare>[^\s"!][^\s"]*))')
_FIELD = re.compile(r"(?P<name>[a-z]+)(?P<how><=|>=|[:=<>])(?P<value>.*)", re.IGNORECASE)
_ID = re.compile(r"#(\d{1,19})", re.ASCII)
_NUMBERS: dict[str, Callable[[Job], float]] = {
    "cost": lambda job: job.subtree_cost_usd,
    "tokens": lambda job: job.subtree_tokens,
    "depth": lambda job: job.depth,
    "attempt": lambda job: job.attempt,
    "children": lambda job: job.children,
    "id": lambda job: job.id,
    "tree": lambda job: job.root_id,
}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ":": operator.eq,
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _in_state(status: Status) -> Test:
    return lambda job: job.status is status


def _of_kind(kind: Kind) -> Test:
    return lambda job: job.kind is kind


def _for_reason(reason: Reason) -> Test:
    return lambda job: job.reason == reason


_STATES: dict[str, Test] = {
    **{status.value: _in_state(status) for status in Status},
    "open": lambda job: job.status not in FINAL,
    "ended": lambda job: job.status in FINAL,
    "asks": lambda job: job.open_asks > 0 and job.status not in FINAL,
}
_KINDS = {kind.value: _of_kind(kind) for kind in Kind}
_REASONS = {reason.value: _for_reason(reason) for reason in Reason}
_WORDS: dict[str, dict[str, Test]] = {"state": _STATES, "kind": _KINDS, "reason": _REASONS}
FIELDS = (*_WORDS, *_NUMBERS)


class FilterError(ValueError):
    """A filter that means nothing. ``str(error)`` is one line: which term, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as it was written, and what it means. Without terms it lets every job through."""

    text: str
    terms: tuple[Test, ...] = field(compare=False)

    def matches(self, job: Job) -> bool:
        """Tell whether a job passes every term."""
        return all(term(job) for term in self.terms)

    def __bool__(self) -> bool:
        return bool(self.terms)


def parse(text: str) -> Filter:
    """Return what ``text`` means. Raises FilterError."""
    if len(text) > MOST_CHARS:
        raise FilterError(f"the filter is too long; allowed: {MOST_CHARS} characters")
    terms = []
    rest = text.rstrip()
    while rest:
        found = _TERM.match(rest)
        if found is None:  # nothing but marks is left
            raise FilterError("there is nothing behind the !; give a term, such as !state:completed")
        test = _quoted(found) if found["bare"] is None else _bare(found["bare"])
        terms.append(_turned(test) if len(found["not"]) % 2 else test)
        rest = rest[found.end() :]
    return Filter(text, tuple(terms))


def _quoted(found: re.Match[str]) -> Test:
    if not found["close"]:
        raise FilterError('a " is open; close it')
    if not found["quoted"].strip():
        raise FilterError('there is nothing between "" and ""; give some text')
    return _text(found["quoted"])


def _bare(term: str) -> Test:
    if named := _ID.fullmatch(term):
        wanted = int(named[1])
        return lambda job: job.id == wanted
    found = _FIELD.fullmatch(term)
    if found is None:
        return _text(term)
    name, how, value = found["name"].lower(), found["how"], found["value"]
    if name in _NUMBERS:
        return _number(name, how, value)
    if name in _WORDS:
        return _word(name, how, value)
    if value.startswith("//"):  # an address, not a field
        return _text(term)
    raise FilterError(f'there is no field {name[:40]}; there are: {", ".join(FIELDS)}; for text write "{term[:40]}"')


def _text(wanted: str) -> Test:
    folded = _folded(wanted)
    return lambda job: any(folded in _folded(text[:LOOKED_AT]) for text in _texts(job))


def _texts(job: Job) -> tuple[str, ...]:
    return tuple(text for text in (job.title, job.activity, job.error, job.request, job.result) if text)


def _word(name: str, how: str, value: str) -> Test:
    if how not in (":", "="):
        raise FilterError(f"{name} is one of some words; write {name}:{next(iter(_WORDS[name]))}")
    known, tests = _WORDS[name], []
    for word in value.lower().split(","):
        if word not in known:
            said = f"{name}:{word[:40]} is unknown" if word else f"{name}: wants a word"
            raise FilterError(f"{said}; allowed: {', '.join(known)}")
        tests.append(known[word])
    return lambda job: any(test(job) for test in tests)


def _number(name: str, how: str, value: str) -> Test:
    digits = value.removeprefix("$") if name == "cost" else value.removeprefix("#")
    try:
        wanted = float(digits) if digits.isascii() and "_" not in digits else math.nan
    except ValueError:
        wanted = math.nan
    if not math.isfinite(wanted):
        raise FilterError(f"{name} is a number; write {name}>1 or {name}:2, not {name}{how}{value[:40]}")
    of, compare = _NUMBERS[name], _COMPARE[how]
    return lambda job: compare(of(job), wanted)


def _turned(test: Test) -> Test:
    return lambda job: not test(job)


def _folded(text: str) -> str:
    return text.casefold() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
