"""A command's attempt without the store: a forked worker takes its lock, runs the command, and leaves the outcome in its lock file.

Opening the store costs more than a short command does. So whoever starts such a worker tells it all it needs, notes its claim
and takes in its outcome, for many attempts in one transaction. The worker opens the store itself only when it must: its
command has something to show after `BRIEF_S`, or is silent for longer than `SILENT_S`, it is asked to stop, or whoever started
it is gone. From then on it is like any other.

The lock decides who works: before an attempt is given up its lock is closed off (``lock.close_off``), so a worker that comes
later than that never begins.
"""

import functools
import os
import select
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from store.claim import note_claim
from store.database import Store
from store.errors import StaleAttempt, StoreDamaged, StoreError
from store.home import Home
from store.models import Fence, Job, Tree
from store.states import Reason, Status
from store.tree import get_job, get_tree
from tui_orch.worker import command
from tui_orch.worker.attempt import LEFTOVERS_GRACE_S, RETRY_S, broken, has_room, is_left, see_through
from tui_orch.worker.failpoint import reach
from tui_orch.worker.lock import AttemptLock
from tui_orch.worker.masking import Mask
from tui_orch.worker.pidfd import has_ended
from tui_orch.worker.record import Left, line_of
from tui_orch.worker.steps import job_steps
from tui_orch.worker.steps.local import LocalSteps
from tui_orch.worker.stop_signal import StopSignal
from tui_orch.worker.subreaper import ask_descendants, become_subreaper, end_descendants
from tui_orch.worker.work import Ending, Finished, Released, Work

#: Seconds for which a command runs before its worker opens the store: then it is shown what it says, and its limits hold.
BRIEF_S = 1.0
#: Seconds for which that goes on while it says nothing: to open the store takes a core's time from those that work.
SILENT_S = 10.0
#: Seconds between two looks at a command while the store can not be used.
_LOOK_S = 0.05
#: More than /proc says of a process in one file.
_ABOUT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Brief:
    """What a command's worker has to know, as it can be sent."""

    argv: tuple[str, ...]
    work_dir: str
    database: tuple[int, int]  # the file that the attempt was started in: what takes its place is another store
    silent_s: float = SILENT_S  # for how long it may say nothing before somebody has to look
    token_sha256: str | None = None  # of the attempt: what it leaves counts for no other

    @classmethod
    def of(
        cls, job: Job, tree: Tree, home: Home, database: tuple[int, int], idle_timeout_s: float, token_sha256: str
    ) -> "Brief":
        """Return what the worker of a command in a shared tree needs; ``database``: see `file_identity`."""
        argv = tuple(command.arguments(job.argv, job.request))
        silent_s = min(SILENT_S, idle_timeout_s or SILENT_S)
        return cls(argv, tree.work_dir or str(home.project), database, silent_s, token_sha256)


def run_brief(home: Home, fence: Fence, brief: Brief, env: Mapping[str, str], supervisor: int) -> int | None:
    """Run one attempt in this process, whose folder is there. Return the exit code: 0 when its end is recorded, or left.

    None: it is left for the process that takes in what is left, and this one, with nothing open, is free for another.
    ``env``: this process's environment, made for this attempt alone. ``supervisor``: the pidfd of that process.
    """
    folder = home.attempt_dir(fence.job_id, fence.attempt)
    become_subreaper()
    lock = AttemptLock(folder)
    with StopSignal() as stop:  # before the lock: from the moment at which it is taken, work has begun
        if not lock.hold(begin=True):
            print(f"attempt {fence.attempt} of job #{fence.job_id} has a worker, or is given up", file=sys.stderr)
            return 1
        reach("after_claim")
        is_sound = True
        try:
            process = command.start(folder, Path(brief.work_dir), brief.argv, env)
            if not isinstance(process, Finished):
                began_at = time.monotonic()
                if not _ends_soon(process, stop, folder / command.OUTPUT_FILE, brief.silent_s):
                    return _grow_up(home, fence, brief, process, stop, began_at)
            ending = process if isinstance(process, Finished) else _verdict(process, folder)
        except Exception as error:  # noqa: BLE001 - as for any attempt: whatever broke becomes the job's error
            ending, is_sound = broken(error, folder), False
        is_alone = not end_descendants(LEFTOVERS_GRACE_S)
        reach("before_outcome")
        ending = Mask.of(env).of_any(ending)
        if _attends(supervisor):
            _leave_in(lock, Left(ending, brief.token_sha256))
            # Who is asked to end, broke, or has a child that can not be killed takes no other attempt.
            return None if is_sound and is_alone and not stop.asked else 0
        # Nobody takes it in now: it is recorded here, and in a file only where that fails.
        store = _opened(home, fence, brief)
        if store is None:
            return _leave(folder, ending)
        with store:
            return _as_any_other(store, fence, lambda _work: ending)


