"""Keeps an attempt's lease: renews it in a thread, tells the guard until when it holds, and passes a stop on to the worker.

The end is counted from before the question was sent, so it is never later than the head's.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter

from store.errors import StaleAttempt, StoreError
from tui_orch.worker.remote.api import AttemptApi
from tui_orch.worker.remote.claimed import Renewed

#: How often a lease is renewed while it lasts.
RENEWALS = 6
_RENEWED = TypeAdapter(Renewed)


class Lease:
    """``with Lease(...)`` keeps it. ``until``: told each time (monotonic, s). ``session_id``: the job's, as last heard."""

    def __init__(
        self,
        api: AttemptApi,
        lease_s: float,
        began_at: float,
        until: Callable[[float], None],
        stop: Callable[[], None] | None = None,
    ) -> None:
        self.session_id: str | None = None
        self._api = api
        self._lease_s = lease_s
        self._until = until
        self._stop = stop or _stop_this_process
        self._ended = threading.Event()
        self._asked = False
        self._delivering = False
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        until(began_at + lease_s)

    def __enter__(self) -> "Lease":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._ended.set()

    def deliver_only(self) -> None:
        """Renew it still, but tell nobody its end any more: nothing works that would have to be ended."""
        self._delivering = True

    def renew(self) -> None:
        """Renew it now. Raises StaleAttempt, which ends it, or StoreBusy."""
        try:
            answer, asked_at = self._api.post_timed("/attempt/lease", patience_s=self._lease_s)
        except StaleAttempt:
            self._tell(time.monotonic())
            raise
        told = _RENEWED.validate_python(answer)
        self._tell(asked_at + told.lease_s)
        self.session_id = told.session_id
        if told.stop_reason is not None and not self._asked:
            self._asked = True
            self._stop()

    def _tell(self, until: float) -> None:
        if not self._delivering:
            self._until(until)

    def _keep(self) -> None:
        while not self._ended.wait(self._lease_s / RENEWALS):
            try:
                self.renew()
            except StaleAttempt as stale:
                print(f"stopping: {stale}", file=sys.stderr)
                return
            except StoreError as error:  # tried for as long as it holds; the guard ends all when it does not any more
                print(f"the lease could not be renewed: {error}", file=sys.stderr)


def _stop_this_process() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
