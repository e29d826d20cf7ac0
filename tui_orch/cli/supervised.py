"""Sees to it that a supervisor looks after the store, or says that none does."""

import time

from store.home import Home
from tui_orch.cli.exits import tell
from tui_orch.supervisor.ownership import SupervisorError, holder

#: A supervisor that nobody asked for ends after so many seconds without work.
EXIT_WHEN_IDLE_S = 60.0
_LOOK_EVERY_S = 1.0


class Supervised:
    """Keeps a supervisor running for as long as somebody waits for a tree; called again and again."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._looked_at = float("-inf")

    def __call__(self) -> None:
        """Start a supervisor if there is none. Raises SupervisorError."""
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = now
            ensure(self._home)


def ensure(home: Home) -> None:
    """Start a supervisor that ends by itself, unless there is one. Raises SupervisorError."""
    if holder(home) is None:
        from tui_orch.supervisor.daemon import start_background  # noqa: PLC0415 - seldom needed

        start_background(home, exit_when_idle_s=EXIT_WHEN_IDLE_S)


def hint(home: Home) -> None:
    """Say so where no supervisor looks after the store."""
    if holder(home) is None:
        tell("no supervisor runs, so nothing goes on; start one with: orch up")


__all__ = ["EXIT_WHEN_IDLE_S", "Supervised", "SupervisorError", "ensure", "hint"]
