"""A field of some lines of plain text, apart from the other fields: Textual's own takes 1.5 MB, and one dialog has it."""

from textual import events
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from tui_orch.tui.dialogs.dialog import typed
from tui_orch.tui.key_order import do_in_order


class PlainArea(TextArea):
    """Some lines to type in that keep control characters out; Tab goes on to the next field."""

    def __init__(self, text: str = "", *, id: str, placeholder: str = "") -> None:  # noqa: A002 - Textual's word
        super().__init__(
            typed(text), id=id, compact=True, soft_wrap=True, tab_behavior="focus", placeholder=placeholder
        )
        self.cursor_blink = False

    def edit(self, edit: Edit) -> EditResult:
        """Make a change of the text, of plain text alone."""
        edit.text = typed(edit.text)
        return super().edit(edit)

    async def on_key(self, event: events.Key) -> None:
        """See `do_in_order`."""
        await do_in_order(self, event)
