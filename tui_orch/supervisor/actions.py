"""Carries out what was planned, each action in a transaction of its own. Decides nothing but whether it still holds.

Between the plan and here the store may have changed; then the store refuses, and the next plan knows better.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from store import brake, control, finish
from store.claim import grant_slot, note_claim
from store.database import Store, Transaction
from store.errors import BadInput, LimitExceeded, Refused, StaleAttempt, StoreFull
from store.leases import lease_until_ms
from store.models import Fence, Outcome
from store.states import Reason, Status
from store.submit import expand_group
from store.tree import get_job
from tui_orch.request.errors import RequestError
from tui_orch.request.group import group_items
from tui_orch.supervisor.launcher import Launcher
from tui_orch.supervisor.plan import Action, Expand, Expire, GiveUp, Grant, Launch, Settle, Stop
from tui_orch.supervisor.starting import Starting
from tui_orch.supervisor.workers import Workers
from tui_orch.worker.attempt import NO_ROOM
from tui_orch.worker.lock import Standing, holder_pid
from tui_orch.worker.record import Left, left, record_left

_STARTED = "SELECT started_ms, claimed_ms FROM attempts WHERE job_id = ? AND number = ?"

log = logging.getLogger("tui_orch.supervisor")


class Actions:
    """The supervisor's hands."""

    def __init__(self, store: Store, launcher: Launcher, workers: Workers, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._launcher = launcher
        self.starting = Starting(store, launcher, workers, clock_ms)
        self._workers = workers
        self._clock_ms = clock_ms

    def carry_out(self, actions: Sequence[Action]) -> None:
        """Do one thing after the other, starts last and together.

        A refusal by the store is logged: what it was planned on has changed meanwhile.
        """
        for action in actions:
            try:
                self._do(action)
            except (Refused, BadInput) as refused:
                log.info("%s: not any more: %s", action, refused)
        job_ids = launched(actions)
        if job_ids:
            with self._store.write() as tx:
                noted = self.starting.note_claims(tx)
                prepared = self.starting.prepare(tx, job_ids)
            self.starting.claims_are_noted(noted)
            self.starting.start(prepared)

    def _do(self, action: Action) -> None:
        match action:
            case Launch():
                pass  # see `carry_out`
            case GiveUp(job_id, attempt):
                self._give_up(Fence(job_id, attempt))
            case Stop(job_id, attempt, kill):
                log.info("#%d.%d: %s", job_id, attempt, "killed" if kill else "asked to end")
                self._workers.stop(Fence(job_id, attempt), self._clock_ms(), kill=kill)
            case Grant(job_id):
                with self._store.write() as tx:
                    grant_slot(tx, job_id)
            case Expand(job_id):
                self._expand(job_id)
            case Expire(job_id):
                with self._store.write() as tx:
                    stopped = control.expire(tx, job_id, self._clock_ms())
                log.info("#%d: deadline passed; %d ended, %d stopping", job_id, stopped.ended, stopped.stopping)
            case Settle(job_id):
                with self._store.write() as tx:
                    finish.settle(tx, job_id, self._clock_ms())

    def _give_up(self, fence: Fence) -> None:
        """Record the end of an attempt whose worker is gone: what it left in a file, or that it was lost."""
        standing = self._closed_off(fence)
        if standing == "alive":
            return  # it has just begun, or its end is just being seen
        killed = self._launcher.end_leftovers(fence.job_id, fence.attempt)
        found = self._left(fence)
        if found is not None and self._take_in(fence, found, standing):
            log.warning("#%d.%d: worker gone, its outcome was in a file; %d left over", *_named(fence), killed)
            return
        with self._store.write() as tx:
            job = get_job(tx, fence.job_id)
            if job.attempt != fence.attempt or job.status is not Status.RUNNING:
                return
            now_ms = self._clock_ms()
            if (lease_until_ms(tx, fence) or 0) > now_ms:
                return  # it lives on another machine, or may: claimed a moment ago, or before this launcher came
            refused = self._launcher.refusal(fence.job_id, fence.attempt)
            if refused is not None:
                outcome = Outcome(Status.FAILED, Reason.BAD_REQUEST, error=refused, retry=False)
                finish.finish(tx, fence, outcome, now_ms)
                return
            started_ms, claimed_ms = tx.row(_STARTED, (fence.job_id, fence.attempt)) or (now_ms, None)
            lived_ms = self._launcher.lived_ms(fence.job_id, fence.attempt, now_ms - started_ms)
            if job.stop_reason is None and lived_ms is not None:
                folder = self._store.home.attempt_dir(fence.job_id, fence.attempt)
                if brake.crashed(tx, lived_ms, str(folder / "worker.log"), now_ms):
                    log.error("%d workers in a row crashed at once: the store is paused", brake.CRASHES)
            if claimed_ms is None and standing == "begun":
                claimed_ms = now_ms
                self._note_begun(tx, fence, standing)
            if job.stop_reason == Reason.SHUTDOWN or claimed_ms is None:
                # Nobody claimed it, so no process ever worked on it: no try is used up.
                finish.release(tx, fence, Reason.LOST, now_ms)
            else:
                said = f"the worker of attempt {fence.attempt} ended without an outcome"
                finish.finish(tx, fence, Outcome(Status.FAILED, Reason.LOST, error=said), now_ms)
        log.warning("#%d.%d: worker gone, lost; %d left over", *_named(fence), killed)

    def _closed_off(self, fence: Fence) -> Standing:
        try:
            return self._launcher.close_off(fence.job_id, fence.attempt)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise StoreFull(f"{fence}: its lock can not be closed: the disk is full") from error
            log.warning("#%d.%d: its lock can not be closed: %s", fence.job_id, fence.attempt, error)
            return "never"

    def _take_in(self, fence: Fence, found: Left, standing: Standing) -> bool:
        """Record what a worker left in a file; False for what no worker of ours has written so."""
        try:
            with self._store.write() as tx:
                self._note_begun(tx, fence, standing)
                record_left(tx, fence, found, self._clock_ms())
        except (BadInput, TypeError, ValueError, AttributeError, RecursionError) as error:
            log.warning("#%d.%d: what stands in the file is no outcome: %s", *_named(fence), error)
            return False
        return True

    def _note_begun(self, tx: Transaction, fence: Fence, standing: Standing) -> None:
        """Note the claim of a worker that has worked without the store, if nobody has."""
        pid = holder_pid(self._store.home.attempt_dir(fence.job_id, fence.attempt))
        if standing == "begun" and pid is not None:
            with suppress(StaleAttempt):
                note_claim(tx, fence, pid, self._clock_ms())

    def _left(self, fence: Fence) -> Left | None:
        try:
            return left(self._store.home.attempt_dir(fence.job_id, fence.attempt))
        except ValueError as error:
            log.warning("#%d.%d: %s", fence.job_id, fence.attempt, error)
            return None

    def _expand(self, job_id: int) -> None:
        """Give a group its children; one that has no list, or a list beyond a limit, fails."""
        try:
            with self._store.write() as tx:
                expand_group(tx, job_id, group_items(get_job(tx, job_id).request), self._clock_ms())
        except (RequestError, LimitExceeded) as error:
            log.warning("#%d: %s", job_id, error)
            with self._store.write() as tx:
                finish.fail_unstarted(tx, job_id, Reason.BAD_REQUEST, str(error), self._clock_ms())


def launched(actions: Sequence[Action]) -> list[int]:
    """Return the jobs that are to be started."""
    return [action.job_id for action in actions if isinstance(action, Launch)]


def _named(fence: Fence) -> tuple[int, int]:
    return fence.job_id, fence.attempt
