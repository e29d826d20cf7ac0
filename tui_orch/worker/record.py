"""Records how an attempt ended: in the store, or where the store can not be written, in a file beside the attempt.

The supervisor takes such a file in once it sees that the worker has gone. Either way the fence decides whether it counts.
"""

import json
import random
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from store import asks, brake, finish
from store.budget import look_again
from store.claim import require_running
from store.database import Transaction
from store.home import write_private
from store.models import Fence, Outcome, Trouble, Usage
from store.states import Status
from store.tree import get_job
from tui_orch.worker.work import Ending, Finished, Released, Suspended

OUTCOME_FILE = "outcome.json"
_CEILING = "SELECT ceiling_usd FROM attempts WHERE job_id = ? AND number = ?"


def record(tx: Transaction, fence: Fence, ending: Ending, now_ms: int) -> Status:
    """Write the end of an attempt into the store and return the job's state; its money is free for others. Raises StaleAttempt."""
    if tx.value(_CEILING, (fence.job_id, fence.attempt)) is not None:
        look_again(tx, get_job(tx, fence.job_id).root_id)
    return _record(tx, fence, ending, now_ms)


def _record(tx: Transaction, fence: Fence, ending: Ending, now_ms: int) -> Status:
    match ending:
        case Finished(outcome, delivered):
            if outcome.status is Status.COMPLETED:
                brake.all_well(tx)
            return finish.finish(tx, fence, outcome, now_ms, delivered)
        case Suspended(waiting_for, session_id, usage, delivered):
            brake.all_well(tx)
            return finish.suspend(tx, fence, waiting_for, session_id, usage, now_ms, delivered)
        case Released():
            return _record_release(tx, fence, ending, now_ms)


def _record_release(tx: Transaction, fence: Fence, ending: Released, now_ms: int) -> Status:
    """Queue the job again; what holds up every worker puts the store's brake on, in the same transaction."""
    not_before_ms, trouble = ending.not_before_ms, ending.trouble
    if trouble is not None:
        require_running(tx, fence)  # a superseded attempt says nothing about now
        asked = brake.asks_person(tx, trouble) and ending.session_id is not None
        if asked:
            question, given = brake.limit_question(tx, trouble, now_ms)
            options = (brake.GO_ON, brake.STAY)
            asks.ask(
                tx,
                fence,
                kind="question",
                question=question,
                now_ms=now_ms,
                tool=brake.LIMIT_ASK,
                input=given,
                options=options,
            )
        not_before_ms = brake.meet(tx, trouble, now_ms, random.random())  # noqa: S311 - spreads starts, guards nothing
        if asked:
            return finish.suspend(tx, fence, "ask", ending.session_id, ending.usage, now_ms, ending.delivered)
    return finish.release(
        tx,
        fence,
        ending.reason,
        now_ms,
        error=ending.error,
        session_id=ending.session_id,
        usage=ending.usage,
        not_before_ms=not_before_ms,
        delivered=ending.delivered,
    )


def leave(folder: Path, ending: Ending, *, durable: bool = True) -> None:
    """Write the end of an attempt beside it, whole or not at all. Raises OSError.

    ``durable``: on the disk before this returns; else a machine that loses its power may lose it, as it would have lost the
    attempt.
    """
    said = {"kind": type(ending).__name__, "ending": asdict(ending)}
    write_private(folder / OUTCOME_FILE, json.dumps(said, ensure_ascii=False) + "\n", durable=durable)


def forget(folder: Path) -> None:
    """Remove what ``leave`` wrote, once it is in the store. That it stays harms nothing: its attempt is over."""
    with suppress(OSError):
        (folder / OUTCOME_FILE).unlink()


def left(folder: Path) -> Ending | None:
    """Return what ``leave`` wrote, or None. Raises ValueError for a file that is not what it wrote."""
    try:
        text = (folder / OUTCOME_FILE).read_text("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"{folder / OUTCOME_FILE} can not be read: {error.strerror}") from error
    try:
        return _ending(json.loads(text))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
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
            trouble = values.pop("trouble", None)
            values["usage"] = Usage(**values["usage"])
            return Released(**values, trouble=None if trouble is None else Trouble(**trouble))
        case other:
            raise KeyError(other)
