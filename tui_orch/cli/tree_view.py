"""A tree of jobs as lines of text: a pure function of the rows, the time and the width of the screen.

Knows states, guides and what is left out when there is no room. Prints nothing; colours come from ``terminal``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from store.models import Job
from store.states import FINAL, Reason, Status
from tui_orch.cli import columns, terminal
from tui_orch.client.cells import cut
from tui_orch.client.measures import duration, money
from tui_orch.client.text import one_line

GLYPHS = {
    Status.QUEUED: "○",
    Status.RUNNING: "●",
    Status.WAITING: "◌",
    Status.COMPLETED: "✔",
    Status.PARTIAL: "◐",
    Status.FAILED: "✘",
    Status.CANCELLED: "⊘",
}
#: Cells that a title, and the last activity beside it, take at least; the activity goes first.
_TITLE_CELLS = 16
_ACTIVITY_CELLS = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One line: guides, the state that gives the colour, what stands out, and what is less prominent."""

    guides: str
    mark: str
    status: Status | None
    main: str
    aside: str = ""

    @property
    def text(self) -> str:
        """The line without colours."""
        return f"{self.guides}{self.mark}{self.main}{self.aside}"

    def painted(self, *, colour: bool) -> str:
        """Return the line in colour, or as it is."""
        mark = self.mark if self.status is None else terminal.paint(self.mark, self.status, colour=colour)
        return f"{self.guides}{mark}{self.main}{terminal.dim(self.aside, colour=colour)}"


def phrase(job: Job) -> str:
    """Return a job's state in words: ``waiting for 3 children``, ``failed (timeout)``."""
    if job.status is Status.RUNNING:
        return f"stopping ({one_line(job.stop_reason)})" if job.stop_reason else "running"
    if job.status is Status.WAITING:
        return "waiting for an answer" if job.waiting_for == "ask" else f"waiting for {_children(job.open_children)}"
    if job.reason and job.reason not in (job.status, Reason.CHILDREN):
        return f"{job.status} ({one_line(job.reason)})"
    return job.status.value


def label(job: Job) -> str:
    """Return glyph and words of a job's state."""
    return f"{GLYPHS[job.status]} {phrase(job)}"


def facts(job: Job, now_ms: int) -> str:
    """Return how long, how much, how many children have ended, and whether it asks a person."""
    parts = []
    if job.started_ms is not None:
        parts.append(duration((job.ended_ms or now_ms) - job.started_ms))
    if job.subtree_cost_usd > 0:
        parts.append(money(job.subtree_cost_usd))
    if job.children:
        parts.append(f"{job.children - job.open_children}/{job.children}")
    if job.open_asks and job.status not in FINAL:
        parts.append("asks you")
    return "  ".join(parts)


def tree_lines(jobs: Sequence[Job], now_ms: int, width: int, most: int | None = None) -> list[Line]:
    """Return a subtree as lines of at most ``width`` cells, ``jobs`` holding parents before their children.

    With more than ``most`` jobs, what is below ended jobs is left out, then the rest, and a line says how much.
    """
    below: dict[int | None, list[Job]] = {}
    ids = {job.id for job in jobs}
    for job in jobs:
        below.setdefault(job.parent_id if job.parent_id in ids else None, []).append(job)
    room = len(jobs) if most is None or len(jobs) <= most else most - 1
    walk = _Walk(below, now_ms, width, room, room < len(jobs))
    for top in below.get(None, []):
        walk.add(top, "", "")
    if len(walk.lines) < len(jobs):
        walk.lines.append(Line("", f"… {len(jobs) - len(walk.lines)} more jobs", None, ""))
    return walk.lines


def event(job: Job) -> str:
    """Return one line that tells what has become of a job."""
    why = f": {one_line(job.error)}" if job.error and job.status in (Status.FAILED, Status.QUEUED) else ""
    return f"#{job.id} {phrase(job)} · {one_line(job.title)}{why}"


class _Walk:
    """Goes through a tree from top to bottom and collects its lines until there is no more room."""

    def __init__(
        self, below: Mapping[int | None, Sequence[Job]], now_ms: int, width: int, room: int, leave_out: bool
    ) -> None:
        self.lines: list[Line] = []
        self._below = below
        self._now_ms = now_ms
        self._width = width
        self._room = room
        self._leave_out = leave_out

    def add(self, job: Job, own: str, under: str) -> None:
        """Add a job with the guides before it, and what is below it with theirs."""
        if len(self.lines) >= self._room:
            return
        self.lines.append(job_line(job, self._now_ms, self._width, own))
        if self._leave_out and job.status in FINAL:
            return
        children = self._below.get(job.id, ())
        for child in children:
            last = child is children[-1]
            self.add(child, under + ("└─ " if last else "├─ "), under + ("   " if last else "│  "))


def job_line(job: Job, now_ms: int, width: int, guides: str = "") -> Line:
    """Return one job as a line of at most ``width`` cells."""
    mark, number = label(job), f" #{job.id} "
    room = width - columns.cells(guides + mark + number)
    if room < 1:
        return Line("", cut(guides + mark + number, width), job.status, "")
    title, aside = one_line(job.title), facts(job, now_ms)
    last = one_line(_last(job))
    if aside and room - columns.cells(aside) - 2 < min(_TITLE_CELLS, columns.cells(title)):
        aside = ""
    room -= columns.cells(aside) + 2 if aside else 0
    shown = cut(title, room)
    if last and room - columns.cells(shown) - 2 < _ACTIVITY_CELLS:
        shown = cut(title, max(_TITLE_CELLS, room * 3 // 5))
    room -= columns.cells(shown) + 2
    if last and room >= _ACTIVITY_CELLS:
        aside += f"  {cut(last, room)}"
    else:
        shown = cut(title, room + columns.cells(shown) + 2)
    return Line(guides, mark, job.status, number + shown, f"  {aside.strip()}" if aside.strip() else "")


def _last(job: Job) -> str:
    """Return what is worth a look beside a job: what its worker does, or why it failed."""
    if job.status is Status.RUNNING:
        return job.activity or ""
    return (job.error or "") if job.status in (Status.FAILED, Status.QUEUED) else ""


def _children(count: int) -> str:
    return "1 child" if count == 1 else f"{count} children"
