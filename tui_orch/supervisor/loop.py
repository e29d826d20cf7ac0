"""The supervisor's loop, which is a table of contents:

1. bury    the workers that have ended
2. read    the store and the processes, as one snapshot
3. plan    a pure function: what follows from it
4. act     one thing after the other; then again from 1, until nothing follows any more
5. sleep   until the store changes, a worker ends, or a time comes that the plan has named

It keeps nothing that can not be found again: killed at any line, the next supervisor goes on from the store and the locks.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace

import psutil

from store import queue
from store.clock_jump import move_due_times
from store.database import Reader, Store
from store.errors import StoreDamaged, StoreUnusable
from store.queue import QueuedTree
from store.settings import Settings, get_settings
from store.states import Kind
from store.tree import store_state
from store.workspaces import on_disk
from tui_orch.client.watch import StoreWatch
from tui_orch.supervisor.actions import Actions, launched
from tui_orch.supervisor.clock import JumpWatch
from tui_orch.supervisor.launcher import Handle, Launcher
from tui_orch.supervisor.ownership import say_held
from tui_orch.supervisor.plan import Action, Launch, Plan, plan
from tui_orch.supervisor.snapshot import Snapshot
from tui_orch.supervisor.workers import Workers

log = logging.getLogger("tui_orch.supervisor")

#: With a worker alive that has no descriptor to wait on (its lock is held, but it could not be adopted yet).
BLIND_LOOK_S = 0.2
#: With something planned that could not be done yet.
REFUSED_LOOK_S = 0.05
LONGEST_SLEEP_S = 3_600.0
#: With a store that can not be used now: locked by somebody, a full disk.
TROUBLE_LOOK_S = 1.0


def wall_clock_ms() -> int:
    """Return the time in ms since 1970, UTC."""
    return time.time_ns() // 1_000_000


class Supervisor:
    """Looks after one store until it is stopped, or until nothing has been left to do for a while."""

    def __init__(
        self,
        store: Store,
        launcher: Launcher,
        *,
        exit_when_idle_s: float | None = None,
        clock_ms: Callable[[], int] = wall_clock_ms,
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        store.pokes = False
        self._clock_ms = clock_ms
        self._jumps = JumpWatch(clock_ms, steady_s)
        self._to_move_ms = 0
        self._trouble: str | None = None
        self._exit_when_idle_s = exit_when_idle_s
        self._idle_since: float | None = None
        self._watch: StoreWatch | None = None
        self._stopping = False
        self._schema_version: int | None = None
        self._schema_seen: int | None = None
        self._schema_broken: list[str] = []
        self._held: str | None = None
        self._short_of_worktrees = False
        self._workers = Workers(launcher, self._watch_process, self._unwatch_process)
        self._launcher = launcher
        self._actions = Actions(store, launcher, self._workers, clock_ms)

    def stop(self) -> None:
        """End the loop soon. Workers go on; the next supervisor finds them."""
        self._stopping = True
        self._wake()

    async def run(self) -> None:
        """Supervise. Raises StoreDamaged; a store that is locked or has no room is tried again until it has."""
        async with StoreWatch(self._store.home, self._store.data_version, listen=True) as watch:
            self._watch = watch
            for trouble in (watch.deaf, watch.blind):
                if trouble:
                    log.warning("waking up by a slower way: %s", trouble)
            while not self._stopping:
                try:
                    wake_s = self._settle_down()
                    if self._is_idle_for_long(wake_s):
                        log.info("nothing left to do for %g s: ending", self._exit_when_idle_s)
                        return
                    self._tell_trouble(None)
                except StoreDamaged as error:
                    log.error("ending; workers go on: %s", error)
                    raise
                except StoreUnusable as error:
                    self._tell_trouble(str(error))
                    wake_s = TROUBLE_LOOK_S
                await self._sleep(watch, wake_s)

    def _tell_trouble(self, trouble: str | None) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            log.error("waiting for the store: %s", trouble) if trouble else log.info("the store can be used again")

    def _heed_clock(self) -> None:
        """Move what is due where somebody has set the clock, before anything is found to be late."""
        jump_ms = self._jumps.jumped_ms()
        if jump_ms:
            self._workers.clock_was_set(jump_ms)
        self._to_move_ms += jump_ms
        if not self._to_move_ms:
            return
        with self._store.write() as tx:
            moved = move_due_times(tx, self._to_move_ms, self._clock_ms())
        log.warning(
            "the clock was set by %+d s; what is due for %d jobs moves with it", self._to_move_ms // 1000, moved
        )
        self._to_move_ms = 0

    def _settle_down(self) -> float:
        """Plan and act until nothing follows any more. Return the longest time to sleep (s)."""
        done: tuple[Action, ...] = ()
        while True:
            self._bury()
            now_ms = self._clock_ms()
            self._heed_clock()  # after the look at the clock: a clock set in between makes nothing late
            snapshot, planned = self._take_in_and_plan(now_ms) or self._plan(now_ms)
            if not planned.actions or planned.actions == done or self._stopping:
                break
            self._actions.carry_out(planned.actions)
            done = planned.actions
        self._note_claims()
        sleep_s = LONGEST_SLEEP_S if planned.wake_ms is None else max(0.0, (planned.wake_ms - now_ms) / 1000)
        if planned.actions:  # carried out, but to no effect: the store refused, or a process is not quite gone
            sleep_s = min(sleep_s, REFUSED_LOOK_S)
        sleep_s = min(sleep_s, max(0.0, self._actions.starting.claims_wait_s()))
        if snapshot.queued and self._launcher.holds_back() is not None:
            sleep_s = min(sleep_s, TROUBLE_LOOK_S)  # nobody tells when it does not any more
        if any(worker.alive and not self._workers.is_known_job(worker.job) for worker in snapshot.workers):
            sleep_s = min(sleep_s, BLIND_LOOK_S)
        return sleep_s

    def _bury(self) -> None:
        for ended in self._workers.collect_ended():
            log.info("#%d.%d: process ended, code %s", ended.fence.job_id, ended.fence.attempt, ended.exit_code)
            if ended.exit_code != 0:
                self._launcher.end_leftovers(ended.fence.job_id, ended.fence.attempt)
            elif ended.was_brief:
                self._actions.starting.find_left(ended.fence)

    def _plan(self, now_ms: int) -> tuple[Snapshot, Plan]:
        with self._store.read() as reader:
            snapshot = self._snapshot(reader, now_ms)
        return snapshot, plan(now_ms, snapshot)

    def _take_in_and_plan(self, now_ms: int) -> tuple[Snapshot, Plan] | None:
        """Record what brief workers left, plan, and start what follows, in one transaction; None if there is nothing of it.

        Not where workers are to be stopped: that must not wait for a store that can not be written.
        """
        starting = self._actions.starting
        if not starting.any_left:
            return None
        with self._store.read() as reader:
            if queue.any_to_stop(reader):
                starting.drop_left()  # it is taken in like that of any worker that is gone
                return None
        with self._store.write() as tx:
            noted = starting.note_claims(tx)
            starting.take_in(tx)
            snapshot = self._snapshot(tx, now_ms)
            planned = plan(now_ms, snapshot)
            prepared = [] if self._stopping else starting.prepare(tx, launched(planned.actions))
        starting.claims_are_noted(noted)
        all_started = starting.start(prepared)
        if not all_started:
            return None
        started = {each.job.id for each in prepared}
        others = (action for action in planned.actions if not (isinstance(action, Launch) and action.job_id in started))
        return snapshot, replace(planned, actions=tuple(others))

    def _note_claims(self) -> None:
        """Tell the store who works, where no other transaction has done so meanwhile."""
        if self._actions.starting.claims_wait_s() <= 0:
            with self._store.write() as tx:
                noted = self._actions.starting.note_claims(tx)
            self._actions.starting.claims_are_noted(noted)

    def _snapshot(self, reader: Reader, now_ms: int) -> Snapshot:
        self._check_schema()  # of this very moment: what is read next obeyed, or did not obey, these rules
        settings = get_settings(reader)
        workers, lingering = self._workers.view(queue.running_jobs(reader), now_ms)
        queued = tuple(queue.queued_trees(reader, now_ms, settings.slots))
        return Snapshot(
            slots=settings.slots,
            grace_ms=round(settings.grace_s * 1000),
            free_memory_mb=_free_memory_mb(queued),
            min_free_memory_mb=settings.min_free_memory_mb,
            held=self._why_held(reader, now_ms),
            queued=queued,
            workers=workers,
            lingering=lingering,
            overdue=tuple(queue.overdue_jobs(reader, now_ms)),
            to_settle=tuple(queue.jobs_to_settle(reader)),
            next_time_ms=queue.next_time_ms(reader, now_ms),
            worktrees_left=self._worktrees_left(reader, settings, queued),
        )

    def _worktrees_left(self, reader: Reader, settings: Settings, queued: tuple[QueuedTree, ...]) -> int | None:
        """Return how many more worktrees may be made; None where nobody wants one."""
        if not any(job.needs_worktree for tree in queued for job in tree.queued):
            return None
        used = on_disk(reader)
        full = settings.worktrees_mb and used.size_bytes >= settings.worktrees_mb * 1e6
        left = 0 if full else settings.max_worktrees - used.number
        if left <= 0 and not self._short_of_worktrees:
            log.warning("%d worktrees are on disk, as many as the settings allow; see: orch gc", used.number)
        self._short_of_worktrees = left <= 0
        return left

    def _why_held(self, reader: Reader, now_ms: int) -> str | None:
        state = store_state(reader)
        held = None
        if self._schema_broken:
            held = f"the schema is not as it was shipped ({'; '.join(self._schema_broken[:3])}); see: orch doctor"
        elif state.paused_ms is not None:
            held = state.brake_reason or "the store is paused; go on with: orch resume"
        elif state.brake_until_ms is not None and state.brake_until_ms > now_ms:
            held = f"{state.brake_reason}"
        else:
            held = self._launcher.holds_back()
        if held != self._held:
            self._held = held
            log.warning("nothing new starts: %s", held) if held else log.info("starting again")
            try:
                say_held(self._store.home, held)
            except OSError as error:
                log.warning("the supervisor's note does not say so: %s", error)
        return held

    def _check_schema(self) -> None:
        """Compare the rules in the file with ours whenever someone has run DDL: what is not ours is not obeyed."""
        commits = self._store.data_version()
        if commits == self._schema_seen:
            return  # only we have written since, and we run none
        self._schema_seen = commits
        version = self._store.schema_version()
        if version != self._schema_version:
            self._schema_version = version
            self._schema_broken = self._store.schema_differences()

    def _is_idle_for_long(self, wake_s: float) -> bool:
        if self._exit_when_idle_s is None:
            return False
        with self._store.read() as reader:
            busy = queue.has_open_jobs(reader)
        now = time.monotonic()
        if busy or self._workers.any_left():
            self._idle_since = None
            return False
        self._idle_since = now if self._idle_since is None else self._idle_since
        return now - self._idle_since >= self._exit_when_idle_s

    async def _sleep(self, watch: StoreWatch, wake_s: float) -> None:
        if self._idle_since is not None and self._exit_when_idle_s is not None:
            wake_s = min(wake_s, self._exit_when_idle_s)
        try:
            await watch.changed(wake_s)
        except StoreUnusable:  # found and told by whoever reads it next
            await asyncio.sleep(min(wake_s, TROUBLE_LOOK_S))

    def _wake(self) -> None:
        if self._watch is not None:
            self._watch.interrupt()

    def _watch_process(self, handle: Handle) -> None:
        asyncio.get_running_loop().add_reader(handle.fileno(), self._wake)

    def _unwatch_process(self, handle: Handle) -> None:
        asyncio.get_running_loop().remove_reader(handle.fileno())


def _free_memory_mb(queued: tuple[QueuedTree, ...]) -> int:
    """Return how much memory is free, where anybody wants to know."""
    if not any(job.kind is Kind.CLAUDE for tree in queued for job in tree.queued):
        return 0
    return int(psutil.virtual_memory().available) // 1_048_576
