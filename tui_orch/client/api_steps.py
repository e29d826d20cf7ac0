"""The steps of which every conversation with the API is made, and what each of them is answered.

A flow (see ``api_flows``) is a generator: it yields a step, and is sent what came of it. It does nothing itself, so one
flow serves a program with an event loop and one without; ``http_steps`` does the steps.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from tui_orch.client.api_errors import Answer

T = TypeVar("T")

#: Seconds that the API may take for an answer.
ANSWER_S = 30.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call, answered by Answer or Lost. ``path`` is below /api/v1 and quoted."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    answer_s: float = ANSWER_S


@dataclass(frozen=True, slots=True)
class Listen:
    """Begin to hear a stream, the only one of a flow; answered by Answer (its body empty if it is good) or Lost."""

    call: Call


@dataclass(frozen=True, slots=True)
class Hear:
    """Wait for what comes next in the stream; answered by bytes, by None at its end, or by Lost."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Leave the stream."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Tell:
    """Hand over the jobs that a stream says have changed, or nothing but that it lives; ``is_new``: it has just begun."""

    jobs: tuple[Mapping[str, Any], ...]
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer came: ``why``, in a few words. Whether the server has heard the call is not known."""

    why: str


Step: TypeAlias = Call | Listen | Hear | HangUp | Pause
Heard: TypeAlias = Answer | Lost | bytes | None
#: What ends in a value.
Flow: TypeAlias = Generator[Step, Heard, T]
#: What tells on the way.
Feed: TypeAlias = Generator[Step | Tell, Heard, None]
