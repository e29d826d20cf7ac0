"""Tells a person who looks elsewhere that a worker asks: not at all, by the bell, or by the terminal's own notification.

What goes to the terminal is put together from constants and one number; nothing that a worker wrote is ever in it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from textual.app import App


class Notice(StrEnum):
    """How a new ask is told."""

    OFF = "off"
    BELL = "bell"
    NOTIFICATION = "notification"


WORDS = {
    Notice.OFF: "nothing; the header shows it",
    Notice.BELL: "the terminal's bell",
    Notice.NOTIFICATION: "the terminal's own notification",
}
#: Milliseconds within which a second one is not told: forty workers may ask at once.
APART_MS = 5_000

_BELL = "\x07"
_END = "\x1b\\"
#: Terminals that know OSC 777 with title and text, and not OSC 9, by what their TERM begins with.
_OSC_777 = ("rxvt", "foot")


def sequence(notice: Notice, asks: int, environ: Mapping[str, str]) -> str:
    """Return what to send to the terminal for so many open asks.

    Within tmux and screen, which keep notifications to themselves, a notification is the bell that they pass on.
    """
    if notice is Notice.OFF or asks <= 0:
        return ""
    if notice is Notice.BELL or "TMUX" in environ or "STY" in environ:
        return _BELL
    said = "1 ask waits for an answer" if asks == 1 else f"{asks} asks wait for an answer"
    if environ.get("TERM", "").startswith(_OSC_777) or "VTE_VERSION" in environ:
        return f"\x1b]777;notify;tui-orch;{said}{_END}"
    return f"\x1b]9;tui-orch: {said}{_END}"


class AskTeller:
    """Remembers how many asks were open, and says when there is something to tell."""

    def __init__(self) -> None:
        self._open: int | None = None
        self._told_ms: int | None = None

    def news(self, open_asks: int, now_ms: int) -> bool:
        """Tell whether asks came since the last call, and it is time to say so. The first call only looks."""
        before, self._open = self._open, open_asks
        if before is None or open_asks <= before:
            return False
        if self._told_ms is not None and now_ms - self._told_ms < APART_MS:
            return False
        self._told_ms = now_ms
        return True


def tell(app: App[Any], notice: Notice, asks: int, environ: Mapping[str, str]) -> None:
    """Send it to the terminal behind what is being drawn. To be called in the app's own thread."""
    text = sequence(notice, asks, environ)
    if text == _BELL:
        app.bell()
    elif text and not app.is_headless and app._driver is not None:
        # Textual has a method for the bell alone; its driver queues whole strings, so nothing is torn.
        app._driver.write(text)
