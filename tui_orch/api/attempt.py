"""What a worker on another machine calls: claim, lease, steps of its store, and its files in parts.

All of it is for the attempt whose token (or, for the claim, one-time code) stands in the call; keys of persons can do none
of it. Each step is done once, however often it is called with one call id.
"""

import json
import os
from collections.abc import Mapping
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from store import leases
from store.claim import require_running
from store.errors import NotAllowed, NotFound
from store.models import Fence
from store.states import Kind
from store.tree import get_tree
from tui_orch.api.calls import Called
from tui_orch.api.problems import documented
from tui_orch.worker.environment import carried
from tui_orch.worker.remote.claimed import Claimed, NodeTerms, Renewed
from tui_orch.worker.steps import job_steps, wire
from tui_orch.worker.steps.all_steps import STEPS
from tui_orch.worker.steps.registry import Step

router = APIRouter(prefix="/attempt", tags=["attempt"])

_CLAIMED, _RENEWED = TypeAdapter(Claimed), TypeAdapter(Renewed)
_HEX_64 = r"^[0-9a-f]{64}$"
_CALL_ID = r"^[0-9a-f]{32}$"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Claim(_Body):
    """Who takes the attempt: the SHA-256 of the token that it has made for itself, and its host's name."""

    token_sha256: Annotated[str, Field(pattern=_HEX_64)]
    host: Annotated[str, Field(max_length=255)] = ""


class StepCall(_Body):
    """A step's arguments by name. ``call_id``: the same for a call that is made again, 32 hexadecimal digits."""

    call_id: Annotated[str, Field(pattern=_CALL_ID)]
    arguments: dict[str, Any] = {}


class Answered(BaseModel):
    """What the step answered."""

    answer: Any


async def _nodes(request: Request) -> NodeTerms:
    terms = cast(NodeTerms | None, request.app.state.nodes)
    if terms is None:
        raise NotAllowed("this server's workers run on its own machine; see: orch serve --launcher")
    return terms


Terms = Annotated[NodeTerms, Depends(_nodes)]


@router.post("/claim", responses=documented())
def claim(call: Called, terms: Terms, body: Claim) -> dict[str, Any]:
    """Take the attempt that the code belongs to, once; from then on only the worker's own token opens it."""
    fence = call.caller.require_worker("an attempt")
    with call.stores.write() as tx:
        job = leases.claim_remote(tx, fence, body.token_sha256, body.host, _ms(terms), call.now_ms)
        tree = get_tree(tx, job.root_id)
    home = call.stores.home
    env = carried(os.environ, Kind(job.kind))
    told = Claimed(job, tree, call.stores.store_id, str(home.root), terms, env)
    return cast(dict[str, Any], _CLAIMED.dump_python(told, mode="json"))


@router.post("/lease", responses=documented())
def renew(call: Called, terms: Terms) -> dict[str, Any]:
    """Renew the attempt's lease, and hear whether its job is to end."""
    fence = call.caller.require_worker("a lease")
    with call.stores.write() as tx:
        job = leases.renew(tx, fence, _ms(terms), call.now_ms)
    told = Renewed(terms.lease_s, job.stop_reason, job.session_id)
    return cast(dict[str, Any], _RENEWED.dump_python(told, mode="json"))


@router.post("/steps/{name}", responses=documented(404, 409))
def do_step(
    call: Called, _terms: Terms, body: StepCall, name: Annotated[str, Path(max_length=64, examples=["own_job"])]
) -> Answered:
    """Do one step of the attempt's worker in its store, once."""
    fence = call.caller.require_worker("a step")
    step = STEPS.get(name)
    if step is None:
        raise NotFound(f"there is no step {name!r}")
    arguments = wire.arguments_from_json(step.function, body.arguments)
    if step.writes:
        return Answered(answer=_once(call, fence, step, body.call_id, arguments))
    with call.stores.read() as reader:
        require_running(reader, fence)
        return Answered(
            answer=wire.answer_to_json(step.function, step.function(reader, fence, call.now_ms, **arguments))
        )


def _once(call: Called, fence: Fence, step: Step, call_id: str, arguments: Mapping[str, Any]) -> Any:
    with call.stores.write() as tx:
        require_running(tx, fence)
        before = leases.recall(tx, fence, call_id)
        if before is not None:
            return json.loads(before)
        answer = wire.answer_to_json(step.function, step.function(tx, fence, call.now_ms, **arguments))
        if step.function is not job_steps.record_ending:  # after that the token opens nothing, and no answer is kept
            leases.remember(tx, fence, call_id, json.dumps(answer))
    return answer


def _ms(terms: NodeTerms) -> int:
    return round(terms.lease_s * 1000)
