"""Workers on other machines: the launcher over any engine.

Whether a worker lives is told by its lease in the store; the engine only tells when to look. A thread of its own talks to
the engine (``conversation``); here, in the supervisor's thread, nothing waits for it. Nothing in the engine's hands is a
secret but the attempt's claim code, which is good once.
"""

import logging
import os
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from store.home import Home
from store.needs import Needs
from store.states import Kind
from tui_orch.supervisor.engines.conversation import Attempt, Conversation
from tui_orch.supervisor.engines.engine import Engine, EngineJob
from tui_orch.supervisor.engines.lease_clock import LeaseClock
from tui_orch.supervisor.launcher import Handle, LaunchError, Order
from tui_orch.worker.lock import Standing
from tui_orch.worker.remote import CLAIM_CODE
from tui_orch.worker.worker_log import WORKER_LOG, open_worker_log

#: Ends that are remembered, for the questions that follow a burial.
_REMEMBERED = 4_096
#: After a lease's end before it is looked at (s).
_SPARE_S = 0.02

log = logging.getLogger("tui_orch.supervisor")


def engine_name(store_id: str, job_id: int, attempt: int) -> str:
    """Return what the engine calls an attempt."""
    return f"{re.sub(r'[^A-Za-z0-9._-]', '-', store_id)}-{job_id}.{attempt}"


