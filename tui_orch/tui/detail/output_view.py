"""The widget that shows a log as it grows: follows its end until a person scrolls up, folds and unfolds its blocks.

Reads in another thread, in small steps, and only while it can be seen. Which attempt it shows is told to it; it knows no
store.
"""

import asyncio
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from store.states import Kind
from tui_orch.client.text import one_line
from tui_orch.client.transcript import parse
from tui_orch.tui.detail.blocks import Block, cut_off_block, output_block, transcript_blocks
from tui_orch.tui.detail.folded_text import FoldedText, Place
from tui_orch.tui.detail.log_tail import LogTail, RawLine, Step
from tui_orch.tui.detail.source import Log
from tui_orch.tui.seen import is_seen
from tui_orch.tui.text.layout import Row
from tui_orch.tui.text.line import Line
from tui_orch.tui.text.view import TextView

#: Bytes of a log that are read from its end, and of a line in one piece. Of a transcript the most is folded or left out.
WINDOWS = {Kind.COMMAND: 1_048_576, Kind.CLAUDE: 4_194_304}
LONGEST = {Kind.COMMAND: 65_536, Kind.CLAUDE: 2_200_000}
#: A file's growth gives no sign in the store, so it is looked at this often.
LOOK_EVERY_S = 0.2


#: While a long log is read, what is there so far is shown this often.
_SHOW_EVERY_S = 0.15
_BEFORE = "… what came before is not shown here; the file has it"


class Reading(NamedTuple):
    """How far the log is read: bytes of the whole, of them before the first line shown. ``size`` None: no log yet."""

    size: int | None = None
    skipped: int = 0
    trouble: str = ""
    over: bool = False


