"""The tab of the output: which attempt's log is shown, and what stands there while there is none. Pure."""

from dataclasses import dataclass

from store.closeup import Closeup
from store.states import FINAL, Kind, Status
from tui_orch.client.measures import duration, size
from tui_orch.tui.detail.output_view import Reading
from tui_orch.tui.detail.parts import hint
from tui_orch.tui.detail.source import DetailSource
from tui_orch.tui.text.line import Line


@dataclass(frozen=True, slots=True)
class Shown:
    """Whose log is shown. ``live``: more may come to it."""

    job_id: int
    attempt: int
    kind: Kind
    live: bool


def read(source: DetailSource, job_id: int) -> Closeup:
    """Return what decides on the log. Raises StoreError."""
    return source.closeup(job_id)


def choose(job: Closeup, attempt: int | None) -> Shown | None:
    """Return the log to show: of the attempt a person chose, else of the newest; None where there is none."""
    if job.kind is Kind.GROUP or job.attempt == 0:
        return None
    number = job.attempt if attempt is None else min(max(attempt, 1), job.attempt)
    return Shown(job.id, number, job.kind, number == job.attempt and job.status is Status.RUNNING)


def lines(job: Closeup, now_ms: int) -> list[Line]:
    """Return what stands where there is no log."""
    if job.kind is Kind.GROUP:
        return hint(
            f"#{job.id} is a group: it runs nothing itself; its children do the work.",
            "The tab Result tells what they found.",
        )
    if job.status in FINAL:
        return hint(f"#{job.id} ended before it had started, so it put out nothing.")
    if job.not_before_ms is not None and job.not_before_ms > now_ms:
        return hint(f"#{job.id} is tried in {duration(job.not_before_ms - now_ms + 999)}; its output appears here.")
    return hint(f"#{job.id} has not started yet; its output appears here when it does.")


def status(shown: Shown, newest: int, reading: Reading, *, following: bool) -> str:
    """Return the line below the log."""
    parts = []
    if newest > 1:
        parts.append(f"attempt {shown.attempt} of {newest} (< >)")
    if reading.trouble:
        return "  ".join([*parts, "it can not be read"])
    if not reading.size:
        parts.append("nothing put out yet" if shown.live else "it put out nothing" if reading.over else "")
    elif reading.skipped:
        parts.append(f"the last {size(reading.size - reading.skipped)} of {size(reading.size)}")
    else:
        parts.append(size(reading.size))
    if shown.live:
        parts.append("following" if following else "f or End: follow")
    return "  ".join(part for part in parts if part)
