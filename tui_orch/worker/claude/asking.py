"""Asks a person through the store and waits: first with the process alive and its slot lent, then not at all.

Owns the life of an ask within a run. Who asks and what an answer means to it is not known here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from store import asks
from store.claim import lend_slot, want_slot
from store.database import Reader, Transaction
from store.models import Ask, Fence
from store.tree import get_job
from tui_orch.worker.claude.fenced import FencedStore
from tui_orch.worker.claude.turn import Turn


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked. ``tool`` and ``input`` tell one ask from another: the same call gets the same answer."""

    kind: Literal["permission", "question"]
    text: str
    tool: str
    input: Mapping[str, Any]
    options: tuple[str, ...] = ()


class Person:
    """Asks for one run. ``told``: answers that stood in the run's prompt already."""

    def __init__(self, store: FencedStore, turn: Turn, park_after_s: float, told: Sequence[Ask] = ()) -> None:
        self._store = store
        self._turn = turn
        self._park_after_s = park_after_s
        self._told = list(told)
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
        known = self._store.write(lambda tx, fence, now_ms: self._known(tx, fence, question, now_ms))
        if known is not None:
            return known
        ask_id = self._store.write(lambda tx, fence, now_ms: _open_ask(tx, fence, question, now_ms))
        answer = await self._wait(ask_id)
        if answer is None:
            self._turn.waits_for = "ask"
            return None
        self._store.write(lambda tx, _, now_ms: asks.use_answer(tx, ask_id, now_ms))
        return answer

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
    )


def _identity(question: Question) -> tuple[str, str, Mapping[str, Any]]:
    return question.kind, question.tool, question.input
