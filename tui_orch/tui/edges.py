"""The header and the footer: what they are told, and how often.

Owns both widgets and what only they show: what was spent, whether a supervisor runs, trouble with the store. While much
happens they follow four times a second; what a person does they follow at once. Reads nothing but the spending.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from textual.app import App
from textual.timer import Timer

from store.models import Job
from store.tree import StoreState
from tui_orch.tui.footer import KeyFooter
from tui_orch.tui.header import StoreHeader, Totals
from tui_orch.tui.keys import Hint
from tui_orch.tui.row import Glyphs
from tui_orch.tui.spending import Spending

#: Seconds between two updates at least, where nobody waits for one.
PERIOD_S = 1 / 4
#: Seconds between two looks at whether a supervisor runs.
LOOK_S = 1.0


class Edges:
    """``state``, ``hints`` and ``opening`` (what is still being done before the store can be shown) are asked for."""

    def __init__(
        self,
        app: App[Any],
        spending: Spending,
        *,
        name: str,
        now_ms: Callable[[], int],
        glyphs: Glyphs,
        state: Callable[[], StoreState],
        hints: Callable[[], Sequence[Hint]],
        has_supervisor: Callable[[], bool],
        opening: Callable[[], str | None],
    ) -> None:
        self.header = StoreHeader(now_ms, glyphs=glyphs)
        self.footer = KeyFooter()
        self.trouble: str | None = None
        self._app = app
        self._spending = spending
        self._name = name
        self._state = state
        self._hints = hints
        self._has_supervisor = has_supervisor
        self._opening = opening
        self._seen = (has_supervisor(), opening())
        self._refreshed_at = float("-inf")
        self._later: Timer | None = None

    @property
    def supervisor(self) -> bool:
        """Whether a supervisor ran when it was looked last."""
        return self._seen[0]

    @property
    def are_there(self) -> bool:
        """Whether both are on the screen."""
        return self.header.is_attached and self.footer.is_attached

    def start(self) -> None:
        """Tell what is known, and look at what comes with time."""
        self._look_at_spending()
        self._app.set_interval(LOOK_S, self._look_around)
        self.refresh()

    def changed(self, jobs: Sequence[Job]) -> None:
        """Take in changed jobs (see `JobsChanged`); `refresh_soon` shows them."""
        self._spending.changed(jobs)

    def recovered(self) -> None:
        """The trouble is over, and the store may be another one."""
        self.trouble = None
        self._spending.forget()

    def refresh_soon(self) -> None:
        """Bring both up to date, now or with what else comes in the next moment."""
        wait_s = self._refreshed_at + PERIOD_S - time.monotonic()
        if wait_s <= 0:
            self.refresh()
        elif self._later is None:
            self._later = self._app.set_timer(wait_s, self.refresh, name="header and footer")

    def refresh(self) -> None:
        """Bring both up to date."""
        if self._later is not None:
            self._later.stop()
            self._later = None
        if self.are_there:
            self._refreshed_at = time.monotonic()
            self._refresh_header()
            self.footer.show(self._hints())

    def _refresh_header(self) -> None:
        spending, (supervisor, opening) = self._spending, self._seen
        self.header.show(
            Totals(self._state(), spending.usd, spending.usd_per_minute, supervisor, self._name, self.trouble, opening)
        )

    def _look_around(self) -> None:
        self._seen = (self._has_supervisor(), self._opening())
        self.refresh()  # also for what nobody tells: that a branch was folded

    def _look_at_spending(self) -> None:
        if self.are_there:
            self._app.set_timer(self._spending.read(), self._look_at_spending)
            self._refresh_header()
