"""The runner of kind ``command``: an argv or a shell line, its output in a file, its exit code the verdict.

Output goes straight to the file: no pipe that could block the command, nothing lost if the worker dies. A line of it is
shown as activity once a second, its end becomes the job's result.
"""

import os
import select
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from store.claim import set_activity
from store.errors import StoreUnusable
from store.home import FILE_MODE
from store.models import Outcome
from store.states import Reason, Status
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
    output = work.folder / OUTPUT_FILE
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    try:
        process = _start(work, file)
    except OSError as error:
        return _not_started(work, error)
    finally:
        os.close(file)
    _follow(work, process, stop, output)
    if stop.asked and process.poll() is None:
        with work.store.read() as reader:
            grace_s = float(reader.value("SELECT grace_s FROM settings"))
        end_descendants(grace_s * _GRACE_SHARE)
        process.returncode = 0  # reaped above; its own code tells nothing, it was stopped
        return stopped_ending(work.store, work.job.fence, result=tail(output, RESULT_BYTES))
    return Finished(verdict(process.wait(), output))


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


def _start(work: Work, file: int) -> "subprocess.Popen[bytes]":
    job = work.job
    return subprocess.Popen(
        list(job.argv) if job.argv else ["/bin/sh", "-c", job.request],
        cwd=work.tree.work_dir or work.store.home.project,
        env=dict(work.env),
        stdin=subprocess.DEVNULL,
        stdout=file,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _not_started(work: Work, error: OSError) -> Finished:
    where = work.tree.work_dir or str(work.store.home.project)
    said = f"the command could not be started in {where}: {error.strerror} ({error.filename})"
    return Finished(Outcome(Status.FAILED, Reason.BAD_REQUEST, error=said, retry=False))


def _follow(work: Work, process: "subprocess.Popen[bytes]", stop: StopSignal, output: Path) -> None:
    """Wait until the command has ended or a stop is asked for, telling what it does once a second."""
    ended = os.pidfd_open(process.pid)
    try:
        wait = select.poll()
        wait.register(ended, select.POLLIN)
        wait.register(stop, select.POLLIN)
        shown = 0
        while not wait.poll(_LOOK_MS):
            size = output.stat().st_size
            if size != shown:
                shown = size
                _show(work, output)
    finally:
        os.close(ended)


def _show(work: Work, output: Path) -> None:
    lines = [line.strip() for line in tail(output, 4 * ACTIVITY_CHARACTERS).splitlines() if line.strip()]
    if lines:
        # A store that can not be written now costs this line, not the command.
        with suppress(StoreUnusable), work.store.write() as tx:
            set_activity(tx, work.job.fence, lines[-1][:ACTIVITY_CHARACTERS], int(time.time() * 1000))
