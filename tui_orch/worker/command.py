"""The runner of kind ``command``: an argv or a shell line, its output in a file, its exit code the verdict.

Output goes straight to the file: no pipe that could block the command, nothing lost if the worker dies. A line of it is
shown as activity once a second, its end becomes the job's result.
"""

import errno
import os
import select
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from store.errors import StoreUnusable
from store.home import FILE_MODE
from store.models import Outcome
from store.settings import Settings
from store.states import Reason, Status
from tui_orch.worker.masking import Mask
from tui_orch.worker.steps import job_steps
from tui_orch.worker.stop_signal import StopSignal
from tui_orch.worker.stopped import stopped_ending
from tui_orch.worker.subreaper import end_descendants
from tui_orch.worker.work import Ending, Finished, Work

OUTPUT_FILE = "output"
RESULT_BYTES = 16_384
ERROR_BYTES = 2_000
ACTIVITY_CHARACTERS = 120
_LOOK_MS = 1_000
#: Of the grace that the supervisor gives the worker, the worker gives its command this part.
_GRACE_SHARE = 0.5


def run(work: Work, stop: StopSignal) -> Ending:
    """Run the job's command to its end, or until the worker is asked to stop."""
    # Before the command: once it runs, a head or a store that does not answer must not keep its end from being seen.
    settings = work.steps.look(job_steps.settings)
    process = start(work.folder, work.work_dir, arguments(work.job.argv, work.job.request), work.env)
    return process if isinstance(process, Finished) else go_on(work, settings, process, stop)


def arguments(argv: Sequence[str] | None, request: str) -> list[str]:
    """Return what is executed: the argv, or a shell line."""
    return list(argv) if argv else ["/bin/sh", "-c", request]


class Child:
    """A command's process. Whoever has reaped it by other ways says so in ``returncode``."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit code (negative: a signal), None while it runs."""
        return self._reap(os.WNOHANG)

    def wait(self) -> int:
        """Return its exit code when it has ended."""
        code = self._reap(0)
        assert code is not None
        return code

    def _reap(self, how: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, how)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode


def start(folder: Path, work_dir: Path, argv: Sequence[str], env: Mapping[str, str]) -> Child | Finished:
    """Start a command in a session of its own, with its output in the attempt's folder and this process's PATH.

    Return how the attempt ends where that can not be. From then on this process works in ``work_dir`` itself: to say where
    another one begins takes a fork that copies all of this one's memory.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(folder / OUTPUT_FILE, flags, FILE_MODE)
    try:
        refuse_link(work_dir)
        os.chdir(work_dir)
        streams = (
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, file, 1),
            (os.POSIX_SPAWN_DUP2, file, 2),
        )
        # Python ignores these, and a command must not.
        back = (signal.SIGPIPE, signal.SIGXFSZ)
        return Child(os.posix_spawnp(argv[0], list(argv), env, file_actions=streams, setsid=True, setsigdef=back))
    except OSError as error:
        said = f"the command could not be started in {work_dir}: {error.strerror} ({error.filename})"
        return Finished(Outcome(Status.FAILED, Reason.BAD_REQUEST, error=said, retry=False))
    finally:
        os.close(file)


def go_on(
    work: Work,
    settings: Settings,
    process: Child,
    stop: StopSignal,
    *,
    is_stopped: bool = False,
    began_at: float | None = None,
) -> Ending:
    """See a command that was started to its end, within the limits of the store's ``settings``.

    ``is_stopped``: it was asked to end. ``began_at``: when (monotonic, s), if it was not just now.
    """
    output = work.folder / OUTPUT_FILE
    beyond = None if is_stopped else _follow(work, process, stop, output, settings, began_at)
    if is_stopped or ((stop.asked or beyond) and process.poll() is None):
        end_descendants(settings.grace_s * _GRACE_SHARE)
        process.returncode = 0  # reaped above; its own code tells nothing, it was stopped
        if beyond is not None and not stop.asked:
            return Finished(replace(beyond, result=tail(output, RESULT_BYTES)))
        return stopped_ending(work.steps, result=tail(output, RESULT_BYTES))
    return Finished(verdict(process.wait(), output))


def beyond_limits(size: int, silent_s: float, settings: Settings) -> Outcome | None:
    """Return how a command ends that has written too much (bytes), or nothing for too long (s); None while it may go on."""
    if size > settings.output_cap_mb * 1e6:
        said = (
            f"its output went beyond {settings.output_cap_mb:g} MB; a person raises it: orch settings output_cap_mb N"
        )
        return Outcome(Status.FAILED, Reason.OUTPUT_LIMIT, error=said, retry=False)
    if settings.idle_timeout_s and silent_s > settings.idle_timeout_s:
        said = (
            f"it wrote nothing for {settings.idle_timeout_s:g} s; a person changes it: orch settings idle_timeout_s N"
        )
        return Outcome(Status.FAILED, Reason.IDLE, error=said)
    return None


def verdict(exit_code: int, output: Path) -> Outcome:
    """Return what an exit code means; negative codes are signals, as in `subprocess`."""
    result = tail(output, RESULT_BYTES)
    if exit_code == 0:
        return Outcome(Status.COMPLETED, result=result, exit_code=0)
    said = f"ended by signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
    last = tail(output, ERROR_BYTES).strip()
    error = f"{said}; last output:\n{last}" if last else f"{said}, without output"
    return Outcome(Status.FAILED, Reason.EXIT_CODE, result=result, error=error, exit_code=exit_code)


def tail(output: Path, limit: int) -> str:
    """Return the last ``limit`` bytes of a file as text; what was cut off is said in its first line."""
    with output.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - limit))
        text = file.read(limit).decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text if size <= limit else f"[... the first {size - limit} bytes are in the output file]\n{text}"


def refuse_link(work_dir: Path) -> None:
    """Raise OSError where the folder has become a link since the tree was handed in: it may lead anywhere."""
    if work_dir.is_symlink():
        raise OSError(errno.ELOOP, "it is a link now, and was a folder", str(work_dir))


def _follow(
    work: Work, process: Child, stop: StopSignal, output: Path, settings: Settings, began_at: float | None
) -> Outcome | None:
    """Wait until the command has ended or a stop is asked for, telling what it does once a second.

    Return how it ends where it went beyond a limit of the store. While a client in it waits for children, or its slot,
    its silence is none.
    """
    ended = os.pidfd_open(process.pid)
    try:
        wait = select.poll()
        wait.register(ended, select.POLLIN)
        wait.register(stop, select.POLLIN)
        shown, spoke_at = 0, began_at or time.monotonic()
        while not wait.poll(_LOOK_MS):
            size = output.stat().st_size
            if size != shown:
                shown, spoke_at = size, time.monotonic()
                _show(work, output)
            elif settings.idle_timeout_s and _lends(work):
                spoke_at = time.monotonic()
            if (beyond := beyond_limits(size, time.monotonic() - spoke_at, settings)) is not None:
                return beyond
    finally:
        os.close(ended)
    return None


def _lends(work: Work) -> bool:
    try:
        return work.steps.look(job_steps.is_lending)
    except StoreUnusable:
        return True  # not known now: then silence is no reason to end it


def _show(work: Work, output: Path) -> None:
    lines = [line.strip() for line in tail(output, 4 * ACTIVITY_CHARACTERS).splitlines() if line.strip()]
    if lines:
        # A store that can not be written now costs this line, not the command.
        with suppress(StoreUnusable):
            work.steps.change(job_steps.show_activity, Mask.of(work.env).text(lines[-1])[:ACTIVITY_CHARACTERS])