class ClusterLauncher:
    """A launcher; see `launcher.Launcher`. A handle's descriptor becomes readable when the engine has news of an end."""

    def __init__(
        self,
        engine: Engine,
        home: Home,
        store_id: str,
        *,
        url: str,
        lease_until_ms: Callable[[int, int], int | None],
        clock_ms: Callable[[], int] | None = None,
        program: str = "orch",
        needs: Needs | None = None,
        ca_file: str | None = None,
        logs_in_home: bool = False,
    ) -> None:
        """``lease_until_ms`` tells until when an attempt may live by the store (ms), and is asked in the caller's thread.

        ``ca_file``: by which the nodes trust ``url``. ``logs_in_home``: nodes see the store's folder where it is here.
        """
        self._home = home
        self._store_id = store_id
        self._url = url
        self._lease_until_ms = lease_until_ms
        self._clock_ms = clock_ms or LeaseClock()
        self._program = program
        self._needs = needs or Needs()
        self._ca_file = ca_file
        self._logs_in_home = logs_in_home
        self._attempts: dict[int, Attempt] = {}
        self._fds: dict[tuple[int, int], int] = {}
        self._buried: OrderedDict[tuple[int, int], Attempt] = OrderedDict()
        self._talk = Conversation(engine)

    def is_prepared(self, kind: Kind) -> bool:
        """Nothing has to be prepared here."""
        return True

    def start(self, orders: Sequence[Order]) -> list[Handle | LaunchError]:
        """Have the engine asked for workers, soon."""
        return [self._keep(order.job_id, order.attempt, self._engine_job(order)) for order in orders]

    def adopt(self, job_id: int, attempt: int, pid: int | None) -> Handle | None:
        """Look after any attempt, whatever the engine will say of it; None for one whose end was seen here."""
        if (job_id, attempt) in self._buried and not self._is_leased(job_id, attempt):
            return None
        return self._keep(job_id, attempt, None)

    def is_alive(self, job_id: int, attempt: int) -> bool:
        """Tell whether the attempt's worker has to be taken for alive: the engine has told no end, or its lease lasts."""
        fd = self._fds.get((job_id, attempt))
        return self._is_leased(job_id, attempt) if fd is None else not self._has_ended(self._attempts[fd])

    def close_off(self, job_id: int, attempt: int) -> Standing:
        """Tell whether the attempt lives. One that is over in the store can not be claimed: nothing has to be closed."""
        return "alive" if self.is_alive(job_id, attempt) else "never"

    def has_ended(self, handle: Handle) -> bool:
        """Tell whether the engine has told the end, and no lease lasts."""
        return self._has_ended(self._attempts[handle.fd])

    def stop(self, handle: Handle, *, kill: bool) -> None:
        """Have the engine asked to end it. An engine kills by itself what does not end; so does a lease that ends."""
        self._talk.stop(self._attempts[handle.fd])

    def bury(self, handle: Handle) -> int | None:
        """Let go of a worker that has ended. Raises ValueError if it has not."""
        attempt = self._attempts[handle.fd]
        if not self._has_ended(attempt):
            raise ValueError(f"the worker of #{handle.job_id}.{handle.attempt} has not ended")
        self._forget(attempt)
        self._buried[handle.job_id, handle.attempt] = attempt
        if len(self._buried) > _REMEMBERED:
            self._buried.popitem(last=False)
        return attempt.exit_code

    def end_leftovers(self, job_id: int, attempt: int) -> int:
        """Nothing of it is on this machine; on its own, its guard has ended all."""
        return 0

    def holds_back(self) -> str | None:
        """Return why nothing new may start: the engine does not answer."""
        down = self._talk.down
        return None if down is None else f"{down}; nothing new starts until it does"

    def refusal(self, job_id: int, attempt: int) -> str | None:
        """Return why the engine will never run the attempt."""
        found = self._buried.get((job_id, attempt))
        return None if found is None else found.refusal

    def lived_ms(self, job_id: int, attempt: int, at_most_ms: int) -> int | None:
        """Return for how long the engine has seen its program run; None: it never has."""
        found = self._buried.get((job_id, attempt))
        return None if found is None or found.lived_s is None else min(at_most_ms, round(found.lived_s * 1000))

    def close(self) -> None:
        """Ask the engine nothing more. The jobs run on."""
        self._talk.close()
        for attempt in list(self._attempts.values()):
            self._forget(attempt)

    def _engine_job(self, order: Order) -> EngineJob:
        needs = self._needs if order.needs is None else order.needs.over(self._needs)
        which = f"{order.job_id}.{order.attempt}"
        argv = (self._program, "worker", "--url", self._url, "--attempt", which)
        env = {CLAIM_CODE: order.env["ORCH_TOKEN"]}
        if self._ca_file is not None:
            env["SSL_CERT_FILE"] = self._ca_file
        name = engine_name(self._store_id, order.job_id, order.attempt)
        return EngineJob(name, argv, env, needs, self._log_file(order) if self._logs_in_home else None)

    def _log_file(self, order: Order) -> Path | None:
        """Make the log here, where its folder and modes are known; without it, nothing is kept of what a worker prints."""
        try:
            os.close(open_worker_log(self._home, order.job_id, order.attempt))
        except OSError as error:
            log.warning("#%d.%d: without a worker.log: %s", order.job_id, order.attempt, error)
            return None
        return self._home.attempt_dir(order.job_id, order.attempt) / WORKER_LOG

    def _keep(self, job_id: int, number: int, job: EngineJob | None) -> Handle:
        handle = Handle(job_id, number, 0, os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK))
        attempt = Attempt(handle, engine_name(self._store_id, job_id, number), job)
        self._attempts[handle.fd] = attempt
        self._fds[job_id, number] = handle.fd
        self._talk.add(attempt)
        return handle

    def _forget(self, attempt: Attempt) -> None:
        handle = attempt.handle
        self._talk.drop(attempt)  # from here on, nobody writes to the descriptor
        del self._attempts[handle.fd]
        if self._fds.get((handle.job_id, handle.attempt)) == handle.fd:
            del self._fds[handle.job_id, handle.attempt]
        os.close(handle.fd)

    def _has_ended(self, attempt: Attempt) -> bool:
        if not attempt.is_over:
            return False
        until_ms = self._lease_until_ms(attempt.handle.job_id, attempt.handle.attempt)
        left_s = 0.0 if until_ms is None else (until_ms - self._clock_ms()) / 1000
        if left_s <= 0:
            return True
        with suppress(BlockingIOError):
            os.eventfd_read(attempt.handle.fd)
        self._talk.wake_up(attempt, left_s + _SPARE_S)
        return False

    def _is_leased(self, job_id: int, attempt: int) -> bool:
        until_ms = self._lease_until_ms(job_id, attempt)
        return until_ms is not None and until_ms > self._clock_ms()
