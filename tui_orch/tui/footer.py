"""The line at the bottom: what can be done now with the job under the cursor, and for a while what there is to say.

Knows no keys: `keys.hints` tells them. A click on a hint does what its key does.
"""

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from tui_orch.client.cells import cut
from tui_orch.client.text import one_line
from tui_orch.tui.keys import Hint

#: Seconds for which something said stays, unless another hint takes its place.
SAID_FOR_S = 6.0
_GAP = 2
#: Hints at the end that stay in any width: help and quit.
_KEPT = 2


def fitting(hints: Sequence[Hint], width: int) -> list[Hint]:
    """Return the hints that ``width`` cells have room for: the last two, and of the others the first ones."""
    shown = list(hints)
    while len(shown) > _KEPT and _width(shown) > width:
        del shown[-_KEPT - 1]
    while shown and _width(shown) > width:
        del shown[0]
    return shown


def hint_at(hints: Sequence[Hint], x: int) -> Hint | None:
    """Return the hint that stands in a cell of the line."""
    start = 0
    for hint in hints:
        if start <= x < start + _cells(hint):
            return hint
        start += _cells(hint) + _GAP
    return None


def _width(hints: Sequence[Hint]) -> int:
    return sum(_cells(hint) + _GAP for hint in hints) - _GAP


def _cells(hint: Hint) -> int:
    return cell_len(hint.action.shown) + 1 + cell_len(hint.label)


class KeyFooter(Static):
    """The line at the bottom. A click posts ``KeyFooter.Chosen``."""

    DEFAULT_CSS = """
    KeyFooter {
        dock: bottom;
        width: 100%;
        height: 1;
        padding: 0 1;
        background: $panel;
    }
    """

    class Chosen(Message):
        """A hint was clicked; ``name`` is that of its action, "" for the key ``key`` of what has the keyboard."""

        def __init__(self, name: str, key: str) -> None:
            super().__init__()
            self.name = name
            self.key = key

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id, markup=False)
        self._hints: tuple[Hint, ...] = ()
        self._shown: list[Hint] = []
        self._said = ""
        self._forget: Timer | None = None

    def show(self, hints: Sequence[Hint]) -> None:
        """Show these hints from now on."""
        if tuple(hints) != self._hints:
            self._hints = tuple(hints)
            self._redraw()

    def say(self, text: str) -> None:
        """Show ``text`` (one line, from anywhere) in place of the hints for a while; "" takes it away."""
        if self._forget is not None:
            self._forget.stop()
            self._forget = None
        self._said = one_line(text)
        if self._said and self.is_attached:
            self._forget = self.set_timer(SAID_FOR_S, lambda: self.say(""))
        self._redraw()

    def on_resize(self) -> None:
        """Show as much as there is room for."""
        self._redraw()

    def on_click(self, event: events.Click) -> None:
        """Do what the hint under the mouse stands for."""
        at = event.get_content_offset(self)
        hint = None if at is None or self._said else hint_at(self._shown, at.x)
        if hint is not None:
            self.post_message(self.Chosen(hint.action.name, hint.action.key))

    def _redraw(self) -> None:
        width = self.container_size.width - 2
        if width <= 0:
            return
        if self._said:
            self.update(Content.styled(cut(self._said, width), "bold $warning"), layout=False)
            return
        self._shown = fitting(self._hints, width)
        parts: list[tuple[str, str]] = []
        for place, hint in enumerate(self._shown):
            if place:
                parts.append((" " * _GAP, ""))
            parts += [(hint.action.shown, "bold $accent"), (f" {hint.label}", "")]
        self.update(Content.assemble(*parts), layout=False)
