"""``python -m tui_orch.supervisor HOME [EXIT_WHEN_IDLE_S [LAUNCHER]]``: the supervisor in the background. People use ``orch up``."""

import sys
from pathlib import Path

from store.errors import StoreError
from store.home import Home
from tui_orch.supervisor.main import supervise
from tui_orch.supervisor.ownership import SupervisorError

if __name__ == "__main__":
    home, idle, launcher = (*sys.argv[1:], "", "")[:3]
    try:
        code = supervise(
            Home(Path(home)),
            exit_when_idle_s=float(idle) if idle else None,
            log_to_stderr=False,
            launcher=launcher or None,
        )
    except (StoreError, SupervisorError) as error:
        sys.exit(f"orch: {error}")
    sys.exit(code)
