"""Records how an attempt ended: in the store, or where the store can not be written, in a file beside the attempt.

The supervisor takes such a file in once it sees that the worker has gone. Either way the fence decides whether it counts.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from store import finish
from store.database import Transaction
from store.home import write_private
from store.models import Fence, Outcome, Usage
from store.states import Status
from tui_orch.worker.work import Ending, Finished, Released, Suspended

OUTCOME_FILE = "outcome.json"


def record(tx: Transaction, fence: Fence, ending: Ending, now_ms: int) -> Status:
    """Write the end of an attempt into the store and return the job's state. Raises StaleAttempt."""
    match ending:
        case Finished(outcome, delivered):
            return finish.finish(tx, fence, outcome, now_ms, delivered)
        case Suspended(waiting_for, session_id, usage, delivered):
            return finish.suspend(tx, fence, waiting_for, session_id, usage, now_ms, delivered)
        case Released():
            return finish.release(
                tx,
                fence,
                ending.reason,
                now_ms,
                error=ending.error,
                session_id=ending.session_id,
                usage=ending.usage,
                not_before_ms=ending.not_before_ms,
                delivered=ending.delivered,
            )


def leave(folder: Path, ending: Ending) -> None:
    """Write the end of an attempt beside it, whole or not at all. Raises OSError."""
    said = {"kind": type(ending).__name__, "ending": asdict(ending)}
    write_private(folder / OUTCOME_FILE, json.dumps(said, ensure_ascii=False) + "\n")


def left(folder: Path) -> Ending | None:
    """Return what ``leave`` wrote, or None. Raises ValueError for a file that is not what it wrote."""
    try:
        text = (folder / OUTCOME_FILE).read_text("utf-8")
    except FileNotFoundError:
        return None
    try:
        return _ending(json.loads(text))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder / OUTCOME_FILE} is not an outcome: {error}") from error


def _ending(said: dict[str, Any]) -> Ending:
    values = said["ending"]
    values["delivered"] = tuple(values["delivered"])
    match said["kind"]:
        case "Finished":
            outcome = values["outcome"]
            outcome["status"] = Status(outcome["status"])
            outcome["usage"] = Usage(**outcome["usage"])
            outcome["denials"] = tuple(outcome["denials"])
            return Finished(Outcome(**outcome), values["delivered"])
        case "Suspended":
            return Suspended(**values | {"usage": Usage(**values["usage"])})
        case "Released":
            return Released(**values | {"usage": Usage(**values["usage"])})
        case other:
            raise KeyError(other)
