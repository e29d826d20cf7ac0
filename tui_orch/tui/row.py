"""One job as one row of the tree: which columns there is room for, and what stands in each. Pure.

The columns from left to right: fold mark, state glyph, ``#id`` and title; state or reason; ended of all children with a
small bar; elapsed; cost and tokens of the subtree; attempt; what its worker does or waits for. As the screen gets
narrower they go in this order, the first one first:

    tokens, attempt, the picture of the bar, activity, cost, the count of children, elapsed, state in words

Glyph, number and title stay. The glyph tells the state without colour and without the word; 80 cells have all but
tokens, attempt and the picture. What is left over is shared by title and activity.

Knows no colours: a cell has a role, and whoever draws knows what that looks like.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from store.models import Job
from store.states import FINAL, Reason, Status
from tui_orch.client.cells import cut
from tui_orch.client.measures import duration
from tui_orch.client.text import one_line
from tui_orch.tui.figures import amount, dollars

#: Characters of a title, an activity or a result that are looked at; no row is wider.
_LOOKED_AT = 600


class Role(StrEnum):
    """What a cell is, for whoever gives it a colour. The states have their own names."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ASKING = "asking"
    TITLE = "title"
    FIGURE = "figure"  # ids, times, money
    ASIDE = "aside"  # what is less prominent

    # A row looks up some thirty of them, and an enumeration's own hash is a call of Python.
    __hash__ = str.__hash__


class Cell(NamedTuple):
    """A piece of a row, padded to its column."""

    text: str
    role: Role


