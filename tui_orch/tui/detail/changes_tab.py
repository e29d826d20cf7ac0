"""The tab of the changes: when the job came into which state, and why."""

from dataclasses import dataclass

from store.closeup import Closeup
from store.models import Change
from tui_orch.client.measures import duration, moment
from tui_orch.tui.detail.parts import hint, state
from tui_orch.tui.detail.source import DetailSource
from tui_orch.tui.text.line import Line, Tone, joined

_STAYED_CELLS = 8


@dataclass(frozen=True, slots=True)
class Past:
    """A job and the last changes of its state, the newest first."""

    job: Closeup
    changes: tuple[Change, ...]


def read(source: DetailSource, job_id: int) -> Past:
    """Return what the tab shows. Raises StoreError."""
    return Past(source.closeup(job_id), tuple(source.changes(job_id)))


def lines(found: Past, now_ms: int) -> list[Line]:
    """Return the tab: the newest change on top, each with how long it was so before the next one."""
    if not found.changes:
        return hint("Nothing is known of its past.")
    shown = []
    until_ms = now_ms
    for change in found.changes:
        stayed = "" if change is found.changes[0] else duration(until_ms - change.at_ms)
        aside = f"  attempt {change.attempt}" if change.attempt else ""
        parts = [
            (f"{moment(change.at_ms)}  ", Tone.DIM),
            (f"{stayed:>{_STAYED_CELLS}}  ", Tone.PLAIN),
            *state(change.status, change.reason),
            (aside, Tone.DIM),
        ]
        shown.append(joined(parts, 2))
        until_ms = change.at_ms
    return shown
