"""The editor of a new request: its text, its limits, and what it may come to at worst, told as one types.

What a draft means is in `request_draft`; to hand it in is the app's. Brings pydantic and yaml with it (0.2 s), so it is
imported when it is first needed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Grid, Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Button, Input, Select, TextArea

from store.models import NewTree
from store.settings import Settings
from tui_orch.tui.dialogs.dialog import Dialog, FixedText, PlainButton, PlainInput, Problem
from tui_orch.tui.dialogs.plain_area import PlainArea
from tui_orch.tui.dialogs.request_draft import (
    KINDS,
    NAMES,
    NUMBERS,
    SPLITS,
    WORKSPACES,
    Draft,
    Reading,
    at_worst,
    becomes,
    is_commands,
    placeholders,
    read,
)

#: A text that is longer is read only when nobody has typed for `PAUSE_S`.
AT_ONCE_CHARS = 8_000
PAUSE_S = 0.3

_SAY = "What is to be done? A numbered list becomes jobs that run side by side."


class NewRequest(Dialog[NewTree]):
    """Writes a request. The tree to insert; None (Esc) for none, what was written then being in ``draft``.

    ``problem`` is what the store said to the last try. ``is_folder`` tells whether a path is one workers can run in.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+s", "submit", "Hand in")]
    DEFAULT_CSS = """
    NewRequest > .dialog--box {
        width: 100%;
        max-width: 110;
        height: 100%;
        max-height: 36;
    }
    NewRequest PlainArea {
        height: 1fr;
        min-height: 3;
        margin: 0;
        padding: 0;
    }
    NewRequest Grid {
        grid-size: 6;
        grid-columns: 13 1fr 13 1fr 12 1fr;
        grid-rows: 1;
        height: 3;
        margin-top: 1;
    }
    NewRequest Grid Static, NewRequest Horizontal Static {
        height: 1;
        text-wrap: nowrap;
    }
    NewRequest Grid PlainInput, NewRequest Grid Select {
        margin-right: 1;
    }
    NewRequest .-tools {
        height: 1;
    }
    NewRequest .-tools Static {
        width: 14;
    }
    NewRequest .-tools PlainInput {
        width: 1fr;
    }
    NewRequest #estimate {
        height: 2;
        margin-top: 1;
    }
    """
    AUTO_FOCUS = "PlainArea"

    def __init__(
        self,
        settings: Settings,
        work_dir: Path,
        *,
        draft: Draft | None = None,
        problem: str = "",
        is_folder: Callable[[Path], bool] = Path.is_dir,
    ) -> None:
        super().__init__("New request")
        self._settings = settings
        self._work_dir = work_dir
        self._text = "" if draft is None else draft.text
        self._fields = dict.fromkeys(NAMES, "") | dict(draft.fields if draft else {})
        self._problem = problem
        self._is_folder = is_folder
        self._later: Timer | None = None

    @property
    def draft(self) -> Draft:
        """What stands in the editor and the fields: to open the dialog with again."""
        return Draft(self._text, dict(self._fields))

    def body(self) -> ComposeResult:
        """See `Dialog.body`."""
        empty = placeholders(self._settings)
        yield PlainArea(self._text, id="text", placeholder=_SAY)
        with Grid():
            for name in (*NUMBERS[:3], NUMBERS[3], "timeout", "budget_usd"):
                yield FixedText(name)
                yield PlainInput(self._fields[name], id=name, placeholder=empty[name], replaced=True)
            for name, words, first in self._choices():
                yield FixedText(name)
                yield _select(name, words, first, self._fields[name])
        with Horizontal(classes="-tools"):
            yield FixedText("allowed_tools")
            yield PlainInput(self._fields["allowed_tools"], id="allowed_tools", placeholder=empty["allowed_tools"])
        yield FixedText(id="estimate")
        yield Problem()
        with Horizontal(classes="dialog--buttons"):
            yield PlainButton("Hand in (^s)", id="submit", variant="primary")
            yield PlainButton("Leave (Esc)", id="leave")

    def on_mount(self) -> None:
        """Say what it comes to before anything is written."""
        self._tell(self._read())

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Say what it comes to now."""
        if event.text_area.text != self._text:
            self._text = event.text_area.text
            self._changed()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what it comes to now."""
        self._field(event.input.id or "", event.value)

    def on_select_changed(self, event: Select.Changed) -> None:
        """Say what it comes to now."""
        self._field(event.select.id or "", str(event.value))

    def on_input_submitted(self) -> None:
        """Hand in."""
        self.action_submit()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Hand in or leave."""
        if event.button.id == "submit":
            self.action_submit()
        else:
            self.action_close()

    def action_submit(self) -> None:
        """Answer with the tree; stay while something is wrong."""
        found = self._read()
        if found.new is not None and not self._is_folder(Path(found.new.work_dir)):
            self.query_one(Problem).tell(
                f"work_dir {found.new.work_dir} is no folder; workers run in one that is there"
            )
        elif found.new is not None:
            self.dismiss(found.new)
        else:
            self.query_one(Problem).tell(found.problem)

    def _choices(self) -> tuple[tuple[str, tuple[str, ...], str], ...]:
        """Return each field with its words, and the one that holds where none is chosen."""
        return (
            ("kind", KINDS, KINDS[0]),
            ("split", SPLITS, SPLITS[0]),
            ("workspace", WORKSPACES, self._settings.workspace),
        )

    def _field(self, name: str, value: str) -> None:
        if self._fields.get(name) != value:
            self._fields[name] = value
            self._changed()

    def _changed(self) -> None:
        self._problem = ""
        if self._later is not None:
            self._later.stop()
            self._later = None
        if len(self._text) > AT_ONCE_CHARS:
            self._later = self.set_timer(PAUSE_S, lambda: self._tell(self._read()))
        else:
            self._tell(self._read())

    def _read(self) -> Reading:
        return read(self.draft, self._settings, self._work_dir)

    def _tell(self, found: Reading) -> None:
        start = Content.styled(becomes(found.new), "bold") if found.new else Content("nothing yet")
        commands = found.new is not None and is_commands(found.new)
        worst = "" if found.worst is None else f"; at worst {at_worst(found.worst, commands=commands)}"
        self.query_one("#estimate", FixedText).tell(start + worst)
        unwritten = not self._text.strip() and found.worst is not None  # an empty editor is no mistake yet
        self.query_one(Problem).tell(self._problem or ("" if unwritten else found.problem))


def _select(name: str, words: tuple[str, ...], first: str, value: str) -> Select[str]:
    options = [(f"({first})", ""), *((word, word) for word in words)]
    return Select(options, value=value, allow_blank=False, id=name, compact=True)