@dataclass(frozen=True, slots=True)
class Row:
    """A row, exactly as wide as it was asked for. A click from ``mark`` up to ``mark_end`` hits the fold mark."""

    cells: tuple[Cell, ...]
    mark: int = 0
    mark_end: int = 0

    @property
    def text(self) -> str:
        """The row without roles."""
        return "".join(cell.text for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The signs of a row, one cell each."""

    states: dict[Status, str]
    asking: str
    folded: str
    unfolded: str
    done: str
    open: str
    times: str
    ellipsis: str


UNICODE = Glyphs(
    {
        Status.QUEUED: "○",
        Status.RUNNING: "●",
        Status.WAITING: "◌",
        Status.COMPLETED: "✔",
        Status.PARTIAL: "◐",
        Status.FAILED: "✘",
        Status.CANCELLED: "⊘",
    },
    asking="?",
    folded="▸",
    unfolded="▾",
    done="▰",
    open="▱",
    times="×",
    ellipsis="…",
)
ASCII = Glyphs(
    {
        Status.QUEUED: ".",
        Status.RUNNING: "*",
        Status.WAITING: "~",
        Status.COMPLETED: "=",
        Status.PARTIAL: "%",
        Status.FAILED: "!",
        Status.CANCELLED: "x",
    },
    asking="?",
    folded="+",
    unfolded="-",
    done="#",
    open="-",
    times="x",
    ellipsis="~",
)

#: Reasons in the nine cells of the state's column, and in the words of the activity's.
_SHORT: dict[str, str] = {
    Reason.CHILDREN_FAILED: "children",
    Reason.EXIT_CODE: "exit code",
    Reason.NO_RESULT: "no result",
    Reason.API_ERROR: "API error",
    Reason.USAGE_LIMIT: "usage",
    Reason.OUTPUT_LIMIT: "output",
    Reason.CLAUDE_ERROR: "CLI error",
    Reason.REPORTED_FAILURE: "reported",
    Reason.BAD_REQUEST: "bad input",
    Reason.WORKER_ERROR: "internal",
    Reason.PARENT_ENDED: "orphaned",
}
_WORDS: dict[str, str] = {
    Reason.CHILDREN_FAILED: "not all children succeeded",
    Reason.LOST: "its worker vanished",
    Reason.TIMEOUT: "out of time",
    Reason.BUDGET: "the tree's dollars are spent",
    Reason.PARENT_ENDED: "the job above it ended",
    Reason.RESUME: "goes on when a slot is free",
    Reason.SHUTDOWN: "stopped with the supervisor",
}


class Columns(NamedTuple):
    """Cells of each column without the one before it; 0 where it is left out."""

    left: int
    state: int
    bar: int  # the picture alone
    children: int
    elapsed: int
    cost: int
    tokens: int
    attempt: int
    activity: int
    indent: int  # per level


_STATE, _BAR, _CHILDREN, _ELAPSED, _COST, _TOKENS, _ATTEMPT = 9, 4, 7, 6, 7, 6, 3
_LEFT_LEAST, _LEFT_MOST, _ACTIVITY_LEAST = 30, 90, 16
_DROPPED_IN_ORDER = ("tokens", "attempt", "bar", "activity", "cost", "children", "elapsed", "state")


@lru_cache(maxsize=64)
def columns(width: int) -> Columns:
    """Return which columns ``width`` cells have room for."""
    wanted = {
        "state": _STATE,
        "bar": _BAR,
        "children": _CHILDREN,
        "elapsed": _ELAPSED,
        "cost": _COST,
        "tokens": _TOKENS,
        "attempt": _ATTEMPT,
        "activity": _ACTIVITY_LEAST,
    }
    for name in _DROPPED_IN_ORDER:
        if _LEFT_LEAST + sum(cells + 1 for cells in wanted.values()) <= width:
            break
        del wanted[name]
    spare = max(0, width - _LEFT_LEAST - sum(cells + 1 for cells in wanted.values()))
    left = _LEFT_LEAST + spare
    if "activity" in wanted:
        left = min(_LEFT_LEAST + spare * 3 // 5, _LEFT_MOST)
        wanted["activity"] += spare - (left - _LEFT_LEAST)
    return Columns(
        left=min(left, width),
        **{name: wanted.get(name, 0) for name in _DROPPED_IN_ORDER},
        indent=2 if width >= 100 else 1,
    )


def cells(
    job: Job,
    now_ms: int,
    width: int,
    *,
    folded: bool | None = None,
    question: str | None = None,
    glyphs: Glyphs = UNICODE,
) -> Row:
    """Return a job's row of ``width`` cells. ``folded`` None: it has nothing to fold; ``question``: what it asks a person."""
    room = columns(width)
    mark = " " if folded is None else glyphs.folded if folded else glyphs.unfolded
    state = Role.ASKING if _asks(job) else Role(job.status.value)
    sign = glyphs.asking if _asks(job) else glyphs.states[job.status]
    indent = job.depth * room.indent
    found = list(_head(" " * indent + mark + " ", sign, state, job.id, job.title, room.left, glyphs.ellipsis))
    done = job.children - job.open_children
    if room.state:
        found.append(_left(state_word(job), room.state, state, glyphs.ellipsis))
    if room.bar:
        found.append(_left(_bar(done, job.children, room.bar, glyphs), room.bar, state, glyphs.ellipsis))
    if room.children:
        found.append(
            _right(f"{amount(done)}/{amount(job.children)}" if job.children else "", room.children, glyphs.ellipsis)
        )
    if room.elapsed:
        found.append(_right(elapsed(job, now_ms), room.elapsed, glyphs.ellipsis))
    if room.cost:
        found.append(_right(dollars(job.subtree_cost_usd) if job.subtree_cost_usd else "", room.cost, glyphs.ellipsis))
    if room.tokens:
        found.append(_right(amount(job.subtree_tokens) if job.subtree_tokens else "", room.tokens, glyphs.ellipsis))
    if room.attempt:
        found.append(_right(f"{glyphs.times}{job.attempt}" if job.attempt > 1 else "", room.attempt, glyphs.ellipsis))
    if room.activity:
        role = Role.ASKING if _asks(job) else Role.ASIDE
        found.append(_left(activity(job, now_ms, question), room.activity, role, glyphs.ellipsis))
    return Row(tuple(found), min(indent, room.left), min(indent + 2, room.left))


def blank(depth: int, width: int, glyphs: Glyphs = UNICODE) -> Row:
    """Return the row of a job that is not there yet."""
    text = " " * (depth * columns(width).indent + 2) + glyphs.ellipsis
    return Row((Cell(set_cell_size(text, width), Role.ASIDE),))


def elapsed(job: Job, now_ms: int) -> str:
    """Return how long a job took or takes; nothing where it has not started."""
    return "" if job.started_ms is None else duration((job.ended_ms or now_ms) - job.started_ms)


def moment(job: Job, now_ms: int) -> str:
    """Return all of a row that depends on the time alone: the same moment, the same row."""
    if job.ended_ms is not None:
        return ""
    return f"{elapsed(job, now_ms)} {_tries_again(job, now_ms)}"


def state_word(job: Job) -> str:
    """Return a job's state, or why it is in it, in one word or two."""
    if _asks(job):
        return "asks"
    if job.status is Status.RUNNING:
        return "stopping" if job.stop_reason else "running"
    if job.status in (Status.FAILED, Status.QUEUED) and job.reason:
        return _SHORT.get(job.reason) or one_line(job.reason[:_LOOKED_AT]).replace("_", " ")
    return job.status.value


def activity(job: Job, now_ms: int, question: str | None = None) -> str:
    """Return what a job's worker does or waits for, or what became of it, on one line."""
    if _asks(job):
        return f"asks: {one_line(question[:_LOOKED_AT])}" if question else "asks a person"
    waits = f"waiting for {job.open_children} of {job.children} children"
    match job.status:
        case Status.RUNNING if job.stop_reason:
            return f"stopping: {_words(job.stop_reason)}"
        case Status.RUNNING if job.wants_slot:
            return "waiting for a slot"
        case Status.RUNNING if job.lending and job.open_children:
            return waits
        case Status.RUNNING:
            return one_line(job.activity[:_LOOKED_AT]) if job.activity else "starting"
        case Status.WAITING:
            return "waiting for an answer" if job.waiting_for == "ask" else waits
        case Status.QUEUED:
            return _tries_again(job, now_ms) or (_WORDS.get(job.reason, "") if job.reason else "")
        case Status.COMPLETED:
            return one_line((job.result or "")[:_LOOKED_AT])
        case _:
            return one_line((job.error or "")[:_LOOKED_AT]) or (_words(job.reason) if job.reason else "")


def _asks(job: Job) -> bool:
    return job.open_asks > 0 and job.status not in FINAL


def _tries_again(job: Job, now_ms: int) -> str:
    if job.status is not Status.QUEUED or job.not_before_ms is None or job.not_before_ms <= now_ms:
        return ""
    return f"tries again in {duration(job.not_before_ms - now_ms + 999)}"


def _words(reason: str) -> str:
    return _WORDS.get(reason) or one_line(reason[:_LOOKED_AT]).replace("_", " ")


def _bar(done: int, total: int, width: int, glyphs: Glyphs) -> str:
    if not total:
        return ""
    full = min(done, total) * width // total
    return glyphs.done * full + glyphs.open * (width - full)


# Most of a row stays as it is when something in it changes, so its pieces are kept for some screens of rows.


@lru_cache(maxsize=2_000)
def _left(text: str, width: int, role: Role, ellipsis: str) -> Cell:
    return Cell(" " + set_cell_size(cut(text, width, ellipsis), width), role)


@lru_cache(maxsize=2_000)
def _right(text: str, width: int, ellipsis: str) -> Cell:
    text = cut(text, width, ellipsis)
    return Cell(" " * (width + 1 - cell_len(text)) + text, Role.FIGURE)


@lru_cache(maxsize=500)
def _head(lead: str, sign: str, state: Role, job_id: int, title: str, width: int, ellipsis: str) -> tuple[Cell, ...]:
    """Return what stands at the left of a row, ``width`` cells wide."""
    pieces = [
        Cell(lead, Role.ASIDE),
        Cell(sign, state),
        Cell(f" #{job_id} ", Role.FIGURE),
        Cell(one_line(title[:_LOOKED_AT]), Role.TITLE),
    ]
    return tuple(_fit(pieces, width, ellipsis))


def _fit(pieces: list[Cell], width: int, ellipsis: str) -> list[Cell]:
    """Return the pieces, the last one cut and padded, so that they take ``width`` cells together."""
    found = []
    for piece in pieces:
        # All but the title are of narrow characters.
        text = cut(piece.text, width, ellipsis) if piece is pieces[-1] else piece.text[:width]
        found.append(Cell(text, piece.role))
        width -= cell_len(text)
    found[-1] = Cell(found[-1].text + " " * width, found[-1].role)
    return found
