"""Holds frames back while the terminal takes no more, so that a slow link never blocks the screen or a key.

Textual queues 30 writes for a thread and then blocks its loop, and what is queued is shown seconds late. Here a frame
that can not be sent now is not made: when the terminal is ready again, one frame brings it up to date. Whether it is
ready is what `poll` says of its descriptor. Uses two public parts of Textual: `App.batch_update`, under which nothing is
drawn, and `App.post_display_hook`.
"""

import select
import sys
from collections.abc import Callable
from contextlib import ExitStack

from textual.app import App
from textual.timer import Timer

#: Seconds until the first look at a terminal that is not ready, and between later ones: most take a frame in a moment,
#: and what changes in that moment is not to wait for long.
FIRST_LOOK_S = 0.002
LOOK_S = 0.02


def terminal_ready() -> bool:
    """Tell whether the terminal that Textual draws on (standard error) takes more now; True where there is none."""
    try:
        poll = select.poll()
        poll.register(sys.__stderr__.fileno() if sys.__stderr__ else -1, select.POLLOUT)
        return bool(poll.poll(0))
    except (OSError, ValueError):
        return True


class Pacer:
    """``after_frame`` is to be called from the app's ``post_display_hook``."""

    def __init__(self, app: App[None], ready: Callable[[], bool] = terminal_ready) -> None:
        self._app = app
        self._ready = ready
        self._held: ExitStack | None = None
        self._timer: Timer | None = None

    @property
    def is_holding(self) -> bool:
        """Whether frames are held back now."""
        return self._held is not None

    def after_frame(self) -> None:
        """Hold the next frame back if the terminal is not ready for it."""
        if self._held is None and self._app.is_running and not self._app.is_headless and not self._ready():
            self._held = ExitStack()
            self._held.enter_context(self._app.batch_update())
            self._look_in(FIRST_LOOK_S)

    def release(self) -> None:
        """Let frames through again; to be called when the app ends, too."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self._held is not None:
            self._held.close()
            self._held = None
            if self._app.is_running:
                self._app.screen.check_idle()

    def _look_in(self, wait_s: float) -> None:
        self._timer = self._app.set_timer(wait_s, lambda: self._look(wait_s), name="slow terminal")

    def _look(self, waited_s: float) -> None:
        if self._ready():
            self.release()
        elif self._held is not None:
            self._look_in(min(2 * waited_s, LOOK_S))
