"""What the tools and the permission requests of one run tell the session around them. No decision is made here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Report:
    """The worker's own word on how its job ended, by the tool ``report_result``."""

    summary: str
    data: Any = None
    success: bool = True


def _keep_nothing(_: Report) -> None:
    """Keep no report: for a run whose attempt has no folder."""


@dataclass(slots=True)
class Turn:
    """The marks of one run. ``waits_for`` set: the turn is to end, so that the job can wait without a process."""

    waits_for: Literal["children", "ask"] | None = None
    report: Report | None = None
    delivered: set[int] = field(default_factory=set)  # children whose results a tool has shown
    keep: Callable[[Report], None] = _keep_nothing  # called for each report, so that it outlives this process
    parked: set[str] = field(default_factory=set)  # tool calls refused for want of an answer: no denials
