"""Starts workers and takes in what brief ones left, many in one transaction: what a commit costs is paid once for all.

A start is in two halves: the attempts are committed, then their processes made. What dies in between has begun nothing.
"""

import logging
import math
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from store import finish
from store.apart import apart
from store.claim import check_place, note_claim, start_placed, token_hash
from store.database import Store, Transaction
from store.errors import BadInput, IllegalChange, Refused, StaleAttempt
from store.models import Fence, Job, Outcome, Tree
from store.settings import get_settings
from store.states import Kind, Reason, Status
from store.tree import get_job, get_tree, needs_in_force
from tui_orch.supervisor.launcher import Launcher, LaunchError, Order
from tui_orch.supervisor.workers import Workers
from tui_orch.worker.brief import Brief, file_identity
from tui_orch.worker.environment import allowed, worker_environment
from tui_orch.worker.failpoint import reach
from tui_orch.worker.record import Left, left, record_left

#: Seconds for which a claim waits for a transaction that is made anyway: a short command's for that of its outcome.
CLAIM_S = 0.02

log = logging.getLogger("tui_orch.supervisor")


@dataclass(frozen=True, slots=True)
class Prepared:
    """An attempt that is committed, and whose worker is to be started."""

    job: Job
    fence: Fence
    order: Order


class Starting:
    """The half of the supervisor's hands that has to be quick."""

    def __init__(self, store: Store, launcher: Launcher, workers: Workers, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._database = file_identity(store.home)
        self._launcher = launcher
        self._workers = workers
        self._clock_ms = clock_ms
        self._allowed: dict[Kind, Mapping[str, str]] = {}
        self._unclaimed: dict[Fence, int] = {}
        self._unclaimed_since = 0.0
        self._left: dict[Fence, Left] = {}

    @property
    def any_left(self) -> bool:
        """Tell whether outcomes wait to be taken in."""
        return bool(self._left)

    def claims_wait_s(self) -> float:
        """Return for how long the claims that the store does not know yet may go on without it (s; inf: there are none)."""
        return self._unclaimed_since + CLAIM_S - time.monotonic() if self._unclaimed else math.inf

    def drop_left(self) -> None:
        """Do not take in what was found: it stays where it is."""
        self._left = {}

    def find_left(self, fence: Fence) -> None:
        """See whether an attempt whose brief worker has ended well left its outcome; if so, it is taken in next."""
        try:
            found = left(self._store.home.attempt_dir(fence.job_id, fence.attempt))
        except ValueError as error:
            log.warning("#%d.%d: %s", fence.job_id, fence.attempt, error)
            return
        if found is not None:
            self._left[fence] = found

    def note_claims(self, tx: Transaction) -> list[Fence]:
        """Tell the store which processes work on the attempts that were started without it; return which it knows then."""
        now_ms = self._clock_ms()
        for fence, pid in self._unclaimed.items():
            with _apart(tx, fence):
                note_claim(tx, fence, pid, now_ms)
        return list(self._unclaimed)

    def claims_are_noted(self, noted: Sequence[Fence]) -> None:
        """Forget claims that are in the store."""
        for fence in noted:
            self._unclaimed.pop(fence, None)

    def take_in(self, tx: Transaction) -> None:
        """Record what brief workers left. What can not be recorded is left to be given up."""
        endings, self._left = self._left, {}
        for fence, found in endings.items():
            with _apart(tx, fence):
                record_left(tx, fence, found, self._clock_ms())

    def prepare(self, tx: Transaction, job_ids: Sequence[int]) -> list[Prepared]:
        """Start the next attempt of queued jobs in the store, of those that can be."""
        trees: dict[int, Tree] = {}
        idle_timeout_s = get_settings(tx).idle_timeout_s
        prepared = []
        for job_id in job_ids:
            with _apart(tx, job_id):
                job = get_job(tx, job_id)
                tree = trees.get(job.root_id) or trees.setdefault(job.root_id, get_tree(tx, job.root_id))
                if (one := self._prepared(tx, job, tree, idle_timeout_s)) is not None:
                    prepared.append(one)
        return prepared

    def _prepared(self, tx: Transaction, job: Job, tree: Tree, idle_timeout_s: float) -> Prepared | None:
        if job.attempt and self._launcher.is_alive(job.id, job.attempt):
            return None  # the last attempt's process is not quite gone: never two at once
        if not self._launcher.is_prepared(job.kind):
            return None  # planned again soon
        try:
            check_place(tx, job, tree)
        except IllegalChange as error:
            log.warning("%s", error)
            finish.fail_unstarted(tx, job.id, Reason.BAD_REQUEST, str(error), self._clock_ms())
            return None
        token = secrets.token_hex(32)
        token_sha256 = token_hash(token)
        fence = start_placed(tx, job, tree, token_sha256, self._clock_ms())
        env = worker_environment(
            self._base(job.kind),
            self._store.home,
            store_id=self._store.store_id,
            job=job.id,
            attempt=fence.attempt,
            token=token,
        )
        is_brief = job.kind is Kind.COMMAND and not tree.has_worktrees
        brief = (
            Brief.of(job, tree, self._store.home, self._database, idle_timeout_s, token_sha256) if is_brief else None
        )
        return Prepared(job, fence, Order(job.id, fence.attempt, env, job.kind, brief, needs_in_force(job, tree)))

    def start(self, prepared: Sequence[Prepared]) -> bool:
        """Make the processes of attempts that are committed; tell whether all are there."""
        if not prepared:
            return True
        reach("after_start")
        started = self._launcher.start([each.order for each in prepared])
        reach("after_spawn")
        for each, handle in zip(prepared, started, strict=True):
            job, fence = each.job, each.fence
            if isinstance(handle, LaunchError):
                self._not_started(fence, handle)
                continue
            self._workers.add(fence, job.root_id, handle)
            if handle.is_brief:
                self._unclaimed_since = self._unclaimed_since if self._unclaimed else time.monotonic()
                self._unclaimed[fence] = handle.pid
            log.info(
                "#%d.%d: started, process %d (%s, depth %d)", job.id, fence.attempt, handle.pid, job.kind, job.depth
            )
        return not any(isinstance(each, LaunchError) for each in started)

    def _not_started(self, fence: Fence, error: LaunchError) -> None:
        log.error("#%d.%d: %s", fence.job_id, fence.attempt, error)
        with self._store.write() as tx, _apart(tx, fence):
            outcome = Outcome(Status.FAILED, Reason.WORKER_ERROR, error=str(error))
            finish.finish(tx, fence, outcome, self._clock_ms())

    def _base(self, kind: Kind) -> Mapping[str, str]:
        if kind not in self._allowed:
            self._allowed[kind] = allowed(os.environ, kind)
        return self._allowed[kind]


@contextmanager
def _apart(tx: Transaction, what: object) -> Iterator[None]:
    """Do something for one attempt; that the store refuses it is told, and harms no other."""
    try:
        with apart(tx):
            yield
    except StaleAttempt as stale:
        log.info("%s", stale)
    except (Refused, BadInput) as refused:
        log.info("%s: not any more: %s", what, refused)
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        log.warning("%s: what stands in its file is no outcome: %s", what, error)
