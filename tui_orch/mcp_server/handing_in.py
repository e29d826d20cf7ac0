"""``submit_request`` and ``spawn_subtasks``: work is handed in, as a new tree of a person or as children of a job.

Whether the limits allow it is the store's to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread

from store.browse import sibling_ids
from store.database import Reader, Transaction
from store.errors import BadInput, NotAllowed, NotFound
from store.models import Fence, NewJob, NewTree, Spawned
from store.permission_rule import BASH, covers, decide
from store.rules import rules_for
from store.settings import Settings, get_settings
from store.states import Kind
from store.submit import spawn, submit_tree
from store.tree import get_job, get_tree
from tui_orch.client.caller import Caller
from tui_orch.mcp_server.answer import Answer, Progress, told
from tui_orch.mcp_server.desk import Desk
from tui_orch.mcp_server.given import BadArguments, Given
from tui_orch.request.compose import compose, title_of
from tui_orch.request.document import load_text
from tui_orch.request.limits import DEFAULT_MAX_DEPTH, Config, limits_of, needs_of, read_config
from tui_orch.worker.claude.tasks import read_tasks
from tui_orch.worker.claude.wording import sound
from tui_orch.workspace.choose import Choice, choose
from tui_orch.workspace.of_job import save_before_spawn

#: What a list of tasks says itself, so that its config must not.
_OF_TASKS = ("kind", "split")
_MOST_LISTED = 50
_MOST_CHILDREN = 1_000


@dataclass(frozen=True, slots=True)
class Made:
    """A tree that is stored, its root's children, and what a person should know of it."""

    root_id: int
    job_ids: list[int]
    notes: list[str]


async def submit_request(desk: Desk, given: Given, _: Progress) -> Answer:
    """Hand in a request as a new tree."""
    document = load_text(given.required_text("request"), "request")
    config = _config(given.mapping("config"))
    settings = await _settings(desk)
    new = compose(document, config, desk.ways.folder, default_max_depth=_max_depth(settings))
    _check_folder(new)
    choice = await _choose(new, settings)

    def change(tx: Transaction, caller: Caller, now_ms: int) -> Made:
        caller.require_person("a new tree", "add child jobs with the tool spawn_subtasks")
        return _insert(tx, choice, now_ms)

    return await _handed_in(desk, await desk.write(change, create=True))


async def spawn_subtasks(desk: Desk, given: Given, _: Progress) -> Answer:
    """Hand in a list of tasks: inside a job as its children, else as a tree of its own."""
    tasks = read_tasks(given.raw("tasks"))
    values = given.mapping("config")
    config = _config(values)
    for name in _OF_TASKS:
        if getattr(config, name) is not None:
            raise BadArguments(f"config of spawn_subtasks takes no {name}: each task has a kind, and is one job")
    settings = await _settings(desk)
    new = _group(tasks, config, desk.ways.folder, _max_depth(settings))
    _check_folder(new)
    nested = await _save_own_work(desk)
    choice = None if nested else await _choose(new, settings)

    def change(tx: Transaction, caller: Caller, now_ms: int) -> Made | Spawned:
        if caller.fence is None:
            return _insert(tx, choice or Choice(new), now_ms)
        if values.keys() - {"workspace"}:
            raise BadInput("inside a job the limits of its tree hold; leave config out")
        _require_allowed(tx, caller.fence, tasks)
        return spawn(tx, caller.fence, tasks, now_ms)

    made = await desk.write(change, create=True)
    if isinstance(made, Made):
        return await _handed_in(desk, made)
    ids = list(made.job_ids)
    text = f"Batch {made.name}: {len(ids)} subtask(s) of your job, {_listed(ids)}. wait_for_job waits for them."
    if values:
        text += " Where their work goes is the tree's to say: its workspace holds."
    return told(text, job_id=made.name, status="queued", job_ids=ids)


async def _save_own_work(desk: Desk) -> bool:
    """Let subtasks begin with what the calling job has changed so far; False where no job calls."""
    try:
        async with desk.held() as held:
            fence = held.caller.fence
            if fence is not None:
                await held.run(lambda store: save_before_spawn(store, fence))
            return fence is not None
    except NotFound:
        return False


async def _choose(new: NewTree, settings: Settings | None) -> Choice:
    return await anyio.to_thread.run_sync(choose, new, settings)


