"""Asks: what workers want to know from a person, stored until it is answered, once.

Owns asking, answering and handing the answer to the worker. Decides nothing for the person; an answer for good becomes
a rule, which answers what it covers (see ``rules``).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from store import rows
from store.brake import LIMIT_ASK, answer_limit
from store.claim import require_running
from store.database import Reader, Transaction
from store.errors import BadInput, IllegalChange, NotFound
from store.finish import settle
from store.models import Ask, Fence, Rule
from store.permission_rule import decide, meant_by, offered, parse
from store.rules import add_rule, rules_for
from store.tree import get_job, is_within

#: How far an answer goes: this call alone, its job and all below, or the whole tree.
Scope = Literal["once", "subtree", "tree"]

_INSERT = "INSERT INTO asks(job_id, attempt, kind, tool, input, question, options, title, suggestions, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ANSWERED = "SELECT {columns} FROM asks WHERE job_id = ? AND kind = ? AND tool IS ? AND input IS ? AND answer IN ('allow', 'deny', 'answered') AND used_ms IS NULL ORDER BY id LIMIT 1"
_REFUSED = "SELECT {columns} FROM asks WHERE job_id = ? AND kind = 'permission' AND tool IS ? AND input IS ? AND answer = 'deny' AND rule_id IS NOT NULL AND used_ms IS NOT NULL ORDER BY id LIMIT 1"
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
    title: str | None = None,
    suggestions: Sequence[str] = (),
) -> int:
    """Store an ask of the running attempt. Return its id. Raises StaleAttempt.

    ``title`` and ``suggestions`` are Claude Code's own words for a call, and the rules that it would keep for it.
    """
    require_running(tx, fence)
    values = (
        fence.job_id,
        fence.attempt,
        kind,
        tool,
        _canonical(input),
        rows.storable(question),
        rows.dumps(list(options)),
        rows.storable(title),
        rows.dumps(list(suggestions)),
        now_ms,
    )
    return tx.insert(_INSERT, values)


def answer(
    tx: Transaction,
    ask_id: int,
    verdict: Literal["allow", "deny", "answered"],
    text: str | None,
    now_ms: int,
    *,
    scope: Scope = "once",
    rules: Sequence[str] = (),
) -> Ask:
    """Answer an open ask and let its job go on.

    With scope ``subtree`` (its job and all below) or ``tree`` the verdict is kept as rules: those given, or what
    `permission_rule.offered` says; every other open ask there that they cover is answered by them. Raises NotFound,
    BadInput, and IllegalChange for a second answer.
    """
    found = get_ask(tx, ask_id)
    if found.answer is not None:
        said = "its job ended before an answer came" if found.answer == "void" else f"already answered: {found.answer}"
        raise IllegalChange(f"ask {ask_id} of job #{found.job_id} is closed, {said}")
    if verdict == "answered" and not (text or "").strip():
        raise BadInput(f"ask {ask_id} wants an answer in words; got nothing")
    if found.kind == "question" and verdict == "allow":
        raise BadInput(f"ask {ask_id} is a question: answer it in words (or deny it)")
    if found.tool == LIMIT_ASK:  # it asks in the store's name: the job's worker has nothing to do with the answer
        answer_limit(tx, int((found.input or {}).get("until_ms", now_ms)), text)
        use_answer(tx, ask_id, now_ms)
    if scope == "once":
        if rules:
            raise BadInput("a rule needs to know how far it goes: for the subtree of the job, or for its tree")
        _close(tx, found, verdict, text, None, now_ms)
        return get_ask(tx, ask_id)
    top_id = found.job_id if scope == "subtree" else get_job(tx, found.job_id).root_id
    made = _keep(tx, found, verdict, text, top_id, rules, now_ms)
    _close(tx, found, verdict, text, made, now_ms)
    apply_rules(tx, top_id, now_ms)
    return get_ask(tx, ask_id)


def apply_rules(tx: Transaction, top_id: int, now_ms: int) -> int:
    """Answer the open asks of a subtree that the rules in force decide; to be called after a new rule. Return how many."""
    answered = 0
    for other in open_asks(tx, get_job(tx, top_id).root_id):
        if other.kind != "permission" or not is_within(tx, other.job_id, top_id):
            continue
        rule = decide(rules_for(tx, other.job_id), other.tool or "", other.input)
        if rule is not None:
            _close(tx, other, rule.verdict, rule.text, rule.id, now_ms)
            answered += 1
    return answered


def _keep(
    tx: Transaction, ask: Ask, verdict: str, text: str | None, top_id: int, rules: Sequence[str], now_ms: int
) -> int:
    if ask.kind != "permission" or verdict == "answered":
        raise BadInput(f"ask {ask.id} can be answered once only; a rule allows or denies calls of a tool")
    own = offered(ask)
    wanted = tuple(rules) or own
    if not wanted:
        raise BadInput(f"no rule says just what ask {ask.id} asks for; answer it once, or name a rule")
    for rule in wanted:
        parse(rule)
    if not meant_by(wanted, ask):
        hint = f"; offered: {', '.join(own)}" if own else ""
        raise BadInput(f"{', '.join(wanted)} is not about what ask {ask.id} asks for{hint}")
    return [add_rule(tx, top_id, verdict, rule, now_ms, text=text, ask_id=ask.id) for rule in wanted][-1]


def _close(tx: Transaction, ask: Ask, verdict: str, text: str | None, rule_id: int | None, now_ms: int) -> None:
    tx.run(
        "UPDATE asks SET answer = ?, text = ?, rule_id = ?, answered_ms = ? WHERE id = ?",
        (verdict, rows.storable(text), rule_id, now_ms, ask.id),
    )
    settle(tx, ask.job_id, now_ms)


def refuse_by_rule(
    tx: Transaction,
    fence: Fence,
    rule: Rule,
    *,
    question: str,
    now_ms: int,
    tool: str,
    input: Mapping[str, Any],  # noqa: A002 - as in ask
    title: str | None = None,
) -> Ask:
    """Store that a rule has refused a call, as an ask that was answered at once, so that the job can tell it.

    The same call refused again is stored once. Raises StaleAttempt.
    """
    require_running(tx, fence)
    row = tx.row(_REFUSED.format(columns=rows.ASK_COLUMNS), (fence.job_id, tool, _canonical(input)))
    if row is not None:
        return rows.ask(row)
    ask_id = ask(tx, fence, kind="permission", question=question, now_ms=now_ms, tool=tool, input=input, title=title)
    _close(tx, get_ask(tx, ask_id), "deny", rule.text, rule.id, now_ms)
    use_answer(tx, ask_id, now_ms)
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
