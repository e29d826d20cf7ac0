"""Asks a person through the store and waits: first with the process alive and its slot lent, then not at all.

Owns the life of an ask within a run. Who asks and what an answer means to it is not known here.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from store import asks
from store.claim import lend_slot, want_slot
from store.database import Reader, Transaction
from store.models import Ask, Fence
from store.permission_rule import decide
from store.rules import rules_asked_for, ways_of
from store.tree import get_job
from tui_orch.worker.claude.fenced import FencedStore
from tui_orch.worker.claude.prompt import answer_text, refused_text
from tui_orch.worker.claude.turn import Turn
from tui_orch.worker.masking import Mask


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked. ``tool`` and ``input`` tell one ask from another: the same call gets the same answer."""

    kind: Literal["permission", "question"]
    text: str
    tool: str
    input: Mapping[str, Any]
    options: tuple[str, ...] = ()
    title: str | None = None
    suggestions: tuple[str, ...] = ()  # rules that Claude Code would keep


@dataclass(frozen=True, slots=True)
class Permit:
    """What a rule or a person says to a call. ``text`` is for the worker, ``rules`` allow it for good."""

    allowed: bool
    text: str
    rules: tuple[str, ...] = ()


class Person:
    """Asks for one run. ``told``: answers that stood in the run's prompt already."""

    def __init__(
        self, store: FencedStore, turn: Turn, park_after_s: float, told: Sequence[Ask] = (), mask: Mask | None = None
    ) -> None:
        self._store = store
        self._turn = turn
        self._park_after_s = park_after_s
        self._told = list(told)
        self._mask = mask or Mask()
        self._waiting = 0
        self._slot = asyncio.Lock()

    @property
    def is_waiting(self) -> bool:
        """Whether a person is asked now: until the answer comes, silence means nothing."""
        return self._waiting > 0

    async def ask(self, question: Question) -> Ask | None:
        """Return the answer; None when none came in time: the turn is marked to end, the ask stays in the store.

        An ask that the job has stored before is not stored twice. Raises StaleAttempt.
        """
        stored = self._mask.of_any(question)
        found = self._store.write(
            lambda tx, fence, now_ms: self._known(tx, fence, stored, now_ms) or _open_ask(tx, fence, stored, now_ms)
        )
        return found if isinstance(found, Ask) else await self._answer(found)

    async def may(self, question: Question, known: Collection[str] = ()) -> Permit | None:
        """Return whether a call may be made, by the rules in force now or by a person; None as in ``ask``.

        ``known``: rules that Claude Code applies by itself. Raises StaleAttempt.
        """
        found = self._store.write(
            lambda tx, fence, now_ms: (
                self._decided(tx, fence, question, now_ms, known)
                or _open_ask(tx, fence, self._mask.of_any(question), now_ms)
            )
        )
        if isinstance(found, Permit):
            return found
        answer = await self._answer(found)
        return None if answer is None else self._store.read(lambda reader: _permit(reader, answer))

    def ruled(self, question: Question) -> Permit | None:
        """Return what the rules or an earlier answer say to a call, without asking. Raises StaleAttempt."""
        return self._store.write(lambda tx, fence, now_ms: self._decided(tx, fence, question, now_ms))

    async def _answer(self, ask_id: int) -> Ask | None:
        answer = await self._wait(ask_id)
        if answer is None:
            self._turn.waits_for = "ask"
            return None
        self._store.write(lambda tx, _, now_ms: asks.use_answer(tx, ask_id, now_ms))
        return answer

    def _decided(
        self, tx: Transaction, fence: Fence, question: Question, now_ms: int, known: Collection[str] = ()
    ) -> Permit | None:
        """Look in the transaction that opens the ask: a rule that is made meanwhile finds either this or the ask."""
        stored = self._mask.of_any(question)
        answer = self._known(tx, fence, stored, now_ms)
        if answer is not None:
            return _permit(tx, answer)
        # The rules see the call as it is; what is kept of it holds no secrets.
        rule = decide(ways_of(tx, fence.job_id), question.tool, question.input, known)
        if rule is None or rule.verdict == "allow":
            return None if rule is None else Permit(True, "", (rule.rule,))
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
        return Permit(False, refused_text(rule))

    def _known(self, tx: Transaction, fence: Fence, question: Question, now_ms: int) -> Ask | None:
        found = asks.take_answer(tx, fence, question.kind, question.tool, question.input, now_ms)
        if found is not None:
            return found
        same = (ask for ask in self._told if (ask.kind, ask.tool, ask.input) == _identity(question))
        if (told := next(same, None)) is not None:
            self._told.remove(told)
        return told

    async def _wait(self, ask_id: int) -> Ask | None:
        self._waiting += 1
        if self._waiting == 1:
            self._store.write(lambda tx, fence, _: lend_slot(tx, fence))
        try:
            answer = await self._store.until(lambda reader: _answer_of(reader, ask_id), self._park_after_s)
        finally:
            self._waiting -= 1
        if answer is not None:
            await self._slot_again()
        return answer

    async def _slot_again(self) -> None:
        """Wait until the supervisor has given the slot back: more workers than allowed must not run."""
        async with self._slot:
            self._store.write(lambda tx, fence, _: want_slot(tx, fence))
            await self._store.until(self._has_slot)

    def _has_slot(self, reader: Reader) -> bool | None:
        job = get_job(reader, self._store.fence.job_id)
        return True if not job.lending or job.attempt != self._store.fence.attempt else None


def _permit(reader: Reader, answer: Ask) -> Permit:
    made = rules_asked_for(reader, answer)
    return Permit(
        answer.answer == "allow", answer_text(answer), tuple(rule.rule for rule in made if rule.verdict == "allow")
    )


def _answer_of(reader: Reader, ask_id: int) -> Ask | None:
    found = asks.get_ask(reader, ask_id)
    return found if found.answer is not None else None


def _open_ask(tx: Transaction, fence: Fence, question: Question, now_ms: int) -> int:
    """Return the id of the same ask that is still open from before, or of a new one."""
    for ask in asks.job_asks(tx, fence.job_id):
        if ask.answer is None and (ask.kind, ask.tool, ask.input) == _identity(question):
            return ask.id
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


def _identity(question: Question) -> tuple[str, str, Mapping[str, Any]]:
    return question.kind, question.tool, question.input
