"""What an endpoint works with: who calls, the open stores and the time; and the names that stand in addresses."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Path, Query, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from tui_orch.api.callers import Caller
from tui_orch.api.feed import Feed
from tui_orch.api.guards import CALLER
from tui_orch.api.names import PATTERN
from tui_orch.api.stores import Stores
from tui_orch.client.measures import now_ms

_KEY = APIKeyHeader(name="X-API-Key", auto_error=False, description="A key of the server, or a job's own token.")
_BEARER = HTTPBearer(auto_error=False, description="The same, as Authorization: Bearer SECRET.")


@dataclass(frozen=True, slots=True)
class Call:
    """One call. The guards have let its caller in."""

    caller: Caller
    stores: Stores
    feed: Feed

    @property
    def now_ms(self) -> int:
        """The present moment in milliseconds since 1970, UTC."""
        return now_ms()


async def _call(request: Request) -> Call:
    return Call(cast(Caller, request.scope[CALLER]), request.app.state.stores, request.app.state.feed)


#: The schemes stand here for the API's document; who calls is found out by the guards.
SECURED = [Security(_KEY), Security(_BEARER)]

Called = Annotated[Call, Depends(_call)]
#: A job or a batch. Its form is checked by ``names``, so that whatever is wrong with it is 404.
JobName = Annotated[
    str,
    Path(description="A job (12) or a batch (12-1).", json_schema_extra={"pattern": PATTERN, "example": "12"}),
]
JobId = Annotated[
    str, Path(description="A job.", json_schema_extra={"pattern": r"^[1-9][0-9]{0,17}$", "example": "12"})
]
Number = Annotated[str, Path(json_schema_extra={"pattern": r"^[1-9][0-9]{0,17}$", "example": "3"})]
OfJob = Annotated[str | None, Query(description="Only of this job's tree, or subtree.")]
