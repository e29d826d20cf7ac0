"""Records how an attempt ended: in the store, or where the store can not be written, in a file beside the attempt.

A worker without the store writes it into its lock file. The supervisor takes either in once it sees that the worker has
gone. Any way the fence decides whether it counts.
"""

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from store import asks, brake, finish
from store.budget import look_again
from store.claim import require_running
from store.database import Transaction
from store.errors import BadInput
from store.home import write_private
from store.models import Fence, Outcome, Trouble, Usage
from store.states import Status
from store.tree import get_job
from tui_orch.worker.lock import line_left, lock_path
from tui_orch.worker.work import Ending, Finished, Released, Suspended

OUTCOME_FILE = "outcome.json"
_ATTEMPT = "SELECT ceiling_usd, token_sha256 FROM attempts WHERE job_id = ? AND number = ?"


@dataclass(frozen=True, slots=True)
class Left:
    """An ending that a worker has left beside its attempt. ``token_sha256``: of which attempt it is, if that was said."""

    ending: Ending
    token_sha256: str | None = None


def record(tx: Transaction, fence: Fence, ending: Ending, now_ms: int) -> Status:
    """Write the end of an attempt into the store and return the job's state; its money is free for others. Raises StaleAttempt."""
    return record_left(tx, fence, Left(ending), now_ms)


def record_left(tx: Transaction, fence: Fence, found: Left, now_ms: int) -> Status:
    """Do as ``record`` with what was left. Raises BadInput for what an attempt of another time has left in the same folder."""
    ceiling_usd, token_sha256 = tx.row(_ATTEMPT, (fence.job_id, fence.attempt)) or (None, None)
    if found.token_sha256 not in {None, token_sha256}:
        raise BadInput("it is of another attempt, which had this number in a copy of the store")
    if ceiling_usd is not None:
        look_again(tx, get_job(tx, fence.job_id).root_id)
    return _record(tx, fence, found.ending, now_ms)


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


def leave(folder: Path, ending: Ending) -> None:
    """Write the end of an attempt beside it, whole or not at all, and on the disk before this returns. Raises OSError."""
    write_private(folder / OUTCOME_FILE, line_of(Left(ending)) + "\n")


def line_of(found: Left) -> str:
    """Return it as the line that ``left`` reads."""
    said = {"kind": type(found.ending).__name__, "ending": asdict(found.ending)}
    if found.token_sha256 is not None:
        said["token_sha256"] = found.token_sha256
    return json.dumps(said, ensure_ascii=False)


def left(folder: Path) -> Left | None:
    """Return what a worker has left in its lock file, or by ``leave``; None: nothing. Raises ValueError for anything else."""
    path = lock_path(folder)
    try:
        line = line_left(folder)
        if line is None:
            path = folder / OUTCOME_FILE
            line = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"{path} can not be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not an outcome: {error}") from error
    try:
        said = json.loads(line)
        return Left(_ending(said), said.get("token_sha256"))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not an outcome: {error}") from error


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
