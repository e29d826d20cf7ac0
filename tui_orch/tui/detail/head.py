"""The line above the tabs: which job it is, its state and its title. Pure."""

from textual.content import Content

from store.closeup import Closeup
from tui_orch.client.text import one_line
from tui_orch.tui.detail.parts import state
from tui_orch.tui.text.line import Tone
from tui_orch.tui.text.signs import signs

_STYLES = {
    Tone.RUNNING: "$text-primary",
    Tone.WAITING: "$text-secondary",
    Tone.COMPLETED: "$text-success",
    Tone.PARTIAL: "$text-warning",
    Tone.FAILED: "bold $text-error",
}


def head(job: Closeup, *, ascii_only: bool) -> Content:
    """Return the line."""
    said = [
        (signs(text, ascii_only=ascii_only), _STYLES.get(tone, "$text-muted"))
        for text, tone in state(job.status, job.reason)
    ]
    return Content.assemble(f"#{job.id} ", *said, f"  {one_line(job.title)}")
