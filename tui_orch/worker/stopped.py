"""What becomes of an attempt whose worker was asked to end: the reason stands in the store, not in the signal."""

from store.database import Store
from store.models import Fence, Outcome, Usage
from store.states import Reason, Status
from store.tree import get_job
from tui_orch.worker.work import Finished, Released


def stopped_ending(
    store: Store,
    fence: Fence,
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
    with store.read() as reader:
        reason = get_job(reader, fence.job_id).stop_reason
    used = usage or Usage()
    if reason is None or reason == Reason.SHUTDOWN:
        return Released(Reason.SHUTDOWN, session_id=session_id, usage=used, delivered=delivered)
    outcome = Outcome(Status.CANCELLED, reason, result=result, session_id=session_id, usage=used, retry=False)
    return Finished(outcome, delivered)
