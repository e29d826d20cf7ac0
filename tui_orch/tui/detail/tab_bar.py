"""The line with the names of the tabs. A click opens one; the keys are the pane's."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui_orch.tui.detail.tabs import Tab

_GAP = 2
_ACTIVE, _OTHER = "bold reverse", "$text-muted"


class TabBar(Static):
    """Shows which tab is open. Posts ``TabBar.Clicked``."""

    DEFAULT_CSS = """
    TabBar {
        height: 1;
        padding: 0 1;
        text-wrap: nowrap;
    }
    """

    class Clicked(Message):
        """The name of a tab was clicked."""

        def __init__(self, tab: Tab) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, tabs: Sequence[Tab]) -> None:
        super().__init__(markup=False)
        self._tabs = tuple(tabs)

    def show(self, active: Tab) -> None:
        """Mark a tab as the open one."""
        parts: list[str | tuple[str, str]] = []
        for tab in self._tabs:
            parts += [(f" {tab.title} ", _ACTIVE if tab is active else _OTHER), " " * (_GAP - 1)]
        self.update(Content.assemble(*parts))

    def tab_at(self, x: int) -> Tab | None:
        """Return the tab whose name stands in a cell."""
        start = 0
        for tab in self._tabs:
            end = start + cell_len(tab.title) + 2
            if start <= x < end:
                return tab
            start = end + _GAP - 1
        return None

    def on_click(self, event: events.Click) -> None:
        """Open what was clicked."""
        offset = event.get_content_offset(self)
        tab = None if offset is None else self.tab_at(offset.x)
        if tab is not None:
            self.post_message(self.Clicked(tab))
