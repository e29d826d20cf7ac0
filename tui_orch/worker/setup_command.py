"""The command that makes a new worktree ready before its worker: dependencies, generated files. Runs it, decides nothing.

Its output goes to ``setup.log`` in the attempt's folder.
"""

import os
import select
import subprocess
from pathlib import Path

from store.home import FILE_MODE
from tui_orch.worker.command import ERROR_BYTES, tail
from tui_orch.worker.masking import Mask
from tui_orch.worker.steps import job_steps
from tui_orch.worker.stop_signal import StopSignal
from tui_orch.worker.subreaper import end_descendants
from tui_orch.worker.work import Work
from tui_orch.workspace.git import Stopped

SETUP_LOG = "setup.log"


class SetupFailed(Exception):
    """The command did not succeed; ``str(error)`` says how, with its last words."""


def run_setup(line: str, folder: Path, work: Work, stop: StopSignal) -> None:
    """Run the shell line in ``folder`` with the worker's environment. Raises SetupFailed, or Stopped when asked to stop."""
    log = work.folder / SETUP_LOG
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", line],
            cwd=folder,
            env=dict(work.env),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    finally:
        os.close(file)
    _wait(process, stop)
    if stop.asked and process.poll() is None:
        end_descendants(work.steps.look(job_steps.settings).grace_s / 2)
        process.returncode = 0  # reaped above
        raise Stopped
    code = process.wait()
    if code != 0:
        said = Mask.of(work.env).text(tail(log, ERROR_BYTES).strip())
        raise SetupFailed(f"its setup command ended with code {code}: {line}\n{said}")


def _wait(process: "subprocess.Popen[bytes]", stop: StopSignal) -> None:
    ended = os.pidfd_open(process.pid)
    try:
        wait = select.poll()
        wait.register(ended, select.POLLIN)
        wait.register(stop, select.POLLIN)
        wait.poll()
    finally:
        os.close(ended)