async def _handed_in(desk: Desk, made: Made) -> Answer:
    root_id, ids = made.root_id, made.job_ids
    parts = f" with {len(ids)} parts, {_listed(ids)}" if ids else ""
    text = f"Tree #{root_id} is handed in{parts}. It goes on by itself; wait_for_job tells when it has ended."
    broken = await desk.supervise()
    if broken is not None:
        text = f"Tree #{root_id} is stored{parts}, do not hand it in again; but it does not run: {broken}"
    text = " ".join([text, *(f"Note: {note}." for note in made.notes)])
    return told(text, job_id=str(root_id), status="queued", job_ids=ids)


async def _settings(desk: Desk) -> Settings | None:
    """Return what holds for the store; None before there is one, so that a bad request makes none."""
    try:
        return await desk.read(lambda reader, _: get_settings(reader))
    except NotFound:
        return None


def _max_depth(settings: Settings | None) -> int:
    return DEFAULT_MAX_DEPTH if settings is None else settings.max_depth


def _check_folder(new: NewTree) -> None:
    if not Path(new.work_dir).is_dir():
        raise BadInput(f"work_dir {new.work_dir} is no folder; workers run in one that is there")


def _insert(tx: Transaction, choice: Choice, now_ms: int) -> Made:
    root_id = submit_tree(tx, choice.new, now_ms)
    ids = sibling_ids(tx, root_id, limit=_MOST_CHILDREN)
    return Made(root_id, ids, choice.notes(get_tree(tx, root_id)))


def _config(values: Mapping[str, Any]) -> Config:
    return read_config(sound(dict(values)), "config")


def _group(tasks: Sequence[NewJob], config: Config, folder: Path, default_max_depth: int) -> NewTree:
    listed = "\n".join(f"{number}. {title_of(task.title or task.request)}" for number, task in enumerate(tasks, 1))
    named = f"{len(tasks)} subtasks" if len(tasks) > 1 else title_of(tasks[0].title or tasks[0].request)
    return NewTree(
        root=NewJob(listed, Kind.GROUP, config.title or named, priority=config.priority or 0),
        items=tuple(tasks),
        limits=limits_of(config, default_max_depth),
        work_dir=str(folder / config.work_dir) if config.work_dir else str(folder),
        model=config.model,
        permission_mode=config.permission_mode,
        allowed_tools=config.allowed_tools,
        setting_sources=config.setting_sources,
        park_after_s=config.park_after_s,
        workspace=config.workspace,
        workspace_setup=config.workspace_setup,
        needs=needs_of(config),
    )


def _require_allowed(tx: Transaction, fence: Fence, tasks: Sequence[NewJob]) -> None:
    """Refuse a Claude Code worker shell lines that no rule allows it. Raises NotAllowed.

    A command runs without Claude Code's permission rules, so a subtask must not be a way around them.
    """
    job = get_job(tx, fence.job_id)
    lines = [task.request for task in tasks if task.kind is Kind.COMMAND]
    if job.kind is not Kind.CLAUDE or not lines:
        return
    tree = get_tree(tx, job.root_id)
    if tree.permission_mode == "bypassPermissions":
        return
    for line in lines:
        if not _is_allowed(tx, fence, tree.allowed_tools, {"command": line}):
            raise NotAllowed(
                f"no rule lets job #{fence.job_id} run a shell line of these subtasks; hand them in with the worker's "
                "own tool spawn_subtasks, which asks a person, or use kind claude"
            )


def _is_allowed(reader: Reader, fence: Fence, of_tree: Sequence[str], call: Mapping[str, Any]) -> bool:
    rule = decide(rules_for(reader, fence.job_id), BASH, call)
    if rule is not None:
        return rule.verdict == "allow"
    return any(_covers(rule, call) for rule in of_tree)


def _covers(rule: str, call: Mapping[str, Any]) -> bool:
    try:
        return covers(rule, BASH, call)
    except BadInput:  # a rule that only Claude Code understands allows nothing here
        return False


def _listed(ids: Sequence[int]) -> str:
    shown = ", ".join(f"#{job_id}" for job_id in ids[:_MOST_LISTED])
    return shown if len(ids) <= _MOST_LISTED else f"{shown} and {len(ids) - _MOST_LISTED} more"
