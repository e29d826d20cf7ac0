"""What all dialogs have in common: a box in the middle with a title, keys that close it, and fields that take plain text.

Knows nothing of jobs.
"""

import re
from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from tui_orch.client.text import clean, one_line
from tui_orch.tui.key_order import do_in_order

Result = TypeVar("Result")

# Joiners and variation selectors: unseen, but a person means them (emoji, Persian), and they move nothing.
_MEANT = re.compile("([\u200c\u200d\ufe0e\ufe0f])")


def typed(text: str) -> str:
    """Return what a person typed or pasted without what their terminal would take for a command."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # terminals paste a line end as \r
    return "".join(part if _MEANT.fullmatch(part) else clean(part) for part in _MEANT.split(text))


class Dialog(ModalScreen[Result]):
    """A box over the screen. Esc closes it without a result; ``heading`` is cleaned here."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "close", "Close")]
    DEFAULT_CSS = """
    Dialog {
        align: center middle;
    }
    Dialog > .dialog--box {
        width: 76;
        max-width: 100%;
        height: auto;
        max-height: 100%;
        border: round $accent;
        background: $surface;
        padding: 0 1;
    }
    Dialog .dialog--heading {
        width: 100%;
        height: auto;
        text-style: bold;
    }
    Dialog .dialog--hint {
        width: 100%;
        height: auto;
        color: $text-muted;
    }
    Dialog .dialog--problem {
        width: 100%;
        height: auto;
        max-height: 3;
        color: $text-error;
        text-style: bold;
    }
    Dialog .dialog--problem.-none {
        display: none;
    }
    Dialog .dialog--buttons {
        height: 1;
        width: 100%;
        margin-top: 1;
    }
    Dialog .dialog--buttons Button {
        margin-right: 2;
    }
    """

    def __init__(self, heading: str) -> None:
        super().__init__()
        self.heading = one_line(heading)

    def compose(self) -> ComposeResult:
        """Draw the box; what is in it comes from ``body``."""
        with Vertical(classes="dialog--box"):
            yield Static(Content(self.heading), classes="dialog--heading", markup=False)
            yield from self.body()

    def body(self) -> ComposeResult:
        """Return what stands below the heading."""
        raise NotImplementedError

    def action_close(self) -> None:
        """Close without a result."""
        self.dismiss(None)


class Problem(Static):
    """A line for what is wrong; takes no room while nothing is."""

    def __init__(self, text: str = "", *, id: str = "problem") -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id, classes="dialog--problem -none", markup=False)
        self._told = ""
        self.tell(text)

    def tell(self, text: str) -> None:
        """Show ``text``, from anywhere, on one line; "" for nothing."""
        shown = one_line(text)
        if shown != self._told:
            self._told = shown
            self.set_class(not shown, "-none")
            self.update(Content(shown))


class FixedText(Static):
    """A piece of text in a place of fixed size: to change it costs no new layout, and none at all where it stays."""

    def __init__(self, text: str = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(Content(text), id=id, classes=classes, markup=False)
        self._told = Content(text)

    def tell(self, text: str | Content) -> None:
        """Show ``text``, which must be clean."""
        shown = Content(text) if isinstance(text, str) else text
        if shown != self._told:
            self._told = shown
            self.update(shown, layout=False)


class PlainButton(Button):
    """A button of one line whose label is text, not markup."""

    def __init__(self, label: str, *, id: str, variant: str = "default") -> None:  # noqa: A002 - Textual's word
        super().__init__(Content(one_line(label)), id=id, compact=True)
        self.variant = variant


class PlainInput(Input):
    """A line to type in that keeps control characters out, whether they are pasted or set.

    ``replaced``: what stands there is selected when the person comes to it, so that typing takes its place.
    """

    def __init__(
        self,
        value: str = "",
        *,
        id: str,  # noqa: A002 - Textual's word
        placeholder: str = "",
        classes: str | None = None,
        replaced: bool = False,
    ) -> None:
        super().__init__(value, id=id, placeholder=placeholder, compact=True, classes=classes, select_on_focus=replaced)
        self.cursor_blink = False

    def validate_value(self, value: str) -> str:
        """Return ``value`` as it may be shown."""
        return typed(value).replace("\n", " ").replace("\t", " ")

    async def on_key(self, event: events.Key) -> None:
        """See `do_in_order`."""
        await do_in_order(self, event)
