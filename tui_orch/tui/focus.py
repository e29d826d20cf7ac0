"""Which part of the screen has the keyboard, told from the widget that has the focus. Changes nothing."""

from textual.widget import Widget
from textual.widgets import Input

from store.models import Job
from store.states import Kind
from tui_orch.tui.detail.find_bar import FindBar
from tui_orch.tui.detail.output_view import OutputView
from tui_orch.tui.pane_keys import Keyboard, Part
from tui_orch.tui.text.view import TextView
from tui_orch.tui.timeline_view import TimelineView


def keyboard(focused: Widget | None, job: Job | None) -> Keyboard:
    """Return where the keyboard is; ``job`` is the one under the cursor."""
    match focused:
        case OutputView() if job is not None and job.kind is not Kind.GROUP:  # which has no output to follow or fold
            return Keyboard(Part.OUTPUT, bool(focused.wanted), job.attempt > 1)
        case TextView():
            return Keyboard(Part.TEXT, bool(focused.wanted))
        case TimelineView():
            return Keyboard(Part.TIMELINE)
        case FindBar():
            return Keyboard(Part.FIND)
        case Input():
            return Keyboard(Part.FILTER)
        case _:
            return Keyboard(Part.TREE)
