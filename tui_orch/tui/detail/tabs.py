"""The tabs of the detail in their order, each with what reads it and what writes it down. Nothing else."""

from collections.abc import Callable
from typing import Any, NamedTuple

from store.closeup import Closeup
from tui_orch.tui.detail import attempts_tab, changes_tab, limits_tab, output_tab, request_tab, result_tab
from tui_orch.tui.detail.source import DetailSource
from tui_orch.tui.text.line import Line


class Tab(NamedTuple):
    """``read`` returns what ``lines`` writes down for the present moment (ms). ``ticks``: the time alone changes it."""

    name: str
    title: str
    read: Callable[[DetailSource, int], Any]
    lines: Callable[[Any, int], list[Line]]
    ticks: bool = False


OUTPUT = Tab("output", "Output", output_tab.read, output_tab.lines, ticks=True)
LIMITS = Tab("limits", "Limits", limits_tab.read, limits_tab.lines, ticks=True)
TABS = (
    OUTPUT,
    Tab("request", "Request", request_tab.read, request_tab.lines),
    Tab("result", "Result", result_tab.read, result_tab.lines),
    Tab("attempts", "Attempts", attempts_tab.read, attempts_tab.lines, ticks=True),
    LIMITS,
    Tab("changes", "Changes", changes_tab.read, changes_tab.lines),
)
BY_NAME = {tab.name: tab for tab in TABS}


def job_of(found: Any) -> Closeup:
    """Return the job that what a tab has read is about."""
    return found if isinstance(found, Closeup) else found.job
