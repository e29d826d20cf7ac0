"""The help: every key and command with what it does, and the command line that does the same; searched as one types.

Made from `keys` and `pane_keys` alone, so it can not drift from what the keys do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_orch.tui.dialogs.dialog import Dialog, FixedText, PlainInput
from tui_orch.tui.filter import FIELDS
from tui_orch.tui.keys import ACTIONS, On
from tui_orch.tui.pane_keys import SECTIONS

_KEY_CELLS = 11
_NUMBERS = tuple(name for name in FIELDS if name not in ("state", "kind", "reason", "cost"))


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the help. ``name`` is that of an action; None for what is only told."""

    shown: str
    sentence: str
    twin: str
    name: str | None
    part: str
    label: str = ""  # the word in the footer


def entries() -> tuple[Entry, ...]:
    """Return all lines: what can be done to a job, its tree, everything and the screen; then the keys of each
    part of the screen, then filters."""
    found = [
        Entry(action.shown or "^p", action.sentence, action.twin, action.name, f"On {on.value}", action.label)
        for on in On
        for action in ACTIONS
        if action.on is on
    ]
    found += [Entry(key.shown, key.sentence, "", None, part) for part, keys in SECTIONS.items() for key in keys]
    found += [
        Entry("word", "Jobs with this word in title, request, activity, error, result.", "", None, "Filters"),
        Entry("state:x,y", "Jobs in one of these states; also open, ended and asks.", "", None, "Filters"),
        Entry("cost>1", f"Also with {', '.join(_NUMBERS)}.", "", None, "Filters"),
        Entry("kind:claude", "Jobs of this kind. Another field of words is reason.", "", None, "Filters"),
        Entry("!term", "Jobs for which the term does not hold. All terms must hold.", "", None, "Filters"),
    ]
    return tuple(found)


def search(found: Sequence[Entry], text: str) -> list[Entry]:
    """Return the lines that hold every word of ``text``, in key, name, sentence, command or part."""
    words = text.casefold().split()
    return [
        entry
        for entry in found
        if all(
            word in f"{entry.shown} {entry.label} {entry.sentence} {entry.twin} {entry.part}".casefold()
            for word in words
        )
    ]


class Help(Dialog[str]):
    """Shows and searches all keys. The name of the action that was picked, for the app to do; None (Esc) for none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("up", "move('cursor_up')", "Up"),
        ("down", "move('cursor_down')", "Down"),
        ("pageup", "move('page_up')", "Page up"),
        ("pagedown", "move('page_down')", "Page down"),
    ]
    DEFAULT_CSS = """
    Help > .dialog--box {
        width: 100%;
        max-width: 100;
        height: 100%;
        max-height: 50;
    }
    Help PlainInput {
        margin-bottom: 1;
    }
    Help OptionList {
        height: 1fr;
        background: $surface;
    }
    Help #twin {
        height: 1;
        margin-top: 1;
    }
    """
    AUTO_FOCUS = "PlainInput"

    def __init__(self) -> None:
        super().__init__("Keys and commands")
        self._all = entries()
        self._rows: list[Entry | None] = []  # None: the name of a part

    def body(self) -> ComposeResult:
        """See `Dialog.body`."""
        yield PlainInput(id="search", placeholder="type to search; Enter does what the cursor is on")
        yield OptionList(markup=False, compact=True)
        yield FixedText(id="twin", classes="dialog--hint")

    def on_mount(self) -> None:
        """Show everything."""
        self._fill("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what is looked for."""
        self._fill(event.value)

    def on_input_submitted(self) -> None:
        """Do what the cursor is on."""
        self._pick(self.query_one(OptionList).highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Do what was clicked."""
        self._pick(event.option_index)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the command that does the same."""
        entry = self._rows[event.option_index] if event.option_index < len(self._rows) else None
        twin = "" if entry is None else entry.twin
        self.query_one("#twin", FixedText).tell(f"on the command line: {twin}" if twin else "")

    def action_move(self, how: str) -> None:
        """Move the cursor while the search keeps the focus."""
        getattr(self.query_one(OptionList), f"action_{how}")()

    def _pick(self, place: int | None) -> None:
        entry = None if place is None else self._rows[place]
        if entry is not None and entry.name is not None:
            self.dismiss(entry.name)

    def _fill(self, text: str) -> None:
        self._rows, options = [], []
        for part, found in groupby(search(self._all, text), key=lambda entry: entry.part):
            self._rows.append(None)
            options.append(Option(Content.styled(part, "bold $text-muted"), disabled=True))
            for entry in found:
                self._rows.append(entry)
                options.append(Option(_line(entry)))
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options(options)
        listed.highlighted = 1 if options else None
        if not options:
            self.query_one("#twin", FixedText).tell("nothing is called that")


def _line(entry: Entry) -> Content:
    return Content.assemble((f"{entry.shown:<{_KEY_CELLS}}", "bold $accent"), entry.sentence)
