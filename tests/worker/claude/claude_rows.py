"""Rows of the store made by hand, for tests of what is pure."""

from dataclasses import replace
from typing import Any

from store.models import Ask, Attempt, Job, LedgerEntry, Tree, Usage
from store.states import Kind, Status

EMPTY_JOB = dict.fromkeys(Job.__dataclass_fields__) | {"denials": (), "delivered": False, "lending": False}
COUNTS = (
    "priority",
    "attempt",
    "tries",
    "children",
    "open_children",
    "open_asks",
    "cost_usd",
    "subtree_cost_usd",
    "tokens",
)


def job(**given: Any) -> Job:
    """A running root job #1, or what ``given`` makes of it."""
    whole: dict[str, Any] = EMPTY_JOB | dict.fromkeys(COUNTS, 0) | {"wants_slot": False, "subtree_tokens": 0, "seq": 1}
    whole |= {"id": 1, "root_id": 1, "depth": 0, "kind": Kind.CLAUDE, "title": "Build it", "request": "Build it."}
    whole |= {"status": Status.RUNNING, "attempt": 1, "created_ms": 0}
    return Job(**whole | given)


def tree(**given: Any) -> Tree:
    whole: dict[str, Any] = dict.fromkeys(Tree.__dataclass_fields__)
    whole |= {"root_id": 1, "max_depth": 3, "max_jobs": 200, "max_children": 20, "max_workers": 5, "max_attempts": 2}
    whole |= {
        "timeouts_s": (3600.0,),
        "work_dir": "/srv/project",
        "permission_mode": "acceptEdits",
        "allowed_tools": (),
    }
    return Tree(**whole | {"park_after_s": 300.0, "jobs": 1} | given)


def entry(number: int, status: Status = Status.COMPLETED, **given: Any) -> LedgerEntry:
    whole = LedgerEntry(
        number, 1, Kind.CLAUDE, f"Part {number}", f"Do part {number}.", status, None, None, None, None, 0.1, 1, False
    )
    return replace(whole, **given)


def attempt(outcome: str | None, reason: str | None = None, **given: Any) -> Attempt:
    whole = Attempt(1, 1, 0, 0, 1, 1, outcome, reason, None, None, "session", Usage())
    return replace(whole, **given)


def ask(**given: Any) -> Ask:
    whole = Ask(
        7, 1, 1, 1, "permission", "Bash", {"command": "make"}, "May it?", (), None, (), 0, "allow", None, None, 1
    )
    return replace(whole, **given)
