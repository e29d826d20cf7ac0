"""One attempt from its first to its last instant, in the order in which it must happen.

1. lock      the attempt's lock file: from now on it is alive for everyone
2. claim     compare-and-set in the store: whoever loses stops
3. run       the kind's runner
4. sweep     whatever it started and left
5. record    the outcome, in the store or beside the attempt
"""

import errno
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from store.claim import claim
from store.database import Store
from store.errors import StaleAttempt, StoreBusy, StoreError
from store.home import Home, private_dir
from store.models import Fence, Job, Outcome, Tree
from store.states import Kind, Reason, Status
from store.tree import get_tree
from tui_orch.worker import command
from tui_orch.worker.environment import runner_environment
from tui_orch.worker.failpoint import reach
from tui_orch.worker.lock import AttemptLock
from tui_orch.worker.masking import Mask
from tui_orch.worker.record import leave
from tui_orch.worker.steps import job_steps
from tui_orch.worker.steps.local import LocalSteps
from tui_orch.worker.stop_signal import StopSignal
from tui_orch.worker.subreaper import become_subreaper, end_descendants
from tui_orch.worker.work import Ending, Finished, Work
from tui_orch.worker.worker_log import WORKER_LOG

#: Seconds between asking what a runner left behind to end and killing it.
LEFTOVERS_GRACE_S = 1.0
#: Seconds between two tries to write what can not be written now, and for how long the claim is tried.
RETRY_S = 0.5
CLAIM_PATIENCE_S = 60.0
#: A disk without room: it may be freed, and what the attempt has done is worth waiting for.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def run_attempt(home: Home, fence: Fence, environment: Mapping[str, str]) -> int:
    """Run one attempt in this process. Return the exit code: 0 when its end is recorded, 1 when it was not ours."""
    folder = private_dir(home.attempt_dir(fence.job_id, fence.attempt), home.root)
    become_subreaper()
    lock = AttemptLock(folder)
    if not lock.hold():
        print(f"attempt {fence.attempt} of job #{fence.job_id} already has a worker", file=sys.stderr)
        return 1
    # From here to the record of the outcome a SIGTERM is only noted: it must not cut the worker off in between.
    with StopSignal() as stop, Store.open(home) as store:
        try:
            job, tree = _claim(store, fence, stop)
        except (StaleAttempt, StoreBusy) as error:
            print(error, file=sys.stderr)
            return 1
        reach("after_claim")
        work = Work(LocalSteps(store, fence), job, tree, folder, runner_environment(environment, job.kind))
        return see_through(work, lambda: run_kind(work, stop))


def see_through(work: Work, run: Callable[[], Ending]) -> int:
    """Run what the attempt is for, sweep and record; return the exit code."""
    try:
        ending = unbroken(work, run)
    except StaleAttempt as stale:
        print(stale, file=sys.stderr)
        end_descendants(0)
        return 1
    end_descendants(LEFTOVERS_GRACE_S)
    reach("before_outcome")
    code = record_ending(work, Mask.of(work.env).of_any(ending))
    reach("after_outcome")
    return code


def _claim(store: Store, fence: Fence, stop: StopSignal) -> tuple[Job, Tree]:
    """Take the attempt. Raises StaleAttempt, or StoreBusy where the store could not be written for so long."""
    until = time.monotonic() + CLAIM_PATIENCE_S
    while True:
        try:
            with store.write() as tx:
                job = claim(tx, fence, os.getpid(), _now_ms())
                return job, get_tree(tx, job.root_id)
        except StoreBusy:
            if stop.asked or time.monotonic() >= until:
                raise
            time.sleep(RETRY_S)


def run_kind(work: Work, stop: StopSignal) -> Ending:
    """Run the job's own kind of work, in its worktree where it has one."""
    if work.tree.has_worktrees:
        from tui_orch.worker.worktree import run_in_worktree  # noqa: PLC0415 - shared trees need no git

        return run_in_worktree(work, stop, _runner)
    return _runner(work, stop)


def unbroken(work: Work, run: Callable[[], Ending]) -> Ending:
    """Run what the attempt is for; whatever breaks becomes its end. Raises StaleAttempt."""
    try:
        return run()
    except StaleAttempt:
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defence: whatever broke becomes the job's error
        return broken(error, work.folder)


def broken(error: Exception, folder: Path) -> Ending:
    """Return the end of an attempt whose worker broke; the trace is printed."""
    traceback.print_exception(error)
    said = f"the worker broke: {type(error).__name__}: {error}; see {folder / WORKER_LOG}"
    return Finished(Outcome(Status.FAILED, Reason.WORKER_ERROR, error=said))


def _runner(work: Work, stop: StopSignal) -> Ending:
    if work.job.kind is Kind.COMMAND:
        return command.run(work, stop)
    if work.job.kind is Kind.CLAUDE:
        from tui_orch.worker import claude  # noqa: PLC0415 - the SDK takes a second to import; commands need none of it

        return claude.run(work, stop)
    return Finished(Outcome(Status.FAILED, Reason.BAD_REQUEST, error=_no_process(work.job), retry=False))


def _no_process(job: Job) -> str:
    return f"job #{job.id} is of kind {job.kind}, which has no process"


def record_ending(work: Work, ending: Ending) -> int:
    """Write the ending into the store, or beside the attempt; while there is room for neither, keep it and wait."""
    while True:
        try:
            work.steps.change(job_steps.record_ending, ending)
        except StaleAttempt as stale:
            print(stale, file=sys.stderr)
            return 1
        except StoreError as error:
            if not is_left(work.folder, ending):
                time.sleep(RETRY_S)
                continue
            print(f"the outcome goes to a file, the store says: {error}", file=sys.stderr)
        return 0


def is_left(folder: Path, ending: Ending) -> bool:
    """Leave the ending in a file; False where the disk has no room. Raises OSError for any other reason."""
    return has_room(lambda: leave(folder, ending))


def has_room(write: Callable[[], None]) -> bool:
    """Write; False where the disk has no room. Raises OSError for any other reason."""
    try:
        write()
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        return False
    return True


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