def file_identity(home: Home) -> tuple[int, int]:
    """Return what tells the store's file from any other that may take its place. Raises OSError where there is none."""
    found = os.lstat(home.database)
    return found.st_dev, found.st_ino


def _verdict(process: command.Child, folder: Path) -> Ending:
    return Finished(command.verdict(process.wait(), folder / command.OUTPUT_FILE))


def _attends(supervisor: int) -> bool:
    """Tell whether a process lives, and was not stopped."""
    try:
        state = _read(f"/proc/{_pid_of(supervisor)}/stat").rpartition(b")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in b"TtZX" and not has_ended(supervisor)


@functools.cache  # a worker has one such descriptor, for good
def _pid_of(process: int) -> int:
    about = _read(f"/proc/self/fdinfo/{process}")
    return int(next(line.split()[1] for line in about.splitlines() if line.startswith(b"Pid:")))


def _read(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, _ABOUT_BYTES)
    finally:
        os.close(file)


def _ends_soon(process: command.Child, stop: StopSignal, output: Path, silent_s: float) -> bool:
    """Wait for the command for as long as it may run without the store; False if there is a reason to open that."""
    until = time.monotonic() + silent_s
    ended = os.pidfd_open(process.pid)
    try:
        wait = select.poll()
        wait.register(ended, select.POLLIN)
        wait.register(stop, select.POLLIN)
        while not (ready := wait.poll(BRIEF_S * 1000)):
            if output.stat().st_size or time.monotonic() + BRIEF_S > until:
                return False
        return any(fd == ended for fd, _ in ready)
    finally:
        os.close(ended)


def _grow_up(home: Home, fence: Fence, brief: Brief, process: command.Child, stop: StopSignal, began_at: float) -> int:
    """Go on with the store, as an attempt that has had it from the start; without it for as long as that must be."""
    is_stopped = stop.asked and process.poll() is None
    if is_stopped:
        ask_descendants()  # at once: to open the store may take its time
    while (store := _opened(home, fence, brief)) is None:
        ending = _without_store(home.attempt_dir(fence.job_id, fence.attempt), process, stop, is_stopped)
        if ending is not None:
            end_descendants(LEFTOVERS_GRACE_S)
            return _leave(home.attempt_dir(fence.job_id, fence.attempt), Mask.of(os.environ).of_any(ending))
    with store:

        def go_on(work: Work) -> Ending:
            settings = work.steps.look(job_steps.settings)
            return command.go_on(work, settings, process, stop, is_stopped=is_stopped, began_at=began_at)

        return _as_any_other(store, fence, go_on)


def _opened(home: Home, fence: Fence, brief: Brief) -> Store | None:
    """Return the store with the attempt noted as ours, or, told in one line, None where it can not be used now."""
    try:
        store = Store.open(home)
        try:
            if file_identity(home) != brief.database:
                raise StoreDamaged(f"{home.database} is not the file that the attempt was started in")
            with store.write() as tx, suppress(StaleAttempt):  # that is found again by whoever goes on
                note_claim(tx, fence, os.getpid(), _now_ms())
        except BaseException:
            store.close()
            raise
    except (StoreError, OSError) as error:
        print(f"going on without the store: {error}", file=sys.stderr)
        return None
    return store


def _as_any_other(store: Store, fence: Fence, run: Callable[[Work], Ending]) -> int:
    folder = store.home.attempt_dir(fence.job_id, fence.attempt)
    with store.read() as reader:
        job = get_job(reader, fence.job_id)
        tree = get_tree(reader, job.root_id)
    if job.fence != fence or job.status is not Status.RUNNING:
        print(f"attempt {fence.attempt} of job #{fence.job_id} is over", file=sys.stderr)
        end_descendants(0)
        return 1
    work = Work(LocalSteps(store, fence), job, tree, folder, dict(os.environ))
    return see_through(work, lambda: run(work))


def _without_store(folder: Path, process: command.Child, stop: StopSignal, is_stopped: bool) -> Ending | None:
    """Return how the attempt ends if it does before the store is tried again, which is soon; else None."""
    until = time.monotonic() + RETRY_S
    while time.monotonic() < until:
        if not is_stopped and process.poll() is not None:
            return _verdict(process, folder)
        if is_stopped or stop.asked:
            end_descendants(LEFTOVERS_GRACE_S)
            process.returncode = 0  # reaped above
            return Released(Reason.SHUTDOWN)
        time.sleep(_LOOK_S)
    return None


def _leave_in(lock: AttemptLock, found: Left) -> None:
    """Leave the ending where the lock is, and let go of that. A machine that loses its power may lose it, and the attempt."""
    line = line_of(found)
    while not has_room(lambda: lock.leave(line)):
        time.sleep(RETRY_S)
    reach("after_outcome")
    lock.release()


def _leave(folder: Path, ending: Ending) -> int:
    """Leave the ending for whoever takes it in; while there is no room for it, keep it and wait."""
    while not is_left(folder, ending):
        time.sleep(RETRY_S)
    reach("after_outcome")
    return 0


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
