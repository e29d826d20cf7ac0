"""Turns rows into records: the one place that knows the order of columns and which of them hold JSON."""

import functools
import json
from typing import Any

from store.models import Ask, Attempt, Change, Job, LedgerEntry, Tree, Usage, Workspace
from store.needs import Needs, read_needs
from store.states import Kind, Status

JOB_COLUMNS = (
    "id, parent_id, root_id, depth, batch, kind, title, request, argv, model, priority, timeout_s, budget_usd, status, reason, attempt, "
    "tries, own_status, result, error, data, denials, session_id, waiting_for, delivered, children, open_children, open_asks, "
    "lending, wants_slot, stop_reason, stop_requested_ms, not_before_ms, deadline_ms, created_ms, changed_ms, started_ms, "
    "ended_ms, activity, activity_ms, cost_usd, subtree_cost_usd, tokens, subtree_tokens, seq, needs"
)
TREE_COLUMNS = (
    "root_id, max_depth, max_jobs, max_children, max_workers, max_attempts, timeouts_s, budget_usd, work_dir, model, "
    "permission_mode, allowed_tools, setting_sources, park_after_s, paused_ms, jobs, workspace, repository, base_branch, base_commit, "
    "branch_prefix, workspace_setup, needs"
)
ATTEMPT_COLUMNS = (
    "job_id, number, started_ms, claimed_ms, ended_ms, pid, outcome, reason, error, exit_code, session_id, cost_usd, "
    "input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, turns, session_cost_usd, lease_until_ms, host"
)
ASK_COLUMNS = (
    "asks.id, asks.job_id, (SELECT root_id FROM jobs WHERE jobs.id = asks.job_id), asks.attempt, asks.kind, asks.tool, "
    "asks.input, asks.question, asks.options, asks.title, asks.suggestions, asks.created_ms, asks.answer, asks.text, "
    "asks.rule_id, asks.answered_ms"
)
CHANGE_COLUMNS = "seq, job_id, at_ms, status, reason, attempt"
WORKSPACE_COLUMNS = (
    "workspaces.job_id, workspaces.branch, start_commit, head_commit, merged_commit, merges, conflict_with, conflicts, files, "
    "insertions, deletions, size_bytes, made_ms, removed_ms, deleted_ms"
)
LEDGER_COLUMNS = (
    "jobs.id, batch, kind, title, request, status, reason, result, error, data, subtree_cost_usd, attempt, delivered, "
    f"{WORKSPACE_COLUMNS}"
)
_LEDGER_ALONE = 13


def loads(text: str | None) -> Any:
    """Return the value of a JSON column, None for NULL; the text itself where Python does not go as deep or as far as JSON may."""
    try:
        return None if text is None else json.loads(text)
    except (RecursionError, ValueError):  # nested a thousand levels deep, a number of five thousand digits
        return text


def dumps(value: Any) -> str | None:
    """Return the text for a JSON column, NULL for None. NaN and the infinities, which JSON has not, become null."""
    if value is None:
        return None
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        finite = json.loads(json.dumps(value), parse_constant=lambda _: None)
        text = json.dumps(finite, ensure_ascii=False, separators=(",", ":"))
    return storable(text)


def storable(text: str | None) -> str | None:
    """Return ``text`` with "?" for what is no character (half a UTF-16 pair): what a worker says is never lost for it."""
    return None if text is None else text.encode("utf-8", "replace").decode()


@functools.lru_cache(maxsize=64)  # of many rows it is the same, and mostly the empty one
def strings(text: str | None) -> tuple[str, ...] | None:
    """Return a JSON array of strings as a tuple, None for NULL."""
    return None if text is None else tuple(json.loads(text))


@functools.lru_cache(maxsize=64)
def needs(text: str | None) -> Needs | None:
    """Return the needs of a JSON column, None for NULL."""
    return None if text is None else read_needs(text)


def job(row: tuple[Any, ...]) -> Job:
    """Return the record of a row of ``JOB_COLUMNS``."""
    values = dict(zip(Job.__dataclass_fields__, row, strict=True))
    values["kind"] = Kind(values["kind"])
    values["status"] = Status(values["status"])
    values["own_status"] = None if values["own_status"] is None else Status(values["own_status"])
    values["argv"] = strings(values["argv"])
    values["data"] = loads(values["data"])
    values["denials"] = () if values["denials"] == "[]" else tuple(loads(values["denials"]))
    values["needs"] = needs(values["needs"])
    for name in ("wants_slot", "delivered"):
        values[name] = bool(values[name])
    return Job(**values)


def tree(row: tuple[Any, ...]) -> Tree:
    """Return the record of a row of ``TREE_COLUMNS``."""
    values = dict(zip(Tree.__dataclass_fields__, row, strict=True))
    values["timeouts_s"] = tuple(float(seconds) for seconds in json.loads(values["timeouts_s"]))
    values["allowed_tools"] = strings(values["allowed_tools"]) or ()
    values["setting_sources"] = strings(values["setting_sources"])
    values["needs"] = needs(values["needs"])
    return Tree(**values)


def workspace(row: tuple[Any, ...]) -> Workspace:
    """Return the record of a row of ``WORKSPACE_COLUMNS``."""
    values = dict(zip(Workspace.__dataclass_fields__, row, strict=True))
    for name in ("merges", "conflicts"):
        values[name] = tuple(loads(values[name]))
    return Workspace(**values)


def attempt(row: tuple[Any, ...]) -> Attempt:
    """Return the record of a row of ``ATTEMPT_COLUMNS``."""
    used = Usage(*row[11:18])
    job_id, number, started_ms, claimed_ms, ended_ms, pid, outcome, reason, error, exit_code, session_id = row[:11]
    begun = (job_id, number, started_ms, claimed_ms, ended_ms, pid)
    return Attempt(*begun, outcome, reason, error, exit_code, session_id, used, *row[18:])


def ask(row: tuple[Any, ...]) -> Ask:
    """Return the record of a row of ``ASK_COLUMNS``."""
    values = dict(zip(Ask.__dataclass_fields__, row, strict=True))
    values["input"] = loads(values["input"])
    for name in ("options", "suggestions"):
        values[name] = strings(values[name]) or ()
    return Ask(**values)


def change(row: tuple[Any, ...]) -> Change:
    """Return the record of a row of ``CHANGE_COLUMNS``."""
    seq, job_id, at_ms, status, reason, number = row
    return Change(seq, job_id, at_ms, Status(status), reason, number)


def ledger_entry(row: tuple[Any, ...]) -> LedgerEntry:
    """Return the record of a row of ``LEDGER_COLUMNS``."""
    values = dict(zip(LedgerEntry.__dataclass_fields__, row[:_LEDGER_ALONE], strict=False))
    values["workspace"] = None if row[_LEDGER_ALONE] is None else workspace(row[_LEDGER_ALONE:])
    values["kind"] = Kind(values["kind"])
    values["status"] = Status(values["status"])
    values["data"] = loads(values["data"])
    values["delivered"] = bool(values["delivered"])
    return LedgerEntry(**values)
