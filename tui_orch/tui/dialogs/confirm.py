"""Asks before something is done that can not be undone: cancelling a subtree. The safe answer has the focus.

To quit asks nothing: closing the screen stops nothing.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Static

from store.models import Job
from store.states import Status
from tui_orch.client.cells import cut
from tui_orch.client.text import one_line
from tui_orch.tui.dialogs.dialog import Dialog, PlainButton

_TITLE_CELLS = 60
_TITLE_CHARS = 600


class Confirm(Dialog[bool]):
    """Asks yes or no. True for yes; False or None (Esc) for no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("y", "yes", "Yes"),
        ("n", "no", "No"),
        ("left", "app.focus_previous", "Previous"),
        ("right", "app.focus_next", "Next"),
    ]
    AUTO_FOCUS = "#no"

    def __init__(self, heading: str, lines: Sequence[str], yes: str, no: str) -> None:
        super().__init__(heading)
        self._lines = lines
        self._yes = yes
        self._no = no

    def body(self) -> ComposeResult:
        """See `Dialog.body`."""
        yield Static(Content("\n".join(one_line(line) for line in self._lines)), markup=False)
        with Horizontal(classes="dialog--buttons"):
            yield PlainButton(f"{self._no} (n)", id="no", variant="primary")
            yield PlainButton(f"{self._yes} (y)", id="yes", variant="error")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer with the button that was chosen."""
        self.dismiss(event.button.id == "yes")

    def action_yes(self) -> None:
        """Do it."""
        self.dismiss(True)

    def action_no(self) -> None:
        """Leave it."""
        self.dismiss(False)


def confirm_cancel(job: Job, counts: Mapping[Status, int]) -> Confirm:
    """Return the question whether to cancel a job; ``counts`` is of its subtree with itself (`store.use.subtree_counts`)."""
    return Confirm(
        f"Cancel #{job.id}?", cancel_lines(job, counts), "Cancel them" if _open(counts) > 1 else "Cancel it", "Keep"
    )


def cancel_lines(job: Job, counts: Mapping[Status, int]) -> list[str]:
    """Return what a cancel would do, in words."""
    many = _open(counts)
    parts = [
        f"{counts[status]:,} {word}"
        for status, word in ((Status.RUNNING, "running"), (Status.QUEUED, "queued"), (Status.WAITING, "waiting"))
        if counts[status]
    ]
    lines = [
        cut(one_line(job.title[:_TITLE_CHARS]), _TITLE_CELLS),
        f"This ends {_jobs(many)} with all that their workers started: {', '.join(parts)}."
        if many
        else "Nothing of it is open any more.",
    ]
    ended = sum(counts.values()) - many
    if ended:
        lines.append(
            "1 job has ended already and stays." if ended == 1 else f"{ended:,} jobs have ended already and stay."
        )
    return [*lines, "A cancelled job can be tried again later with r."]


def _open(counts: Mapping[Status, int]) -> int:
    return counts[Status.RUNNING] + counts[Status.QUEUED] + counts[Status.WAITING]


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"
