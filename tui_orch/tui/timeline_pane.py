"""The pane of a tree over time: who was at work when, a row a job, and what holds the root up.

Owns what is read and when: the tree of the job under the cursor, page by page between the strokes of a key, then what
changed. Drawing is the view's.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from store.errors import StoreError
from store.models import Job
from store.states import FINAL
from tui_orch.client.cells import cut
from tui_orch.client.measures import duration
from tui_orch.client.text import one_line
from tui_orch.tui.detail.source import TimelineSource
from tui_orch.tui.seen import is_seen
from tui_orch.tui.text.signs import signs
from tui_orch.tui.timeline import Life, Phase, Piece, at_work, critical_path
from tui_orch.tui.timeline_model import TimelineModel
from tui_orch.tui.timeline_view import BARS, HOLDS, TimelineView
from tui_orch.tui.timescale import axis, sparkline

#: Seconds that the cursor rests on a job before its tree is read, and between two readings of what changed.
SETTLE_S = 0.1
AGAIN_S = 0.5
_TICK_S = 1.0


class TimelinePane(Widget):
    """The tree of one job over time. Tell it which job with ``show``, and of every change with ``apply``.

    Posts ``TimelinePane.Chosen`` when a person wants to go to a job.
    """

    DEFAULT_CSS = """
    TimelinePane {
        layout: vertical;
        width: 1fr;
        height: 1fr;
        background: $surface;
        & > Static { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & > #timeline-spark { color: $text-primary; }
        & > #timeline-axis, & > #timeline-keys { color: $text-muted; }
        & > #timeline-holds { color: $text-warning; }
    }
    """

    class Chosen(Message):
        """A person wants to go to a job."""

        def __init__(self, job_id: int) -> None:
            super().__init__()
            self.job_id = job_id

    _LINES: ClassVar[tuple[str, ...]] = ("head", "spark", "axis")

    def __init__(
        self,
        source: TimelineSource,
        now_ms: Callable[[], int],
        *,
        settle_s: float = SETTLE_S,
        again_s: float = AGAIN_S,
        ascii_only: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's word
    ) -> None:
        super().__init__(id=id)
        self.model = TimelineModel(source)
        self.path: list[Piece] = []
        self._source = source
        self._now_ms = now_ms
        self._settle_s = settle_s
        self._again_s = again_s
        self._ascii_only = ascii_only
        self._stale = False  # something changed while nobody saw it
        self._job_id: int | None = None
        self._settling: Timer | None = None
        self._changed: set[int] = set()
        self._refreshing: Timer | None = None
        self._steps: list[tuple[int, int]] = []
        self._reading: object | None = None  # what is read just now
        self._trouble = ""

    def compose(self) -> ComposeResult:
        """Make the lines above the rows, the rows, and the line below."""
        for name in self._LINES:
            yield Static(id=f"timeline-{name}", markup=False)
        yield TimelineView(ascii_only=self._ascii_only, id="timeline-rows")
        yield Static(id="timeline-holds", markup=False)
        yield Static(id="timeline-keys", markup=False)

    def on_mount(self) -> None:
        """Tell what the signs mean, and let the bars grow."""
        phases = "  ".join(f"{BARS[phase]} {phase}" for phase in (Phase.RUNNING, Phase.WAITING, Phase.QUEUED))
        self._say("keys", f" {phases}  {HOLDS} holds the root up   + - zoom  0 all  ←→ time  Enter job")
        self.set_interval(_TICK_S, self._tick)
        self._draw()

    # Which tree

    def show(self, job_id: int | None) -> None:
        """Show the tree of a job, None for none, once this has not been called for a moment.

        To be called when the pane comes into view too: while nobody sees it, it reads nothing.
        """
        self._job_id = job_id
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(self._settle_s, self._settle)

    def apply(self, jobs: Iterable[Job]) -> None:
        """Take in that jobs have changed."""
        changed = [job.id for job in jobs if job.root_id == self.model.root_id]
        if changed and not is_seen(self):
            self._stale = True
            return
        self._changed.update(changed)
        if self._changed and self._refreshing is None and self._reading is None:
            self._refreshing = self.set_timer(self._again_s, self._refresh)

    def focus_content(self) -> None:
        """Give the keyboard to the rows."""
        self._view.focus()

    @property
    def _view(self) -> TimelineView:
        return self.query_one(TimelineView)

    def _settle(self) -> None:
        self._settling = None
        self._trouble = ""
        try:
            root_id = None if self._job_id is None else self._source.root_of(self._job_id)
        except StoreError as error:
            self._fail(error)
            return
        if root_id is None:
            self.workers.cancel_group(self, "timeline")
            self._reading = None
            self.model.forget()
            self._draw()
        elif root_id != self.model.root_id or self._stale:
            self._stale = False
            self._changed.clear()
            self.run_worker(
                self._read(lambda: self.model.load(root_id), self._job_id), group="timeline", exclusive=True
            )
        elif self._job_id is not None:
            self._view.put_cursor(self._job_id)

    def _refresh(self) -> None:
        self._refreshing = None
        if self._reading is not None:
            return  # at its end it is looked again
        changed, self._changed = self._changed, set()
        self.run_worker(self._read(lambda: self.model.refresh(changed), None), group="timeline", exclusive=True)

    async def _read(self, steps: Callable[[], Iterator[None]], job_id: int | None) -> None:
        """Read page by page, leaving room for everything else between two of them; then go to a job."""
        this = self._reading = object()
        try:
            for _ in steps():
                await asyncio.sleep(0)
            self.model.arrange()
        except StoreError as error:
            self._fail(error)
            return
        finally:
            if self._reading is this:
                self._reading = None
        self._draw()
        if job_id is not None:
            self._view.put_cursor(job_id)
        self.apply(())

    def _fail(self, error: StoreError) -> None:
        self._trouble = one_line(f"It can not be read: {error}")
        self._draw()

    # Drawing

    def _tick(self) -> None:
        """Let what is open grow, while anyone can see it."""
        if is_seen(self) and self.model.lives and self.model.lives[0].status not in FINAL:
            self._draw()

    def _draw(self) -> None:
        now_ms = self._now_ms()
        root_id = self.model.root_id
        self._steps = at_work(self.model.lives, now_ms)
        self.path = [] if root_id is None else critical_path(self.model.lives, root_id, now_ms)
        self._view.show_lives(self.model.lives, self.path, now_ms)
        self._draw_lines()

    def on_timeline_view_scaled(self, event: TimelineView.Scaled) -> None:
        """Draw the times that are in view now."""
        event.stop()
        self._draw_lines()

    def on_timeline_view_chosen(self, event: TimelineView.Chosen) -> None:
        """Pass it on."""
        event.stop()
        self.post_message(self.Chosen(event.job_id))

    def _draw_lines(self) -> None:
        view, lives, scale = self._view, self.model.lives, self._view.scale
        if not lives:
            self._say("head", self._trouble or "No job is selected: there is no tree to show over time.")
            for name in ("spark", "axis", "holds"):
                self._say(name, "")
            return
        most = max((count for _, count in self._steps), default=0)
        left = view.label_cells
        self._say("head", self._head(lives))
        self._say("spark", f" at work, most {most}".ljust(left)[:left] + sparkline(self._steps, scale, most))
        self._say("axis", " time since its start".ljust(left)[:left] + axis(scale, lives[0].start_ms))
        self._say("holds", self._trouble or self._holds(lives))

    def _head(self, lives: list[Life]) -> str:
        root = lives[0]
        until_ms = root.ends_ms[-1] if root.status in FINAL and root.ends_ms else self._now_ms()
        working = sum(
            bool(one.spans) and one.spans[-1].phase is Phase.RUNNING and one.status not in FINAL for one in lives
        )
        some = "the first " if self.model.cut else ""
        jobs = f"{some}{len(lives)} job{'s' if len(lives) > 1 else ''}"
        parts = [f"tree #{root.id} {root.status}", jobs, f"{working} at work", duration(until_ms - root.start_ms)]
        return " " + "  ".join([*parts, one_line(root.title)])

    def _holds(self, lives: list[Life]) -> str:
        """Return in words who holds the root up, or held it the longest."""
        if not self.path:
            return ""
        titles = {one.id: one for one in lives}
        if lives[0].status in FINAL:
            longest = max(self.path, key=lambda piece: piece.end_ms - piece.start_ms)
            said, piece = "held up the longest by", longest
        else:
            said, piece = "held up now by", self.path[-1]
        took = duration(piece.end_ms - piece.start_ms)
        title = cut(one_line(titles[piece.job_id].title), 40)
        return f" {HOLDS} {said} #{piece.job_id} {title}: {piece.phase} for {took}"

    def _say(self, name: str, text: str) -> None:
        self.query_one(f"#timeline-{name}", Static).update(Content(signs(text, ascii_only=self._ascii_only)))
