"""The one thread that talks to an engine: submits, asks how things are, stops, and notes when the engine does not answer.

It knows no store and decides nothing: an attempt's descriptor is made readable when there is news of its end.
"""

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from tui_orch.supervisor.engines.engine import Engine, EngineDown, EngineJob, EngineRefusal, EngineState
from tui_orch.supervisor.launcher import Handle

#: The first pause with an engine that does not answer, doubled each time, and the longest (s).
RETRY_FIRST_S = 1.0
RETRY_LONGEST_S = 5.0
#: The longest where it answers, but takes no jobs: each time that it is tried costs attempts (s).
REFUSED_LONGEST_S = 60.0
#: Seconds that the end of the thread is waited for; a call may take longer, and is then made to its end, or not.
_CLOSE_S = 2.0

log = logging.getLogger("tui_orch.supervisor")


@dataclass(slots=True, eq=False)
class Attempt:
    """What is known of one attempt. Written by the thread alone, but for what is asked of it."""

    handle: Handle
    name: str
    job: EngineJob | None  # to be submitted; None: the engine knows it, or may
    waits_for: str | None = None  # what the engine last said of one that is pending
    to_stop: bool = False
    was_stopped: bool = False
    seen_at_s: float | None = None  # when the engine first said that it runs (monotonic)
    is_over: bool = False  # as far as the engine knows
    wake_up_at_s: float = math.inf  # when to look at one that is over again (monotonic)
    exit_code: int | None = None
    refusal: str | None = None
    lived_s: float | None = None  # None: the engine has never seen it run


