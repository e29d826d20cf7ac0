"""How long to pause before a server that does not answer is asked again, and when to give up.

Pure but for the clock and the dice that it is given. Pauses double up to a longest one, and none is quite like the
other, so that a server which comes back is not met by all its clients at once.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from tui_orch.client.api_errors import OrchestratorUnavailable, TryAgain

#: Seconds without any answer after which a caller gives up, unless it says otherwise.
PATIENCE_S = 60.0
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 3.0
#: The longest pause that a server may ask for (Retry-After), in seconds.
LONGEST_ASKED_S = 30.0
#: Seconds without trouble after which the pauses begin short again.
CALM_S = 10.0


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a caller stays without a server, by which clock (seconds), with which dice (0 to 1)."""

    patience_s: float = PATIENCE_S
    clock: Callable[[], float] = time.monotonic
    dice: Callable[[], float] = random.random


class Backoff:
    """The trouble of one call or one stream: since when there is any, and how often it came."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._since: float | None = None
        self._last = float("-inf")
        self._times = 0

    def fine(self) -> None:
        """The server has answered: patience begins anew with the next trouble."""
        self._since = None

    def pause_s(self, trouble: TryAgain) -> float:
        """Return how many seconds to pause after ``trouble``. Raises OrchestratorUnavailable when patience is over."""
        now = self._terms.clock()
        if self._since is None:
            self._since = now
            if now - self._last > CALM_S:
                self._times = 0
        self._last = now
        left_s = self._since + self._terms.patience_s - now
        if left_s <= 0:
            raise OrchestratorUnavailable(self._gave_up(trouble))
        # Half of it at least: a pause of nothing would be no pause.
        pause_s = min(FIRST_PAUSE_S * float(2**self._times), LONGEST_PAUSE_S) * (0.5 + self._terms.dice() / 2)
        self._times = min(self._times + 1, 16)
        if trouble.after_s is not None:
            pause_s += min(trouble.after_s, LONGEST_ASKED_S)
        return min(pause_s, left_s)

    def _gave_up(self, trouble: TryAgain) -> str:
        if trouble.is_there:
            return f"no answer for {self._terms.patience_s:g} s: {trouble.why}; see what the server says, and try again"
        return (
            f"no orch server for {self._terms.patience_s:g} s: {trouble.why}; "
            "start it in the project's folder with: orch serve"
        )
