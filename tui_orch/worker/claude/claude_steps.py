"""The steps of a Claude Code worker: its briefing, its money, its questions to a person, its children. No SDK here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store import asks, budget, claim
from store.database import Reader, Transaction
from store.models import Ask, Fence, Job, LedgerEntry
from store.permission_rule import decide
from store.rules import rules_asked_for, ways_of
from store.tree import get_job, ledger
from tui_orch.worker.claude.briefing import Briefing, brief
from tui_orch.worker.claude.prompt import answer_text, refused_text
from tui_orch.worker.claude.question import Decision, Permit, Question
from tui_orch.worker.steps.registry import changes, looks


@dataclass(frozen=True, slots=True)
class LastLook:
    """What the store says when the run is over."""

    job: Job
    entries: tuple[LedgerEntry, ...]
    asked: tuple[Ask, ...]
    known_usd: float  # what the session had cost before


@looks
def briefing(reader: Reader, fence: Fence, now_ms: int, work_dir: Path, mark: str, fresh: bool) -> Briefing:
    """Return what a run begins with; see `brief`."""
    return brief(reader, fence.job_id, work_dir, mark, now_ms, fresh=fresh)


@looks
def last_look(reader: Reader, fence: Fence, _now_ms: int, session_id: str | None) -> LastLook:
    """Return what the ending depends on."""
    known_usd = claim.last_session_cost(reader, fence.job_id, session_id) if session_id else 0.0
    entries, asked = ledger(reader, fence.job_id), asks.job_asks(reader, fence.job_id)
    return LastLook(get_job(reader, fence.job_id), tuple(entries), tuple(asked), known_usd)


@looks
def own_ledger(reader: Reader, fence: Fence, _now_ms: int, batch: int | None = None) -> list[LedgerEntry]:
    """Return how the job's children stand, or those of one batch."""
    return ledger(reader, fence.job_id, batch)


@looks
def answer_of(reader: Reader, fence: Fence, _now_ms: int, ask_id: int) -> Ask | None:
    """Return an ask of the job once it is answered."""
    found = _own(reader, fence, ask_id)
    return found if found is not None and found.answer is not None else None


@looks
def permit_of(reader: Reader, fence: Fence, _now_ms: int, ask_id: int) -> Permit | None:
    """Return what the answer to an ask of the job means for the call that was asked for."""
    answer = _own(reader, fence, ask_id)
    return None if answer is None or answer.answer is None else _permit(reader, answer)


@looks
def has_slot(reader: Reader, fence: Fence, _now_ms: int) -> bool | None:
    """Tell whether the attempt's slot is its own again; None: not yet."""
    job = get_job(reader, fence.job_id)
    return True if not job.lending or job.attempt != fence.attempt else None


@changes
def reserve(tx: Transaction, fence: Fence, _now_ms: int) -> budget.Allowance:
    """Set aside what the attempt may spend."""
    return budget.reserve(tx, fence)


@changes
def note_session(tx: Transaction, fence: Fence, _now_ms: int, session_id: str) -> None:
    """Store Claude Code's session as soon as it is known."""
    claim.set_session(tx, fence, session_id)


@changes
def add_denials(tx: Transaction, fence: Fence, _now_ms: int, denials: list[Any]) -> None:
    """Keep refused calls for the job's next run."""
    claim.note_denials(tx, fence, denials)


@changes
def use_answers(tx: Transaction, fence: Fence, now_ms: int, ask_ids: list[int]) -> None:
    """Mark answers to the job's asks as acted on."""
    for ask_id in ask_ids:
        if _own(tx, fence, ask_id) is not None:
            asks.use_answer(tx, ask_id, now_ms)


@changes
def lend(tx: Transaction, fence: Fence, _now_ms: int) -> None:
    """Give the slot away while a person is waited for."""
    claim.lend_slot(tx, fence)


@changes
def want(tx: Transaction, fence: Fence, _now_ms: int) -> None:
    """Ask for the slot back."""
    claim.want_slot(tx, fence)


@changes
def ask(tx: Transaction, fence: Fence, now_ms: int, question: Question, told: tuple[int, ...]) -> Ask | int:
    """Return the answer that is there already, or the id of the ask, which may be open from before.

    ``told``: asks whose answers stood in the run's prompt. ``question`` holds no secrets any more.
    """
    return _known(tx, fence, question, told, now_ms) or _open_ask(tx, fence, question, now_ms)


@changes
def decide_call(
    tx: Transaction,
    fence: Fence,
    now_ms: int,
    question: Question,
    stored: Question,
    known: tuple[str, ...],
    told: tuple[int, ...],
    asks_person: bool,
) -> Decision:
    """Return what the rules or an earlier answer say to a call; where they say nothing, ask a person if ``asks_person``.

    The rules see the call as it is; what is kept of it, ``stored``, holds no secrets. ``known``: rules that Claude Code
    applies by itself. All in one transaction: a rule that is made meanwhile finds either this or the ask.
    """
    answer = _known(tx, fence, stored, told, now_ms)
    if answer is not None:
        return Decision(_permit(tx, answer), answer.id)
    rule = decide(ways_of(tx, fence.job_id), question.tool, question.input, known)
    if rule is None:
        return Decision(None, _open_ask(tx, fence, stored, now_ms) if asks_person else None)
    if rule.verdict == "allow":
        return Decision(Permit(True, "", (rule.rule,)))
    asks.refuse_by_rule(
        tx,
        fence,
        rule,
        question=stored.text,
        now_ms=now_ms,
        tool=stored.tool,
        input=stored.input,
        title=stored.title,
    )
    return Decision(Permit(False, refused_text(rule)))


def _own(reader: Reader, fence: Fence, ask_id: int) -> Ask | None:
    found = asks.get_ask(reader, ask_id)
    return found if found.job_id == fence.job_id else None


def _known(tx: Transaction, fence: Fence, question: Question, told: Sequence[int], now_ms: int) -> Ask | None:
    found = asks.take_answer(tx, fence, question.kind, question.tool, question.input, now_ms)
    if found is not None:
        return found
    answered = (_own(tx, fence, ask_id) for ask_id in told)
    return next((each for each in answered if each is not None and _is_same(each, question)), None)


def _permit(reader: Reader, answer: Ask) -> Permit:
    made = rules_asked_for(reader, answer)
    return Permit(
        answer.answer == "allow", answer_text(answer), tuple(rule.rule for rule in made if rule.verdict == "allow")
    )


def _open_ask(tx: Transaction, fence: Fence, question: Question, now_ms: int) -> int:
    """Return the id of the same ask that is still open from before, or of a new one."""
    for each in asks.job_asks(tx, fence.job_id):
        if each.answer is None and _is_same(each, question):
            return each.id
    return asks.ask(
        tx,
        fence,
        kind=question.kind,
        question=question.text,
        now_ms=now_ms,
        tool=question.tool,
        input=question.input,
        options=question.options,
        title=question.title,
        suggestions=question.suggestions,
    )


def _is_same(asked: Ask, question: Question) -> bool:
    return (asked.kind, asked.tool, asked.input) == (question.kind, question.tool, question.input)
