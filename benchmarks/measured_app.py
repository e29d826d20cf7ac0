"""The real app with ears: `OrchApp` as ``orch`` starts it, in whatever terminal this process has."""

from ears import Ears

from store.home import Home
from tui_orch.client.measures import now_ms
from tui_orch.supervisor.ownership import holder
from tui_orch.tui.access import LocalAccess
from tui_orch.tui.app import OrchApp, Outside


class MeasuredApp(Ears, OrchApp):
    """The app as ``orch`` starts it."""

    def __init__(self, home: Home, begin_s: float) -> None:
        self.begin_s, self.home = begin_s, home
        outside = Outside(now_ms, lambda: holder(home) is not None, lambda: None, {})
        super().__init__(LocalAccess(home, now_ms), outside)
