"""The line in which a filter is written. It stands in the screen, not over it, so that one sees what it leaves.

What a filter means is in `tui_orch.tui.filter`; to apply it is the app's.
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from tui_orch.client.text import one_line
from tui_orch.tui.dialogs.dialog import FixedText, PlainInput
from tui_orch.tui.filter import Filter, FilterError, parse

#: Seconds after the last key for which a changed filter waits.
PAUSE_S = 0.15
_SAY = 'word  state:failed  cost>1  depth:2  kind:claude  !term  "two words"'
_HOW = "Enter keeps it, Esc shows all jobs again"


class FilterBar(Vertical):
    """Hidden until `open` is called: the line to write in, and one for what there is to say of it.

    Posts ``Changed`` while one types (only what means something), and ``Closed`` with Enter (keep the filter) or Esc
    (the one without terms). The app gives the focus back to the tree then.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "clear", "All jobs")]
    DEFAULT_CSS = """
    FilterBar {
        height: 2;
        width: 100%;
        padding: 0 1;
        background: $panel;
        display: none;
    }
    FilterBar.-open {
        display: block;
    }
    FilterBar Horizontal {
        height: 1;
    }
    FilterBar Static {
        width: 2;
    }
    FilterBar PlainInput {
        width: 1fr;
    }
    FilterBar #filter-said {
        width: 100%;
        height: 1;
        color: $text-muted;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    FilterBar #filter-said.-wrong {
        color: $text-error;
        text-style: bold;
    }
    """

    class Changed(Message):
        """Another filter is wanted."""

        def __init__(self, wanted: Filter) -> None:
            super().__init__()
            self.wanted = wanted

    class Closed(Message):
        """The person is done with the line; ``wanted`` stays in force."""

        def __init__(self, wanted: Filter) -> None:
            super().__init__()
            self.wanted = wanted

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._wanted = parse("")
        self._later: Timer | None = None

    def compose(self) -> ComposeResult:
        """Draw the line."""
        with Horizontal():
            yield FixedText("/")
            yield PlainInput(id="filter-text", placeholder=_SAY)
        yield FixedText(_HOW, id="filter-said")

    @property
    def is_open(self) -> bool:
        """Whether the line is on screen."""
        return self.has_class("-open")

    def open(self, text: str = "") -> None:
        """Come on screen with this text and take the focus."""
        self.add_class("-open")
        line = self.query_one(PlainInput)
        line.value = text
        line.cursor_position = len(line.value)
        line.focus()

    def say(self, text: str) -> None:
        """Show how far the filter has come, such as ``12 of 3,000 jobs``."""
        if not self.query_one("#filter-said", FixedText).has_class("-wrong"):
            self._tell(text, wrong=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Read the filter, and tell of it when nobody has typed for a moment."""
        event.stop()
        if not self.is_open:
            return
        try:
            wanted = parse(event.value)
        except FilterError as error:
            self._stop()
            self._tell(str(error), wrong=True)
            return
        self._tell(_HOW, wrong=False)
        if wanted.text != self._wanted.text:
            self._stop()
            self._wanted = wanted
            self._later = self.set_timer(PAUSE_S, lambda: self.post_message(self.Changed(wanted)))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter, if it means something."""
        event.stop()
        try:
            self._close(parse(event.value))
        except FilterError as error:
            self._tell(str(error), wrong=True)

    def action_clear(self) -> None:
        """Take the filter away."""
        self._close(parse(""))

    def _close(self, wanted: Filter) -> None:
        self._stop()
        self._wanted = wanted
        self._tell(_HOW, wrong=False)
        self.remove_class("-open")
        self.post_message(self.Closed(wanted))

    def _stop(self) -> None:
        if self._later is not None:
            self._later.stop()
            self._later = None

    def _tell(self, text: str, *, wrong: bool) -> None:
        said = self.query_one("#filter-said", FixedText)
        said.set_class(wrong, "-wrong")
        said.tell(one_line(text))
