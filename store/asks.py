"""Asks: what workers want to know from a person, stored until it is answered, once.

Owns asking, answering and handing the answer to the worker. Decides nothing for the person.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from store import rows
from store.claim import require_running
from store.database import Reader, Transaction
from store.errors import BadInput, IllegalChange, NotFound
from store.finish import settle
from store.models import Ask, Fence

_INSERT = "INSERT INTO asks(job_id, attempt, kind, tool, input, question, options, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_ANSWERED = "SELECT {columns} FROM asks WHERE job_id = ? AND kind = ? AND tool IS ? AND input IS ? AND answer IN ('allow', 'deny', 'answered') AND used_ms IS NULL ORDER BY id LIMIT 1"
_UNUSED = "SELECT {columns} FROM asks WHERE job_id = ? AND answer IN ('allow', 'deny', 'answered') AND used_ms IS NULL ORDER BY id"


def ask(
    tx: Transaction,
    fence: Fence,
    *,
    kind: Literal["permission", "question"],
    question: str,
    now_ms: int,
    tool: str | None = None,
    input: Mapping[str, Any] | None = None,  # noqa: A002 - the word that Claude Code uses for it
    options: Sequence[str] = (),
) -> int:
    """Store an ask of the running attempt. Return its id. Raises StaleAttempt."""
    require_running(tx, fence)
    values = (
        fence.job_id,
        fence.attempt,
        kind,
        tool,
        _canonical(input),
        rows.storable(question),
        rows.dumps(list(options)),
        now_ms,
    )
    return tx.insert(_INSERT, values)


def answer(
    tx: Transaction, ask_id: int, verdict: Literal["allow", "deny", "answered"], text: str | None, now_ms: int
) -> Ask:
    """Answer an open ask and let its job go on. Raises NotFound, BadInput, and IllegalChange for a second answer."""
    found = get_ask(tx, ask_id)
    if found.answer is not None:
        said = "its job ended before an answer came" if found.answer == "void" else f"already answered: {found.answer}"
        raise IllegalChange(f"ask {ask_id} of job #{found.job_id} is closed, {said}")
    if verdict == "answered" and not (text or "").strip():
        raise BadInput(f"ask {ask_id} wants an answer in words; got nothing")
    if found.kind == "question" and verdict == "allow":
        raise BadInput(f"ask {ask_id} is a question: answer it in words (or deny it)")
    tx.run("UPDATE asks SET answer = ?, text = ?, answered_ms = ? WHERE id = ?", (verdict, text, now_ms, ask_id))
    settle(tx, found.job_id, now_ms)
    return get_ask(tx, ask_id)


def take_answer(
    tx: Transaction,
    fence: Fence,
    kind: str,
    tool: str | None,
    input: Mapping[str, Any] | None,  # noqa: A002 - as in ask
    now_ms: int,
) -> Ask | None:
    """Return the oldest answer to just this ask that the job has not acted on yet, and mark it as used; None if there is none."""
    require_running(tx, fence)
    row = tx.row(_ANSWERED.format(columns=rows.ASK_COLUMNS), (fence.job_id, kind, tool, _canonical(input)))
    if row is None:
        return None
    found = rows.ask(row)
    use_answer(tx, found.id, now_ms)
    return found


def use_answer(tx: Transaction, ask_id: int, now_ms: int) -> None:
    """Mark an answer as acted on, so that it is not handed out again."""
    tx.run("UPDATE asks SET used_ms = ? WHERE id = ? AND used_ms IS NULL", (now_ms, ask_id))


def unused_answers(reader: Reader, job_id: int) -> list[Ask]:
    """Return the answers that came while the job had no process and that it has not acted on yet."""
    return [rows.ask(row) for row in reader.rows(_UNUSED.format(columns=rows.ASK_COLUMNS), (job_id,))]


def get_ask(reader: Reader, ask_id: int) -> Ask:
    """Return one ask. Raises NotFound."""
    row = reader.row(f"SELECT {rows.ASK_COLUMNS} FROM asks WHERE asks.id = ?", (ask_id,))
    if row is None:
        raise NotFound(f"there is no ask {ask_id}; see: orch asks")
    return rows.ask(row)


def open_asks(reader: Reader, root_id: int | None = None, limit: int = 1_000) -> list[Ask]:
    """Return what waits for a person, oldest first; of one tree where ``root_id`` is given."""
    sql = f"""
        SELECT {rows.ASK_COLUMNS} FROM asks JOIN jobs AS asking ON asking.id = asks.job_id
        WHERE asks.answer IS NULL AND (? IS NULL OR asking.root_id = ?) ORDER BY asks.id LIMIT ?"""
    return [rows.ask(row) for row in reader.rows(sql, (root_id, root_id, limit))]


def job_asks(reader: Reader, job_id: int) -> list[Ask]:
    """Return all asks of one job, oldest first."""
    return [
        rows.ask(row)
        for row in reader.rows(f"SELECT {rows.ASK_COLUMNS} FROM asks WHERE asks.job_id = ? ORDER BY asks.id", (job_id,))
    ]


def _canonical(value: Mapping[str, Any] | None) -> str | None:
    # The order of keys means nothing, at any level: a resumed worker may ask the same with another.
    return None if value is None else rows.dumps(json.loads(json.dumps(value, sort_keys=True)))
