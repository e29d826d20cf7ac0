"""Who calls: whoever has a key of the server (a person, a program), or the worker of a job by its attempt's token.

A key may do everything; a token may spawn below its own job, and read and cancel its own subtree. Depth and parent come from
here, never from what a caller says.
"""

from dataclasses import dataclass

from store.claim import fence_of_token, require_running
from store.database import Reader
from store.errors import NotAllowed, NotFound
from store.keys import PREFIX, get_key, key_of
from store.models import Fence, Job
from store.tree import get_job, is_within
from tui_orch.api.names import Named, unknown
from tui_orch.api.problems import Refusal


@dataclass(frozen=True, slots=True)
class Caller:
    """Either ``key_id`` or ``fence`` is given."""

    key_id: int | None = None
    fence: Fence | None = None

    @property
    def name(self) -> str:
        """How the store calls it in `handed_in`: ``key:3`` or ``job:12``."""
        return f"key:{self.key_id}" if self.fence is None else f"job:{self.fence.job_id}"

    def require_person(self, what: str) -> None:
        """Refuse ``what`` to a worker. Raises NotAllowed."""
        if self.fence is not None:
            raise NotAllowed(
                f"{what} is for a person with a key of the server, not for the worker of job #{self.fence.job_id}"
            )

    def require_worker(self, what: str) -> Fence:
        """Return the calling attempt. Raises NotAllowed for a key."""
        if self.fence is None:
            raise NotAllowed(f"{what} is for the worker of a job, by its own token; a key has no slot")
        return self.fence

    def require_still(self, reader: Reader, now_ms: int) -> None:
        """Look again, after a while, whether the caller may still call. Raises StaleAttempt, Refusal."""
        if self.fence is not None:
            require_running(reader, self.fence)
            return
        key = get_key(reader, self.key_id or 0)
        if key.revoked_ms is not None or (key.expires_ms is not None and key.expires_ms <= now_ms):
            raise not_authenticated(f"key {key.id} opens nothing any more")

    def job(self, reader: Reader, named: Named) -> Job:
        """Return a job that this caller may see; of a batch, the job whose children it is.

        Raises NotFound for what is not there and for what is another's, alike.
        """
        try:
            found = get_job(reader, named.job_id)
        except NotFound as error:
            raise unknown(named.name) from error
        if self.fence is not None and not is_within(reader, named.job_id, self.fence.job_id):
            raise unknown(named.name)
        return found


def caller_of(reader: Reader, secret: str, now_ms: int) -> Caller:
    """Return whose secret this is. Raises Refusal (401)."""
    try:
        if secret.startswith(PREFIX):
            return Caller(key_id=key_of(reader, secret, now_ms).id)
    except NotAllowed as error:
        raise not_authenticated(str(error)) from error
    try:
        return Caller(fence=fence_of_token(reader, secret))
    except NotAllowed as error:
        said = "this is no key of this server, and no token of an attempt that runs; make a key with: orch key new NAME"
        raise not_authenticated(said) from error


def not_authenticated(why: str) -> Refusal:
    """Return the answer to a caller that is not known (any more)."""
    return Refusal(401, "not_authenticated", why, {"WWW-Authenticate": "ApiKey"})
