"""Who calls: a person, or the worker of a job, and what each of the two may do through the command line.

A worker names itself by the token in its environment. This keeps honest workers inside their own subtree; it is no
wall against one that means harm, since it runs as the same user.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from store.claim import fence_of_token
from store.database import Reader, Store
from store.errors import NotAllowed
from store.models import Fence
from store.tree import get_job, is_within

TOKEN = "ORCH_TOKEN"
#: The mark that everything inherits which an attempt starts: ``<store id>/<job>.<attempt>``.
COOKIE = "ORCH_COOKIE"


@dataclass(frozen=True, slots=True)
class Caller:
    """``fence`` is the calling job's running attempt; None for a person."""

    fence: Fence | None = None

    def require_person(
        self, what: str, instead: str = "ask one with the tool ask_user, or report what you need"
    ) -> None:
        """Refuse ``what`` to a worker, naming what it can do ``instead``. Raises NotAllowed."""
        if self.fence is not None:
            raise NotAllowed(f"{what} is for a person, not for the worker of job #{self.fence.job_id}; {instead}")

    def require_within(self, reader: Reader, job_id: int) -> None:
        """Refuse a worker any job but its own and those below it. Raises NotAllowed, NotFound."""
        if self.fence is None:
            return
        get_job(reader, job_id)
        if not is_within(reader, job_id, self.fence.job_id):
            raise NotAllowed(
                f"job #{job_id} is not below job #{self.fence.job_id}, whose worker asks; it may touch its own subtree only"
            )

    def require_own_tree(self, reader: Reader, root_id: int) -> None:
        """Refuse a worker another tree than its own. Raises NotAllowed."""
        if self.fence is not None and get_job(reader, self.fence.job_id).root_id != root_id:
            raise NotAllowed(f"tree #{root_id} is not that of job #{self.fence.job_id}, whose worker asks")


def caller_of(store: Store, environ: Mapping[str, str]) -> Caller:
    """Return who calls ``store``. Raises NotAllowed for what is left of an attempt that is over.

    A token or a mark of another store counts for nothing here: a worker may use stores of its own.
    """
    token = environ.get(TOKEN)
    marked = environ.get(COOKIE, "").startswith(f"{store.store_id}/")
    if token:
        with store.read() as reader:
            try:
                return Caller(fence_of_token(reader, token))
            except NotAllowed:
                if marked or _is_home_of(store, environ):
                    raise
    elif marked:
        raise NotAllowed(f"this process was started by a worker ({environ[COOKIE]}) but has lost its {TOKEN}")
    return Caller()


def fence_of(store: Store, environ: Mapping[str, str]) -> Fence:
    """Return the calling job's attempt. Raises NotAllowed where there is none in this store."""
    with store.read() as reader:
        return fence_of_token(reader, environ.get(TOKEN, ""))


def _is_home_of(store: Store, environ: Mapping[str, str]) -> bool:
    return environ.get("ORCH_HOME") == str(store.home.root)
