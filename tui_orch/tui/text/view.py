"""The widget that shows lines of text: wraps them to its width, draws the rows in view alone, finds a text in them.

Owns the scrolling and the colours of tones; what the lines say is others' work. Every line has passed ``clean``.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_orch.tui.text import find
from tui_orch.tui.text.layout import Layout, Row
from tui_orch.tui.text.line import Line, Tone
from tui_orch.tui.text.signs import signs


class TextView(ScrollView, can_focus=True):
    """Lines that wrap. ``n`` and ``N`` go to the next and the previous match once something is looked for."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"text--{tone}" for tone in Tone),
        "text--match",
        "text--found",
        "text--cursor",
    }
    DEFAULT_CSS = """
    TextView {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        background: $surface;
        & > .text--dim { color: $text-muted; }
        & > .text--strong { text-style: bold; }
        & > .text--head { color: $text-accent; text-style: bold; }
        & > .text--prompt { color: $text-primary; }
        & > .text--call { color: $text-secondary; text-style: bold; }
        & > .text--bad { color: $text-error; }
        & > .text--warn { color: $text-warning; }
        & > .text--queued { color: $text-muted; }
        & > .text--running { color: $text-primary; }
        & > .text--waiting { color: $text-secondary; }
        & > .text--completed { color: $text-success; }
        & > .text--partial { color: $text-warning; }
        & > .text--failed { color: $text-error; text-style: bold; }
        & > .text--cancelled { color: $text-muted; text-style: strike; }
        & > .text--match { background: $warning 30%; text-style: underline; }
        & > .text--found { text-style: bold reverse; }
        & > .text--cursor { background: $primary 20%; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "find_next", "next match", show=False),
        Binding("N", "find_previous", "previous match", show=False),
    ]

    class Found(Message):
        """Something was looked for: whether it is there. ``wanted`` is "" when nothing is looked for any more."""

        def __init__(self, wanted: str, there: bool) -> None:
            super().__init__()
            self.wanted = wanted
            self.there = there

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.ascii_only = ascii_only
        self.text_layout = Layout()
        self.rows_drawn = 0  # so that a test can prove that only those in view are
        self.wanted = ""
        self._match: find.Match | None = None
        self._wanted_at = 0

    @property
    def page_width(self) -> int:
        """The cells beside the scrollbar, which is always there."""
        return max(0, self.size.width - self.styles.scrollbar_size_vertical)

    # What it shows

    def set_lines(self, lines: Sequence[Line], *, keep_place: bool = False) -> None:
        """Show these lines; from the first one on, unless the place is to be kept."""
        self.text_layout.set(lines)
        self._match = None
        self._laid_out()
        if not keep_place:
            self.scroll_to(y=0, animate=False)

    def _laid_out(self) -> None:
        """Take in that the rows have changed."""
        self.virtual_size = Size(self.text_layout.width, self.text_layout.rows)
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap to the new width, the first row in view staying in view."""
        if self.page_width in (0, self.text_layout.width):
            return
        top = self.text_layout.row(self.scroll_offset.y)
        self.text_layout.set_width(self.page_width)
        self._laid_out()
        if top is not None:
            self.scroll_to(y=self.text_layout.row_at(top.at, top.start), animate=False)

    # Scrolling, at once: what comes in between would be drawn for nothing

    def action_scroll_up(self) -> None:
        """One row up."""
        self.scroll_relative(y=-1, animate=False)

    def action_scroll_down(self) -> None:
        """One row down."""
        self.scroll_relative(y=1, animate=False)

    def action_page_up(self) -> None:
        """A screen up."""
        self.scroll_relative(y=1 - max(2, self.size.height), animate=False)

    def action_page_down(self) -> None:
        """A screen down."""
        self.scroll_relative(y=max(2, self.size.height) - 1, animate=False)

    def action_scroll_home(self) -> None:
        """To the beginning."""
        self.scroll_to(y=0, animate=False)

    def action_scroll_end(self) -> None:
        """To the end."""
        self.scroll_to(y=self.max_scroll_y, animate=False)

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Draw one row of the screen."""
        width = self.page_width
        row = self.text_layout.row(y + self.scroll_offset.y)
        base = self.rich_style
        if row is None:
            return Strip.blank(width, base)
        self.rows_drawn += 1
        if self._is_cursor(row):
            base += Style(bgcolor=self.get_component_rich_style("text--cursor").bgcolor)
        ground = Style(bgcolor=base.bgcolor)
        strip = Strip(
            Segment(signs(text, ascii_only=self.ascii_only), (style or base) + ground + over)
            for text, style, over in self._segments(row)
        )
        return strip.adjust_cell_length(width, base)

    def _is_cursor(self, row: Row) -> bool:
        return False

    def _segments(self, row: Row) -> list[tuple[str, Style | None, Style]]:
        """Return a row's pieces, each with its own style and that of a match that it is part of."""
        found: list[tuple[str, Style | None, Style]] = [(" " * row.hang, None, Style.null())] if row.hang else []
        hits = self._hits(row)
        end = row.start + len(row.line.text[row.start : row.end].rstrip(" "))
        at = 0
        for text, tone in row.line.parts:
            style = self.get_component_rich_style(f"text--{tone}") if tone is not Tone.PLAIN else None
            cuts = {max(row.start, at), min(end, at + len(text))}
            cuts |= {cut for hit in hits for cut in (hit.start, hit.end) if min(cuts) < cut < max(cuts)}
            edges = sorted(cuts)
            if at < end and at + len(text) > row.start:
                for first, last in pairwise(edges):
                    found.append((text[first - at : last - at], style, self._hit_style(hits, first)))
            at += len(text)
        return found

    def _hits(self, row: Row) -> list[find.Match]:
        if not self.wanted:
            return []
        first = max(0, row.start - len(self.wanted))
        text = row.line.text[first : row.end + len(self.wanted)]
        return [
            find.Match(row.at, first + hit.start(), first + hit.end())
            for hit in find.pattern(self.wanted).finditer(text)
        ]

    def _hit_style(self, hits: Sequence[find.Match], at: int) -> Style:
        for hit in hits:
            if hit.start <= at < hit.end:
                if hit == self._match:
                    return self.get_component_rich_style("text--found", partial=True)
                marked = self.get_component_rich_style("text--match")
                return Style(bgcolor=marked.bgcolor, underline=marked.underline)
        return Style.null()

    # Finding

    def look_for(self, wanted: str) -> bool:
        """Mark every place where ``wanted`` stands and go to the next one; "" ends that. False where it is nowhere."""
        if not self.wanted:
            self._wanted_at = self.scroll_offset.y
        self.wanted = wanted
        self._match = None
        found = bool(wanted) and self._go_to(forward=True, row=self._wanted_at)
        self.refresh()
        self.post_message(self.Found(wanted, found))
        return found

    def action_find_next(self) -> None:
        """Go to the next match."""
        self.post_message(self.Found(self.wanted, self._go_to(forward=True)))

    def action_find_previous(self) -> None:
        """Go to the previous match."""
        self.post_message(self.Found(self.wanted, self._go_to(forward=False)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the keys to others while nothing is looked for."""
        if action in ("find_next", "find_previous"):
            return bool(self.wanted)
        return super().check_action(action, parameters)

    def _go_to(self, *, forward: bool, row: int | None = None) -> bool:
        lines = self.text_layout.lines
        if not lines:
            return False
        if self._match is not None and self._match.at < len(lines):
            at, offset = self._match.at, self._match.end if forward else self._match.start
        else:
            top = self.text_layout.row(self.scroll_offset.y if row is None else row)
            at, offset = (top.at, top.start) if top is not None else (0, 0)
        search = find.find_next if forward else find.find_previous
        self._match = search(lines, find.pattern(self.wanted), at, offset)
        if self._match is None:
            return False
        self._show_row(self.text_layout.row_at(self._match.at, self._match.start))
        self.refresh()
        return True

    def _show_row(self, y: int) -> None:
        """Scroll so that a row is in view, with some rows around it."""
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= y < top + height:
            self.scroll_to(y=max(0, y - height // 3), animate=False)
