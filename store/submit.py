"""Inserts jobs: a new tree, or children of a running job. All of a call or nothing.

Computes no limit itself: the schema refuses what goes beyond one, for these functions as for anyone else.
"""

import os
from collections.abc import Collection, Sequence

from store import permission_rule
from store.claim import deadline, parent_deadline, require_running
from store.database import Transaction
from store.errors import BadInput, IllegalChange
from store.models import Fence, Ground, Limits, NewJob, NewTree, Spawned
from store.needs import Needs, parse_needs
from store.rows import dumps
from store.states import Kind, Status
from store.tree import get_job, get_tree

_INSERT = """
INSERT INTO jobs(parent_id, batch, kind, title, request, argv, timeout_s, model, priority, budget_usd, needs, created_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_NEXT_BATCH = "SELECT coalesce(max(batch), 0) + 1 FROM jobs WHERE parent_id = ?"
_SET_TREE = """
UPDATE trees SET
  max_depth = coalesce(?, max_depth), max_jobs = coalesce(?, max_jobs), max_children = coalesce(?, max_children),
  max_workers = coalesce(?, max_workers), max_attempts = coalesce(?, max_attempts), timeouts_s = coalesce(?, timeouts_s),
  budget_usd = coalesce(?, budget_usd), work_dir = ?, model = ?, permission_mode = coalesce(?, permission_mode),
  allowed_tools = coalesce(?, allowed_tools), setting_sources = ?, park_after_s = coalesce(?, park_after_s)
WHERE root_id = ?
"""
_SET_GROUND = """
UPDATE trees SET workspace = 'worktree', repository = ?, base_branch = ?, base_commit = ?, branch_prefix = ?, workspace_setup = ?
WHERE root_id = ?
"""
_GROUP_WAITS = """
UPDATE jobs SET status = 'waiting', reason = 'children', waiting_for = 'children', started_ms = ?, deadline_ms = ?, changed_ms = ?
WHERE id = ?
"""


def submit_tree(tx: Transaction, new: NewTree, now_ms: int) -> int:
    """Insert a root job with its tree, and for a group its items as children. Return the root's id.

    Raises BadInput for a value out of range and LimitExceeded for more items than the limits allow.
    """
    if (new.root.kind is Kind.GROUP) != bool(new.items):
        raise BadInput("a group has items, and only a group has them; a numbered list in the request gives them")
    root_id = _insert(tx, None, None, new.root, now_ms)
    tx.run(_SET_TREE, (*limit_values(new.limits), *_ways(new), root_id))
    if (needs := _stored(new.needs)) is not None:
        tx.run("UPDATE trees SET needs = ? WHERE root_id = ?", (needs, root_id))
    if new.ground is not None:
        _set_ground(tx, root_id, new.ground)
    if new.items:
        expand_group(tx, root_id, new.items, now_ms)
    return root_id


def expand_group(tx: Transaction, group_id: int, items: Sequence[NewJob], now_ms: int) -> tuple[int, ...]:
    """Give a queued group its children and let it wait for them. Return the children's ids.

    Raises IllegalChange where it is no group or is not queued any more, LimitExceeded, BadInput.
    """
    group = get_job(tx, group_id)
    if group.kind is not Kind.GROUP or group.status is not Status.QUEUED:
        raise IllegalChange(f"job #{group_id} is a {group.kind} and {group.status}; only a queued group gets items")
    if group.children:
        raise IllegalChange(f"group #{group_id} has its children already")
    batch = int(tx.value(_NEXT_BATCH, (group_id,)))
    ids = tuple(_insert(tx, group_id, batch, item, now_ms) for item in items)
    due_ms = deadline(get_tree(tx, group.root_id), group, now_ms, parent_deadline(tx, group))
    tx.run(_GROUP_WAITS, (now_ms, due_ms, now_ms, group_id))
    return ids


def spawn(tx: Transaction, fence: Fence, tasks: Sequence[NewJob], now_ms: int) -> Spawned:
    """Insert children of the running job that ``fence`` names, as one batch.

    Raises StaleAttempt when the attempt is over, LimitExceeded or IllegalChange when the tree refuses, BadInput for an
    empty list or a bad value. Nothing is inserted then.
    """
    require_running(tx, fence)
    if not tasks:
        raise BadInput("there are no tasks to spawn; give at least one")
    batch = int(tx.value(_NEXT_BATCH, (fence.job_id,)))
    return Spawned(fence.job_id, batch, tuple(_insert(tx, fence.job_id, batch, task, now_ms) for task in tasks))


def _set_ground(tx: Transaction, root_id: int, ground: Ground) -> None:
    store_id = tx.value("SELECT store_id FROM store")
    prefix = branch_prefix(root_id, str(store_id), ground.taken)
    tx.run(
        _SET_GROUND, (ground.repository, ground.base_branch, ground.base_commit, prefix, ground.setup or None, root_id)
    )


def branch_prefix(root_id: int, store_id: str, taken: Collection[str]) -> str:
    """Return the beginning of the names of a tree's branches: ``orch/12``, or a longer one where another store's tree has that."""
    plain = f"orch/{root_id}"
    names = (plain, *(f"{plain}-{store_id[:length]}" for length in range(4, len(store_id) + 1)))
    for name in names:
        if name not in taken and not any(branch.startswith(f"{name}/") for branch in taken):
            return name
    raise BadInput(f"the repository has branches {plain}/* and {names[-1]}/* already; rename or delete them")


def limit_values(limits: Limits) -> tuple[object, ...]:
    """Return the limits in the order of the columns of ``trees``, None where one is not given."""
    timeouts = None if limits.timeouts_s is None else dumps(list(limits.timeouts_s))
    return (
        limits.max_depth,
        limits.max_jobs,
        limits.max_children,
        limits.max_workers,
        limits.max_attempts,
        timeouts,
        limits.budget_usd,
    )


def _ways(new: NewTree) -> tuple[object, ...]:
    for rule in new.allowed_tools or ():
        permission_rule.parse(rule)
    sources = None if new.setting_sources is None else dumps(list(new.setting_sources))
    return (
        _settled(new.work_dir),
        new.model,
        new.permission_mode,
        None if new.allowed_tools is None else dumps(list(new.allowed_tools)),
        sources,
        new.park_after_s,
    )


def _insert(tx: Transaction, parent_id: int | None, batch: int | None, new: NewJob, now_ms: int) -> int:
    try:
        new.request.encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"the request is not valid Unicode at character {error.start}") from error
    argv = None if new.argv is None else dumps(list(new.argv))
    values = (
        parent_id,
        batch,
        new.kind.value,
        new.title,
        new.request,
        argv,
        new.timeout_s,
        new.model,
        new.priority,
        new.budget_usd,
        _stored(new.needs),
        now_ms,
    )
    return tx.insert(_INSERT, values)


def _stored(needs: Needs | None) -> str | None:
    return None if needs is None else dumps(parse_needs(needs.as_json()).as_json() or None)


def _settled(work_dir: str) -> str:
    # A link that is named is followed now, once; one that stands there later has been put in the folder's place.
    return os.path.realpath(work_dir) if os.path.isabs(work_dir) else work_dir
