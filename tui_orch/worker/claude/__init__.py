"""The runner of kind ``claude``: one attempt is one run of a Claude Code session, through the Agent SDK.

``run`` is all that the attempt around it needs. Importing this package does not import the SDK (1.4 s): ``run`` does.
"""

from tui_orch.worker.stop_signal import StopSignal
from tui_orch.worker.work import Ending, Work


def run(work: Work, stop: StopSignal) -> Ending:
    """Work on the job until its turn ends, it must wait, or ``stop`` is asked for; return how that ended.

    Call it from the process's main thread, which it takes the environment of for as long as it runs.
    Raises StaleAttempt when the job has gone on without this attempt, and StoreUnusable when the store can not be
    written: nobody can record an ending then.
    """
    from tui_orch.worker.claude.session import run_session  # noqa: PLC0415 - only who runs it pays for the SDK

    return run_session(work, stop)
