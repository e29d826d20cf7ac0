"""A forker whose workers are stand-ins: ``python standin_forker.py DESCRIPTOR HOME KIND ROOM``."""

import os
import sys
from pathlib import Path

import standin

from store.home import Home
from tui_orch.worker.fork_messages import Request
from tui_orch.worker.forker import serve


def run(home: Home, request: Request, supervisor: int) -> int:
    os.close(supervisor)
    sys.argv = [standin.__file__, str(home.root), str(request.job_id), str(request.attempt)]
    standin.main()
    return 0


if __name__ == "__main__":
    serve(int(sys.argv[1]), Home(Path(sys.argv[2])), run)