class OutputView(TextView):
    """The log of one attempt. Posts ``OutputView.Altered`` when what a status line would tell of it is another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "toggle_fold", "fold", show=False),
        Binding("e", "toggle_all", "unfold all", show=False),
        Binding("f", "follow", "follow", show=False),
    ]

    class Altered(Message):
        """``following`` or ``reading`` of the view is another."""

    def __init__(
        self,
        *,
        look_every_s: float = LOOK_EVERY_S,
        ascii_only: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's word
    ) -> None:
        super().__init__(ascii_only=ascii_only, id=id)
        self.following = False
        self.reading = Reading()
        self._look_every_s = look_every_s
        self._text = FoldedText(self.text_layout)
        self._live = False
        self._cursor: int | None = None
        self._shown_at = 0.0

    # What it shows

    def show_log(self, log: Log, kind: Kind, *, live: bool) -> None:
        """Show a log from its end on; while ``live``, what comes to it."""
        self._live = live
        self._start_afresh()
        self._set_following(True)
        self.run_worker(self._read(LogTail(log, WINDOWS[kind], LONGEST[kind]), kind), group="log", exclusive=True)

    def show_note(self, lines: Sequence[Line]) -> None:
        """Show something else in place of a log."""
        self.let_go()
        self._start_afresh()
        self._set_following(False)
        self.set_lines(lines)

    def let_go(self) -> None:
        """Read no more of the log; what was read stays."""
        self.workers.cancel_group(self, "log")

    def end(self) -> None:
        """Nothing more comes to the log: look once more, and no longer."""
        self._live = False

    def _start_afresh(self) -> None:
        self._text.clear()
        self._cursor, self._match = None, None
        self.reading = Reading()
        self._laid_out()

    # Reading

    async def _read(self, tail: LogTail, kind: Kind) -> None:
        try:
            while True:
                live = self._live
                if not is_seen(self):
                    await asyncio.sleep(self._look_every_s)
                    continue
                look = await asyncio.to_thread(_look, tail, kind, over=not live)
                self._take(look)
                if not look.step.more:
                    if not live:
                        return
                    await asyncio.sleep(self._look_every_s)
        except OSError as error:
            self.reading = self.reading._replace(trouble=one_line(str(error)))
            self._text.note(f"! it can not be read: {self.reading.trouble}")
            self._laid_out()
            self.post_message(self.Altered())
        finally:
            tail.close()

    def _take(self, look: "_Look") -> None:
        before = self._places()
        if look.step.afresh:
            self._text.clear()
            self._match = None
        self._text.append(look.blocks, look.unfinished)
        self._text.note(_BEFORE if look.step.skipped or self._text.dropped else "")
        now_s = asyncio.get_running_loop().time()
        if not look.step.more or now_s - self._shown_at > _SHOW_EVERY_S:
            self._shown_at = now_s
            self._rows_changed(before)
        reading = Reading(look.step.size, look.step.skipped, over=not (self._live or look.step.more))
        if reading != self.reading:
            self.reading = reading
            self.post_message(self.Altered())

    # Rows come and go

    def _places(self) -> "_Places":
        cursor = None if self._cursor is None else self._text.place_of_row(self._cursor)
        match = None if self._match is None else self._text.place(self._match.at, self._match.start)
        return _Places(self._text.place_of_row(self.scroll_offset.y), cursor, match)

    def _rows_changed(self, before: "_Places") -> None:
        """Show the same rows as before at the same place, or the end while that is followed."""
        self._cursor = None if before.cursor is None else self._text.row_of(before.cursor)
        if self._match is not None and before.match is not None:
            at = self._text.line_at(before.match)
            self._match = None if at is None else self._match._replace(at=at)
        self._laid_out()
        if self.following:
            self._cursor = None
            self.scroll_to(y=self.max_scroll_y, animate=False)
        elif before.top is not None:
            self.scroll_to(y=self._text.row_of(before.top), animate=False)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap to the new width and keep the place."""
        before = self._places()
        if self.page_width:
            self.text_layout.set_width(self.page_width)
            self._rows_changed(before)

    # Following

    def _set_following(self, following: bool) -> None:
        if following != self.following:
            self.following = following
            self.post_message(self.Altered())

    def action_follow(self) -> None:
        """Go to the end and stay there as it grows, or stay here."""
        self._set_following(not self.following)
        if self.following:
            self._rows_changed(self._places())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow no longer once a person scrolls up, by whatever means."""
        super().watch_scroll_y(old_value, new_value)
        if new_value < old_value and round(new_value) < self.max_scroll_y:
            self._set_following(False)

    # The cursor, and what it stands on

    def _is_cursor(self, row: Row) -> bool:
        if self._cursor is None or not self.has_focus:
            return False
        on = self.text_layout.row(self._cursor)
        return on is not None and (on.at, on.start) == (row.at, row.start)

    def _move(self, rows: int) -> None:
        """Move the cursor; from the row in view that is nearest where it is not in view."""
        if not self.text_layout.rows:
            return
        top, last = self.scroll_offset.y, self.scroll_offset.y + max(1, self.size.height) - 1
        start = self._cursor if self._cursor is not None else (last if rows < 0 else top - 1)
        self._put_cursor(min(max(start, top), last) + rows if top <= start <= last else (last if rows < 0 else top))

    def _put_cursor(self, y: int) -> None:
        y = min(max(y, 0), self.text_layout.rows - 1)
        if self.following and y < self.text_layout.rows - 1:
            self._set_following(False)
        self._cursor = y
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if y < top or y >= top + height:
            self.scroll_to(y=y if y < top else y - height + 1, animate=False)
        self.refresh()

    def action_scroll_up(self) -> None:
        """One row up."""
        self._move(-1)

    def action_scroll_down(self) -> None:
        """One row down."""
        self._move(1)

    def action_page_up(self) -> None:
        """A screen up."""
        self._move(1 - max(2, self.size.height))

    def action_page_down(self) -> None:
        """A screen down."""
        self._move(max(2, self.size.height) - 1)

    def action_scroll_home(self) -> None:
        """To the beginning of what is shown."""
        self._put_cursor(0)

    def action_scroll_end(self) -> None:
        """To the end, and stay there as it grows."""
        self._set_following(True)
        self._rows_changed(self._places())

    def action_toggle_fold(self) -> None:
        """Fold or unfold what the cursor stands on; without one, the last that is in view."""
        y = self._cursor
        if y is None:
            y = min(self.scroll_offset.y + self.size.height, self.text_layout.rows) - 1
        self._toggle(y)

    def action_toggle_all(self) -> None:
        """Unfold everything, or fold it."""
        before = self._places()
        self._text.toggle_all()
        self._rows_changed(before)

    def on_click(self, event: events.Click) -> None:
        """Fold or unfold what was clicked."""
        offset = event.get_content_offset(self)
        if offset is not None:
            self._cursor = min(offset.y + self.scroll_offset.y, max(0, self.text_layout.rows - 1))
            self._toggle(offset.y + self.scroll_offset.y)
            self.refresh()

    def _toggle(self, y: int) -> None:
        row = self.text_layout.row(y)
        before = self._places()
        if row is not None and self._text.toggle(self.text_layout.blocks[row.at]):
            self._set_following(False)
            self._rows_changed(before)

    # Finding

    def look_for(self, wanted: str) -> bool:
        """Find ``wanted`` in what is folded too, which is unfolded then."""
        if wanted:
            self._set_following(False)
            before = self._places()
            self._text.unfold_with(wanted)
            self._rows_changed(before)
        return super().look_for(wanted)

    def _show_row(self, y: int) -> None:
        super()._show_row(y)
        self._cursor = y


class _Places(NamedTuple):
    """What is to stay where it is while rows come and go."""

    top: Place | None
    cursor: Place | None
    match: Place | None


class _Look(NamedTuple):
    """What one look at a log found, made into blocks."""

    step: Step
    blocks: list[Block]
    unfinished: Block | None


def _look(tail: LogTail, kind: Kind, *, over: bool) -> _Look:
    """Read a little more, in whatever thread. ``over``: nothing more will come."""
    step = tail.step()
    rest = step.unfinished.decode("utf-8", "replace")
    if kind is Kind.COMMAND:
        return _Look(step, [output_block(raw) for raw in step.lines], output_block(RawLine(rest)) if rest else None)
    blocks = [block for raw in step.lines for block in transcript_blocks(raw)]
    if not over or step.more or not rest.strip():
        return _Look(step, blocks, None)
    said = transcript_blocks(RawLine(rest))
    return _Look(step, [*blocks, *(said if parse(rest) is not None else [cut_off_block(rest)])], None)
