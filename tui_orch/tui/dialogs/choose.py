"""Lets a person pick one of a few things: what to copy, how to be told of asks, what to sort by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_orch.client.cells import cut
from tui_orch.client.text import one_line
from tui_orch.tui.dialogs.dialog import Dialog

Value = TypeVar("Value")

_DETAIL_CELLS = 44
_DETAIL_CHARS = 600


@dataclass(frozen=True, slots=True)
class Choice(Generic[Value]):
    """One thing to pick: by its key at once, or by the cursor and Enter. ``chosen``: it holds now."""

    key: str
    label: str
    value: Value
    detail: str = ""
    chosen: bool = False


class Choose(Dialog[Value]):
    """A short list, with ``note`` below it. The value that was picked; None (Esc) for none."""

    DEFAULT_CSS = """
    Choose OptionList {
        height: auto;
        max-height: 16;
        background: $surface;
    }
    """
    AUTO_FOCUS = "OptionList"

    def __init__(self, heading: str, choices: Sequence[Choice[Value]], note: str = "") -> None:
        super().__init__(heading)
        self._note = one_line(note)
        self._choices = tuple(choices)

    def body(self) -> ComposeResult:
        """See `Dialog.body`."""
        yield OptionList(*(Option(_line(choice)) for choice in self._choices), markup=False, compact=True)
        if self._note:
            yield Static(self._note, classes="dialog--hint", markup=False)
        yield Static(
            f"Enter{' or its letter' if self._choices[0].key else ''} picks one, Esc none",
            classes="dialog--hint",
            markup=False,
        )

    def on_mount(self) -> None:
        """Start at what holds now."""
        held = [place for place, choice in enumerate(self._choices) if choice.chosen]
        if held:
            self.query_one(OptionList).highlighted = held[0]

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with what was picked."""
        self.dismiss(self._choices[event.option_index].value)

    def on_key(self, event: events.Key) -> None:
        """Answer with what a letter stands for."""
        for choice in self._choices:
            if choice.key and event.character == choice.key:
                event.stop()
                self.dismiss(choice.value)
                return


def _line(choice: Choice[Value]) -> Content:
    detail = cut(one_line(choice.detail[:_DETAIL_CHARS]), _DETAIL_CELLS)
    mark = "●" if choice.chosen else " "
    return Content.assemble(
        (f"{mark} {choice.key}  ", "bold $accent"), f"{one_line(choice.label):<14}", (f"  {detail}", "$text-muted")
    )