class Conversation:
    """Attempts that the engine is asked about until each is over."""

    def __init__(self, engine: Engine, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock_s = clock_s
        self._changed = threading.Condition()
        self._attempts: list[Attempt] = []
        self._closing = False
        self._down: str | None = None
        self._silences = 0  # looks in a row without an answer
        self._failed_submits = 0  # in a row
        self._next_look_s = 0.0
        self._thread = threading.Thread(target=self._run, name="orch engine", daemon=True)
        self._is_running = False

    @property
    def down(self) -> str | None:
        """Why the engine takes nothing new now."""
        return self._down

    def add(self, attempt: Attempt) -> None:
        """Look after an attempt; it is submitted if it has a job."""
        with self._changed:
            if not self._is_running:
                self._is_running = True
                self._thread.start()
            self._attempts.append(attempt)
            self._next_look_s = min(self._next_look_s, self._clock_s() + self._engine.poll_s)
            self._changed.notify()

    def stop(self, attempt: Attempt) -> None:
        """Have it ended. Without effect on one that is over."""
        with self._changed:
            attempt.to_stop = True
            self._changed.notify()

    def wake_up(self, attempt: Attempt, in_s: float) -> None:
        """Make the descriptor of one that is over readable again then."""
        with self._changed:
            attempt.wake_up_at_s = self._clock_s() + in_s
            self._changed.notify()

    def drop(self, attempt: Attempt) -> None:
        """Never touch its descriptor again."""
        with self._changed:
            self._attempts.remove(attempt)

    def close(self) -> None:
        """Ask nothing more. What was not submitted yet never is."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._is_running:
            self._thread.join(_CLOSE_S)
        if not self._thread.is_alive():
            self._engine.close()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._closing and (wait_s := self._wait_s()) > 0:
                    self._changed.wait(None if wait_s == math.inf else wait_s)
                if self._closing:
                    return
                self._wake_sleepers()
            try:
                self._talk()
            except EngineDown as error:
                self._is_silent(error)
            except Exception as error:
                # An answer that nobody has foreseen must not leave the supervisor without news for good.
                log.exception("%s", self._engine.title)
                self._is_silent(EngineDown(f"{self._engine.title}: {type(error).__name__}: {error}"))

    def _wait_s(self) -> float:
        """Return after how long there is something to do (s); with the lock held."""
        now_s = self._clock_s()
        asleep_s = min((each.wake_up_at_s for each in self._attempts), default=math.inf) - now_s
        open_ = [each for each in self._attempts if not each.is_over]
        if self._down is None and any(each.to_stop or each.job is not None for each in open_):
            return 0.0
        if self._down is not None and any(each.job is not None for each in open_):
            return 0.0  # they are let go at once
        return min(asleep_s, self._next_look_s - now_s if open_ or self._down is not None else math.inf)

    def _wake_sleepers(self) -> None:
        now_s = self._clock_s()
        for each in self._attempts:
            if each.wake_up_at_s <= now_s:
                each.wake_up_at_s = math.inf
                os.eventfd_write(each.handle.fd, 1)

    def _talk(self) -> None:
        """Do one round: stop what is to be stopped, submit one, and ask how things are when it is time for that."""
        open_ = self._open()
        if self._down is not None:
            for each in open_:
                if each.job is not None:
                    self._over(each)  # never sent
            if self._clock_s() >= self._next_look_s:
                self._look()
            return
        self._stop([each for each in open_ if each.to_stop])
        unsent = next((each for each in open_ if each.job is not None and not each.is_over), None)
        if unsent is not None:
            self._submit(unsent)
        if self._clock_s() >= self._next_look_s:
            self._look()

    def _stop(self, attempts: Collection[Attempt]) -> None:
        for each in attempts:
            if each.job is not None:
                self._over(each)
        sent = [each for each in attempts if each.job is None]
        if sent:
            self._engine.stop([each.name for each in sent])
            for each in sent:
                each.to_stop, each.was_stopped = False, True
            self._next_look_s = min(self._next_look_s, self._clock_s() + self._engine.poll_s)

    def _submit(self, attempt: Attempt) -> None:
        job = attempt.job
        assert job is not None
        try:
            self._engine.submit(job)
        except EngineRefusal as refusal:
            log.error("#%d.%d: %s", attempt.handle.job_id, attempt.handle.attempt, refusal)
            self._over(attempt, refusal=str(refusal))
        except EngineDown as error:
            self._is_down(str(error), min(REFUSED_LONGEST_S, RETRY_FIRST_S * 2 ** min(self._failed_submits, 10)))
            self._failed_submits += 1
            if error.in_doubt:  # the next look tells whether it was taken
                attempt.job = None
            else:
                self._over(attempt)
        else:
            attempt.job = None
            self._failed_submits = 0

    def _look(self) -> None:
        known = [each for each in self._open() if each.job is None]
        if not known and self._down is None:
            return
        states = self._engine.poll([each.name for each in known])
        self._next_look_s = self._clock_s() + self._engine.poll_s
        self._silences, self._down = 0, None
        for each in known:
            self._heed(each, states.get(each.name))

    def _heed(self, attempt: Attempt, state: EngineState | None) -> None:
        if state is None:
            self._over(attempt)
            return
        if state.standing == "running" and attempt.seen_at_s is None:
            attempt.seen_at_s = self._clock_s()
        if state.standing in {"ended", "lost"}:
            if state.why is not None:
                about = (attempt.handle.job_id, attempt.handle.attempt)
                log.warning("#%d.%d: %s on %s: %s", *about, state.standing, state.node or "no node", state.why)
            ran = state.standing == "ended" and state.exit_code is not None
            self._over(attempt, exit_code=state.exit_code, ran=ran)
        elif state.standing == "pending" and attempt.was_stopped:
            self._over(attempt)  # an engine may let it wait for its turn; it can not claim any more
        elif state.standing == "pending" and state.why != attempt.waits_for:
            attempt.waits_for = state.why
            log.info("#%d.%d: waits: %s", attempt.handle.job_id, attempt.handle.attempt, state.why)

    def _over(
        self, attempt: Attempt, *, exit_code: int | None = None, refusal: str | None = None, ran: bool = False
    ) -> None:
        with self._changed:
            attempt.exit_code, attempt.refusal = exit_code, refusal
            if attempt.seen_at_s is not None:
                attempt.lived_s = self._clock_s() - attempt.seen_at_s
            elif ran:  # and ended between two looks
                attempt.lived_s = 0.0
            attempt.is_over = True
            if attempt in self._attempts:
                os.eventfd_write(attempt.handle.fd, 1)

    def _is_silent(self, error: EngineDown) -> None:
        self._is_down(str(error), min(RETRY_LONGEST_S, RETRY_FIRST_S * 2 ** min(self._silences, 10)))
        self._silences += 1

    def _is_down(self, why: str, retry_s: float) -> None:
        """Note it before anybody is told of an end: whoever asks then starts nothing new."""
        with self._changed:
            self._down = why
            self._next_look_s = self._clock_s() + retry_s

    def _open(self) -> list[Attempt]:
        with self._changed:
            return [each for each in self._attempts if not each.is_over]
