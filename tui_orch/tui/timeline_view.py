"""The widget that draws a tree over time: a row a job, the rows in view alone; zoom, scroll and a cursor.

Owns the scale. What the bars are made of, and who holds the root up, is told to it.
"""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_orch.client.cells import cut
from tui_orch.client.text import one_line
from tui_orch.tui.row import UNICODE
from tui_orch.tui.text.signs import signs
from tui_orch.tui.timeline import Life, Phase, Piece
from tui_orch.tui.timescale import Scale, bar, fitted

BARS = {Phase.RUNNING: "█", Phase.WAITING: "░", Phase.QUEUED: "·"}
#: Stands before the jobs of the critical path.
HOLDS = "◆"
_LABEL_LEAST, _LABEL_MOST = 18, 44
_ZOOM = 2.0
_SCROLL_SHARE = 8  # of the width, at a time


class TimelineView(ScrollView, can_focus=True):
    """Rows of jobs over time. Posts ``Scaled`` when other times are in view, ``Chosen`` for Enter or a double click."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"timeline--{phase}" for phase in Phase),
        "timeline--critical",
        "timeline--holds",
        "timeline--aside",
        "timeline--cursor",
        "timeline--good",
        "timeline--bad",
    }
    DEFAULT_CSS = """
    TimelineView {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        background: $surface;
        & > .timeline--running { color: $primary; }
        & > .timeline--waiting { color: $text-secondary; }
        & > .timeline--queued { color: $text-muted; }
        & > .timeline--critical { color: $text-warning; text-style: bold; }
        & > .timeline--holds { color: $text-warning; text-style: bold; }
        & > .timeline--aside { color: $text-muted; }
        & > .timeline--cursor { background: $primary 20%; }
        & > .timeline--good { color: $text-success; }
        & > .timeline--bad { color: $text-error; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "zoom(1)", "zoom in", show=False),
        Binding("minus", "zoom(-1)", "zoom out", show=False),
        Binding("0", "fit", "all of it", show=False),
        Binding("left", "pan(-1)", "earlier", show=False),
        Binding("right", "pan(1)", "later", show=False),
        Binding("enter", "choose", "go to the job", show=False),
    ]

    class Scaled(Message):
        """Other times are in view."""

    class Chosen(Message):
        """A person wants to go to a job."""

        def __init__(self, job_id: int) -> None:
            super().__init__()
            self.job_id = job_id

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._ascii_only = ascii_only
        self.rows_drawn = 0  # so that a test can prove that only those in view are
        self.scale = Scale(0.0, 1_000.0, 1)
        self.label_cells = _LABEL_LEAST
        self._lives: Sequence[Life] = ()
        self._held: dict[int, list[Piece]] = {}
        self._now_ms = 0
        self._fitted = True
        self._cursor = 0

    @property
    def _width(self) -> int:
        """The cells beside the scrollbar, which is always there."""
        return max(0, self.size.width - self.styles.scrollbar_size_vertical)

    # What it shows

    def show_lives(self, lives: Sequence[Life], held: Sequence[Piece], now_ms: int) -> None:
        """Show these jobs as they are now, in this order; ``held`` is the critical path."""
        on = self.cursor_id
        seen_now = self._lives and self.scale.start_ms <= self._now_ms < self.scale.end_ms
        self._lives, self._now_ms = lives, now_ms
        self._held = {}
        for piece in held:
            self._held.setdefault(piece.job_id, []).append(piece)
        self.virtual_size = Size(self._width, len(lives))
        if on is not None:
            self.put_cursor(on, scroll=False)
        if self._fitted:
            self._rescale(None)
        elif seen_now and now_ms >= self.scale.end_ms:
            self._rescale(self.scale.scrolled(self.scale.cells / 4))
        self.refresh()

    @property
    def cursor_id(self) -> int | None:
        """The job under the cursor."""
        return self._lives[self._cursor].id if self._cursor < len(self._lives) else None

    def put_cursor(self, job_id: int, *, scroll: bool = True) -> None:
        """Put the cursor on a job, if it is shown."""
        at = next((at for at, one in enumerate(self._lives) if one.id == job_id), None)
        if at is not None:
            self._cursor = at
            if scroll:
                self._into_view()
            self.refresh()

    # Time

    def on_resize(self, event: events.Resize) -> None:
        """Take the width that there is."""
        width = self._width
        self.label_cells = min(max(_LABEL_LEAST, width // 3), _LABEL_MOST, width)
        cells = max(1, width - self.label_cells)
        self.virtual_size = Size(width, len(self._lives))
        self._rescale(None if self._fitted else Scale(self.scale.start_ms, self.scale.ms, cells))

    def _rescale(self, scale: Scale | None) -> None:
        """Show these times, as far as anything was going on then; None: all of it."""
        cells = max(1, self._width - self.label_cells)
        first, last = self._ends()
        self._fitted = scale is None
        if scale is None:
            scale = fitted(first, last, cells)
        else:
            most = max(float(first), last - scale.ms * cells / 2)
            least = min(first, last - scale.ms * cells / 2)
            scale = Scale(min(max(scale.start_ms, least), most), scale.ms, cells)
        if scale != self.scale:
            self.scale = scale
            self.post_message(self.Scaled())
        self.refresh()

    def _ends(self) -> tuple[int, int]:
        """Return the first and the last moment of the tree (ms)."""
        if not self._lives:
            return self._now_ms, self._now_ms + 1_000
        first = min(one.start_ms for one in self._lives)
        lasts = [span.until(self._now_ms) for one in self._lives for span in one.spans[-1:]]
        return first, max([*lasts, first + 1_000])

    def action_zoom(self, by: int) -> None:
        """Show less time, larger, or more of it."""
        shown = self._ends()[1] - self._ends()[0]
        factor = _ZOOM**-by
        if by > 0 or self.scale.ms * self.scale.cells < 2 * shown:
            self._rescale(self.scale.zoomed(factor, self.scale.cells / 2))

    def action_fit(self) -> None:
        """Show all of the time."""
        self._rescale(None)

    def action_pan(self, by: int) -> None:
        """Show earlier times, or later ones."""
        self._rescale(self.scale.scrolled(by * max(1, self.scale.cells // _SCROLL_SHARE)))

    # The cursor

    def _move(self, by: int) -> None:
        if self._lives:
            self._cursor = min(max(self._cursor + by, 0), len(self._lives) - 1)
            self._into_view()
            self.refresh()

    def _into_view(self) -> None:
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= self._cursor < top + height:
            self.scroll_to(y=self._cursor if self._cursor < top else self._cursor - height + 1, animate=False)

    def action_scroll_up(self) -> None:
        """One job up."""
        self._move(-1)

    def action_scroll_down(self) -> None:
        """One job down."""
        self._move(1)

    def action_page_up(self) -> None:
        """A screen up."""
        self._move(1 - max(2, self.size.height))

    def action_page_down(self) -> None:
        """A screen down."""
        self._move(max(2, self.size.height) - 1)

    def action_scroll_home(self) -> None:
        """To the root."""
        self._move(-len(self._lives))

    def action_scroll_end(self) -> None:
        """To the last job."""
        self._move(len(self._lives))

    def action_choose(self) -> None:
        """Go to the job under the cursor."""
        if self.cursor_id is not None:
            self.post_message(self.Chosen(self.cursor_id))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on what was clicked; go there when it was clicked twice."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y + self.scroll_offset.y < len(self._lives):
            self._cursor = offset.y + self.scroll_offset.y
            self.refresh()
            if event.chain > 1:
                self.action_choose()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Draw one row of the screen."""
        base, width, at = self.rich_style, self._width, y + self.scroll_offset.y
        if at >= len(self._lives):
            return Strip.blank(width, base)
        self.rows_drawn += 1
        if at == self._cursor and self.has_focus:
            base += Style(bgcolor=self.get_component_rich_style("timeline--cursor").bgcolor)
        ground = Style(bgcolor=base.bgcolor)
        one = self._lives[at]
        held = self._held.get(one.id, [])
        pieces = self._label(one, bool(held))
        for cells, phase, critical in bar(one, held, self.scale, self._now_ms):
            name = "" if phase is None else "critical" if critical else phase.value
            pieces.append(((BARS[phase] if phase else " ") * cells, name))
        segments = (
            Segment(signs(text, ascii_only=self._ascii_only), self._style(name, base) + ground) for text, name in pieces
        )
        return Strip(segments).adjust_cell_length(width, base)

    def _label(self, one: Life, holds: bool) -> list[tuple[str, str]]:
        """Return a job's label, as wide as all are, in pieces with the names of their styles."""
        head = " " * min(one.level, 8)
        state = "good" if one.status == "completed" else "bad" if one.status in ("failed", "partial") else "aside"
        room = self.label_cells - 1 - 1 - len(head) - 2
        title = set_cell_size(cut(f"#{one.id} {one_line(one.title)}", room), max(0, room))
        return [
            (HOLDS if holds else " ", "holds"),
            (f"{head}{UNICODE.states[one.status]} ", state),
            (f"{title} ", "holds" if holds else ""),
        ]

    def _style(self, name: str, base: Style) -> Style:
        return self.get_component_rich_style(f"timeline--{name}") if name else base
