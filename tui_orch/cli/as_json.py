"""The JSON of every command: plain dicts of jobs, ledgers, trees and asks, and how they are written.

``cost_usd`` is of a job and all below it, as in a ledger; ``own_cost_usd`` of its own attempts. Times are milliseconds
since 1970 in UTC. The names do not change; new ones may be added.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from store.models import Ask, Attempt, Job, LedgerEntry, Rule, Tree, Workspace
from store.permission_rule import offered
from tui_orch.client.text import clean_json


def job(found: Job, ledger: Sequence[LedgerEntry] | None = None, workspace: Workspace | None = None) -> dict[str, Any]:
    """Return a job; where ``ledger`` is given, with what it knows of its children and where its own work is."""
    values: dict[str, Any] = {
        "id": found.id,
        "parent_id": found.parent_id,
        "root_id": found.root_id,
        "depth": found.depth,
        "batch": batch_name(found.parent_id, found.batch),
        "kind": found.kind.value,
        "title": found.title,
        "status": found.status.value,
        "reason": found.reason,
        "request": found.request,
        "argv": None if found.argv is None else list(found.argv),
        "model": found.model,
        "priority": found.priority,
        "budget_usd": found.budget_usd,
        "result": found.result,
        "error": found.error,
        "data": found.data,
        "denials": list(found.denials),
        "cost_usd": found.subtree_cost_usd,
        "own_cost_usd": found.cost_usd,
        "tokens": found.subtree_tokens,
        "attempts": found.attempt,
        "children": found.children,
        "open_children": found.open_children,
        "open_asks": found.open_asks,
        "activity": found.activity,
        "session_id": found.session_id,
        "created_ms": found.created_ms,
        "started_ms": found.started_ms,
        "ended_ms": found.ended_ms,
        "deadline_ms": found.deadline_ms,
    }
    if ledger is not None:
        values["ledger"] = [entry(of, found.id) for of in ledger]
        values["workspace"] = None if workspace is None else work(workspace)
    return values


def entry(found: LedgerEntry, parent_id: int) -> dict[str, Any]:
    """Return one child as its parent sees it."""
    return asdict(found) | {
        "parent_id": parent_id,
        "batch": batch_name(parent_id, found.batch),
        "kind": found.kind.value,
        "status": found.status.value,
        "workspace": None if found.workspace is None else work(found.workspace),
    }


def work(found: Workspace) -> dict[str, Any]:
    """Return where a job's work is: its branch, how much it changed, and whether the branch above has it."""
    return {
        "branch": found.branch,
        "start_commit": found.start_commit,
        "commit": found.head_commit,
        "files": found.files,
        "insertions": found.insertions,
        "deletions": found.deletions,
        "merged": found.is_merged,
        "conflict_with": found.conflict_with,
        "conflicts": list(found.conflicts),
        "on_disk": found.made_ms is not None and found.removed_ms is None,
        "deleted": found.deleted_ms is not None,
    }


def attempt(found: Attempt) -> dict[str, Any]:
    """Return one attempt; ``cost_usd`` and the tokens are its own."""
    values = asdict(found)
    del values["job_id"]
    used: dict[str, Any] = values.pop("usage")
    return values | used


def ask(found: Ask, path: Sequence[Job] | None = None) -> dict[str, Any]:
    """Return one ask; with ``path``, the jobs from the root down to the one that asks."""
    values = asdict(found) | {"options": list(found.options), "suggestions": list(found.suggestions)}
    values["offered"] = list(offered(found))
    if path is not None:
        values["path"] = [{"id": above.id, "title": above.title} for above in path]
    return values


def rule(found: Rule) -> dict[str, Any]:
    """Return one rule."""
    return asdict(found)


def tree(found: Tree) -> dict[str, Any]:
    """Return a tree's limits and ways."""
    return asdict(found) | {"needs": None if found.needs is None else found.needs.as_json()}


def batch_name(parent_id: int | None, batch: int | None) -> str | None:
    """Return a batch as people and workers call it, ``12-1``."""
    return None if parent_id is None or batch is None else f"{parent_id}-{batch}"


def text(value: Any) -> str:
    """Return JSON that is safe on a terminal and means exactly ``value``."""
    return clean_json(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: object) -> object:
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON")
