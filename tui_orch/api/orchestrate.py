"""``POST /orchestrate``: hand in a request. By a key it makes a tree, by a job's token children of that job.

The rules are those of ``orch run``: ``request`` takes the text apart, the store refuses what goes beyond a limit.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header

from store.database import Reader, Transaction
from store.errors import BadInput, LimitExceeded
from store.handed_in import Handle, once
from store.models import Fence, Job, NewJob, NewTree, Tree
from store.settings import get_settings
from store.states import Status
from store.submit import spawn, submit_tree
from store.tree import children, get_job, get_tree
from tui_orch.api.asked import Orchestrate, OrchestrateConfig
from tui_orch.api.calls import Call, Called
from tui_orch.api.names import Named
from tui_orch.api.problems import DepthExceeded, documented
from tui_orch.api.told import Accepted
from tui_orch.api.views import batch_jobs, batch_state
from tui_orch.request.compose import compose
from tui_orch.request.document import RequestDocument, checked
from tui_orch.request.errors import RequestError
from tui_orch.request.limits import Config
from tui_orch.workspace.choose import Choice, choose
from tui_orch.workspace.of_job import save_before_spawn

router = APIRouter(tags=["orchestrate"])

#: What of a config holds for the children of a nested call; the rest is the tree's.
_FOR_CHILDREN = frozenset(
    {"title", "kind", "split", "model", "priority", "timeout", "needs", "max_depth", "current_depth"}
)
_NOT_ASKED_FOR = {"orchestrator_api_url", "orchestrator_api_key"}
#: What is said of the whole tree when it is handed in, and never again.
_CHOSEN_ONCE = frozenset({"workspace", "workspace_setup"})
_SOURCE = "the request"

#: A name that the caller makes up for what it hands in.
CallerName = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="The same request under the same name is handed in once, however often it is sent.",
    ),
]


@router.post("/orchestrate", responses=documented(400, 409))
def orchestrate(call: Called, body: Orchestrate, name: CallerName = None) -> Accepted:
    """Hand in a request: a new tree by a key of the server, children of the calling job by its token."""
    config = body.config or OrchestrateConfig()
    document = RequestDocument(checked(body.request, _SOURCE), config, _SOURCE)
    asked = json.dumps([document.request, config.model_dump(exclude=_NOT_ASKED_FOR, exclude_none=True)], sort_keys=True)
    notes: list[str] = []
    fence = call.caller.fence
    choice = _choice(call, document, config) if fence is None else None  # git takes its time: before the transaction
    if fence is not None:
        save_before_spawn(call.stores, fence)
    with call.stores.write() as tx:
        make = _tree_maker(tx, choice, call.now_ms, notes) if choice else _maker(call, tx, document, config, notes)
        handle, is_new = once(tx, call.caller.name, name, asked, call.now_ms, make)
        return _accepted(tx, handle, is_new=is_new, notes=notes)


def _choice(call: Call, document: RequestDocument, config: Config) -> Choice | RequestError:
    """Return the new tree with its ground; an error is kept, since what was handed in before needs no ground any more."""
    with call.stores.read() as reader:
        new = _new_tree(reader, document, config, call.stores.home.project)
        settings = get_settings(reader)
    try:
        return choose(new, settings)
    except RequestError as error:
        return error


def _tree_maker(tx: Transaction, choice: Choice | RequestError, now_ms: int, notes: list[str]) -> Callable[[], Handle]:
    def make() -> Handle:
        if isinstance(choice, RequestError):
            raise choice
        root_id = submit_tree(tx, choice.new, now_ms)
        notes.extend(choice.notes(get_tree(tx, root_id)))
        return Handle(root_id)

    return make


def _maker(
    call: Call, tx: Transaction, document: RequestDocument, config: Config, notes: list[str]
) -> Callable[[], Handle]:
    fence = call.caller.fence
    assert fence is not None
    job = get_job(tx, fence.job_id)
    tree = get_tree(tx, job.root_id)
    _check_depth(job, tree, config)
    tasks, said = _children(document, config, tree)
    notes += said
    return lambda: _spawn(tx, fence, job, tree, tasks, call.now_ms)


def _new_tree(reader: Reader, document: RequestDocument, config: Config, project: Path) -> NewTree:
    default = get_settings(reader).max_depth
    allowed = default if config.max_depth is None else config.max_depth
    if config.current_depth and config.current_depth >= allowed:
        why = f"the caller says that it is at depth {config.current_depth}, and max_recursion_depth is {allowed}"
        raise DepthExceeded(why, config.current_depth, allowed)
    new = compose(document, Config(), project, default_max_depth=default)
    if not Path(new.work_dir).is_dir():
        raise BadInput(f"work_dir {new.work_dir} is no folder; workers run in one that is there")
    return new


def _check_depth(job: Job, tree: Tree, config: Config) -> None:
    """Refuse what the caller's own depths refuse; they can only be stricter than the store's. Raises DepthExceeded."""
    allowed = tree.max_depth if config.max_depth is None else min(config.max_depth, tree.max_depth)
    current = max(config.current_depth or 0, job.depth)
    if current >= allowed:
        raise DepthExceeded(_why(job, current, allowed), current, allowed)


def _why(job: Job, current: int, allowed: int) -> str:
    return (
        f"job #{job.id} calls from depth {current}, and max_recursion_depth is {allowed}; do the work in this job, "
        f"or a person allows more: orch limits {job.root_id} --max-depth N"
    )


def _children(document: RequestDocument, config: Config, tree: Tree) -> tuple[list[NewJob], list[str]]:
    own = config.model_dump(include=set(_FOR_CHILDREN) - {"max_depth", "current_depth"}, exclude_none=True)
    made = compose(replace(document, config=Config.model_validate(own)), Config(), Path(tree.work_dir or "."))
    tasks = [
        replace(task, model=config.model, timeout_s=config.timeout, needs=made.needs)
        for task in (made.items or (made.root,))
    ]
    asked = config.model_dump(exclude=_NOT_ASKED_FOR, exclude_none=True)
    notes = [
        f"{key} is the whole tree's and stays as it is; a person changes it with: orch limits {tree.root_id}"
        for key in sorted(asked.keys() - _FOR_CHILDREN - _CHOSEN_ONCE)
    ]
    if asked.get("workspace", tree.workspace) != tree.workspace or asked.get("workspace_setup"):
        notes.append(f"workspace is the whole tree's and stays as it is: {tree.workspace}")
    if made.items and config.title:
        notes.append("title is for one job; the items of a list have their own")
    return tasks, notes


def _spawn(tx: Transaction, fence: Fence, job: Job, tree: Tree, tasks: list[NewJob], now_ms: int) -> Handle:
    try:
        made = spawn(tx, fence, tasks, now_ms)
    except LimitExceeded as error:
        if error.limit == "max_depth":
            raise DepthExceeded(_why(job, job.depth, tree.max_depth), job.depth, tree.max_depth) from error
        raise
    return Handle(made.parent_id, made.batch)


def _accepted(reader: Reader, handle: Handle, *, is_new: bool, notes: list[str]) -> Accepted:
    if handle.batch is None:
        made = children(reader, handle.job_id)
        status = get_job(reader, handle.job_id).status
    else:
        made = batch_jobs(reader, Named(handle.job_id, handle.batch))
        status = batch_state(made)
    return Accepted(
        job_id=handle.name,
        status=Status.QUEUED.value if is_new else status.value,
        job_ids=[str(job.id) for job in made],
        notes=notes,
    )
