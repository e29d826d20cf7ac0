"""Opens a job's output in the person's pager, in place of the screen; ``orch logs`` makes it fit for a terminal."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported


def page_output(app: App[Any], store_folder: Path, job_id: int) -> str:
    """Show it until the person leaves the pager. Return what to tell, "" for nothing."""
    orch = [sys.executable, "-P", "-m", "tui_orch.cli", "--home", str(store_folder), "logs", str(job_id)]
    pager = shlex.split(os.environ.get("PAGER", "")) or ["less"]
    if shutil.which(pager[0]) is None:
        return f"there is no pager {pager[0]}; set PAGER, or see: orch logs {job_id}"
    try:
        with app.suspend(), subprocess.Popen(orch, stdout=subprocess.PIPE) as log:
            subprocess.run(pager, stdin=log.stdout, check=False)
            log.terminate()
    except SuspendNotSupported:
        return f"this terminal can not be left; see: orch logs {job_id}"
    return ""
