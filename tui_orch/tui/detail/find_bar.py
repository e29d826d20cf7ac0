"""The line in which a person writes what to find in a tab."""

from textual import events
from textual.message import Message
from textual.widgets import Input

from tui_orch.tui.key_order import do_in_order


class FindBar(Input):
    """Hidden until it is opened. Posts ``FindBar.Asked`` at Enter; Escape is left to the pane."""

    DEFAULT_CSS = """
    FindBar {
        display: none;
        height: 1;
        border: none;
        padding: 0 1;
        background: $boost;
        &.-open { display: block; }
        &:focus { border: none; }
    }
    """

    class Asked(Message):
        """A text is to be found."""

        def __init__(self, wanted: str) -> None:
            super().__init__()
            self.wanted = wanted

    def __init__(self) -> None:
        super().__init__(placeholder="find in this tab", select_on_focus=True)
        self.cursor_blink = False

    @property
    def is_open(self) -> bool:
        """Whether it can be seen."""
        return self.has_class("-open")

    def open(self) -> None:
        """Show it, ready to be written in."""
        self.add_class("-open")
        self.focus()

    def shut(self) -> None:
        """Hide it."""
        self.remove_class("-open")

    async def on_key(self, event: events.Key) -> None:
        """See `do_in_order`."""
        await do_in_order(self, event)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Tell what was written."""
        event.stop()
        self.post_message(self.Asked(event.value))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep it from others, who would take it for theirs."""
        event.stop()
