"""The form of a tree's limits: each with what is used of it and what the new value would allow, as one types.

What is allowed is in `limit_fields`; to store it is the app's.
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Grid, Horizontal
from textual.widgets import Button, Input, Static

from store.models import Limits, Tree
from store.use import TreeUse
from tui_orch.tui.dialogs.dialog import Dialog, FixedText, PlainButton, PlainInput, Problem
from tui_orch.tui.dialogs.limit_fields import FIELDS, Form, LimitField, Verdict, verdict


class LimitsForm(Dialog[Limits]):
    """Changes the limits of a tree. The changed ones (the others None); None (Esc) for no change.

    ``problem`` is what the store said to the last try; ``typed`` what the fields held then, by name.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("ctrl+s", "save", "Save"),
        ("up", "app.focus_previous", "Previous"),
        ("down", "app.focus_next", "Next"),
    ]
    DEFAULT_CSS = """
    LimitsForm > .dialog--box {
        width: 80;
    }
    LimitsForm Grid {
        grid-size: 4;
        grid-columns: 13 18 13 1fr;
        grid-rows: 1;
        height: auto;
        margin-top: 1;
    }
    LimitsForm Grid Static {
        height: 1;
        padding-left: 1;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    LimitsForm Grid .-name {
        padding: 0;
    }
    LimitsForm Grid .-wrong {
        color: $text-error;
    }
    """
    AUTO_FOCUS = "Input"

    def __init__(
        self,
        tree: Tree,
        use: TreeUse,
        workers_ceiling: int,
        *,
        typed: dict[str, str] | None = None,
        problem: str = "",
    ) -> None:
        super().__init__(f"Limits of tree #{tree.root_id}")
        self._form = Form(tree, use, workers_ceiling)
        self._typed = {field.name: field.write(tree) for field in FIELDS} | (typed or {})
        self._problem = problem

    @property
    def typed(self) -> dict[str, str]:
        """What the fields hold, by name: to open the form with again when the store refuses."""
        return dict(self._typed)

    def body(self) -> ComposeResult:
        """See `Dialog.body`."""
        with Grid():
            for field in FIELDS:
                yield FixedText(field.name, classes="-name")
                yield PlainInput(self._typed[field.name], id=field.name, placeholder="none", replaced=True)
                yield FixedText(field.used(self._form))
                yield FixedText(id=f"allows-{field.name}")
        yield Problem()
        yield Static(
            "Enter saves, what runs heeds it at once; Esc leaves all as it is", classes="dialog--hint", markup=False
        )
        with Horizontal(classes="dialog--buttons"):
            yield PlainButton("Save", id="save", variant="primary")
            yield PlainButton("Leave", id="leave")

    def on_mount(self) -> None:
        """Say what the values allow."""
        self._tell(self._verdict())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what the new value would allow."""
        name = event.input.id or ""
        if self._typed[name] != event.value:
            self._typed[name] = event.value
            self._problem = ""
        self._tell(self._verdict())

    def on_input_submitted(self) -> None:
        """Save."""
        self.action_save()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Save or leave."""
        if event.button.id == "save":
            self.action_save()
        else:
            self.action_close()

    def action_save(self) -> None:
        """Answer with what has changed; stay while something is wrong."""
        found = self._verdict()
        if found.problems:
            self.query_one(f"#{next(iter(found.problems))}", Input).focus()
        else:
            self.dismiss(found.limits if found.changes else None)

    def _verdict(self) -> Verdict:
        return verdict(self._form, self._typed)

    def _tell(self, found: Verdict) -> None:
        for field in FIELDS:
            line = self.query_one(f"#allows-{field.name}", FixedText)
            wrong = field.name in found.problems
            line.set_class(wrong, "-wrong")
            line.tell("✘ not allowed" if wrong else self._allowed(field, found))
        wrong_ones = [f"{name}: {why}" for name, why in found.problems.items()]
        self.query_one(Problem).tell(wrong_ones[0] if wrong_ones else self._problem)

    def _allowed(self, field: LimitField, found: Verdict) -> str:
        if field.name in found.changes:
            return f"→ {field.allows(found.changes[field.name], self._form)}"
        return f"  {field.allows(getattr(self._form.tree, field.name), self._form)}"
