"""``python -m tui_orch.worker HOME JOB ATTEMPT``: how a launcher starts an attempt. Not for people."""

import os
import sys
from pathlib import Path

from store.home import Home
from store.models import Fence
from tui_orch.worker.attempt import run_attempt

if __name__ == "__main__":
    home, job_id, attempt = sys.argv[1:]
    sys.exit(run_attempt(Home(Path(home)), Fence(int(job_id), int(attempt)), os.environ))
