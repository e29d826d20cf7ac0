"""What becomes of an attempt whose worker was asked to end: the reason stands in the store, not in the signal."""

from store.models import Outcome, Usage
from store.states import Reason, Status
from tui_orch.worker.steps import job_steps
from tui_orch.worker.steps.port import Steps
from tui_orch.worker.work import Finished, Released


def stopped_ending(
    steps: Steps,
    *,
    session_id: str | None = None,
    usage: Usage | None = None,
    result: str | None = None,
    delivered: tuple[int, ...] = (),
) -> Finished | Released:
    """Return the end of a stopped attempt.

    With a reason in the store (cancelled, timeout, ...) the job's own work is over; without one, or for a shutdown, the
    job goes back to the queue and its session is resumed later.
    """
    reason = steps.look(job_steps.own_job).stop_reason
    used = usage or Usage()
    if reason is None or reason == Reason.SHUTDOWN:
        return Released(Reason.SHUTDOWN, session_id=session_id, usage=used, delivered=delivered)
    outcome = Outcome(Status.CANCELLED, reason, result=result, session_id=session_id, usage=used, retry=False)
    return Finished(outcome, delivered)
