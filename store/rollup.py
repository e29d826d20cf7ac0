"""How a job's own work and its children make its end: one pure function, used wherever a job ends."""

from collections.abc import Collection

from store.states import Reason, Status


def roll_up(own: Status | None, children: Collection[Status]) -> tuple[Status, Reason | None]:
    """Return a job's final state and, where its children decide, the reason.

    ``own`` is how its own work ended, None for a group, which has none. All ``children`` have ended. A failure of the
    job's own stands whatever the children did; failed children make a success partial, and a group that got nothing
    from any child has failed.
    """
    if own in (Status.FAILED, Status.CANCELLED):
        return own, None
    if all(child is Status.COMPLETED for child in children):
        return Status.COMPLETED, None
    if own is Status.COMPLETED or any(child in (Status.COMPLETED, Status.PARTIAL) for child in children):
        return Status.PARTIAL, Reason.CHILDREN_FAILED
    return Status.FAILED, Reason.CHILDREN_FAILED
