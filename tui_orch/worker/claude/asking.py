"""Asks a person through the store and waits: first with the process alive and its slot lent, then not at all.

Owns the life of an ask within a run. Who asks and what an answer means to it is not known here.
"""

import asyncio
from collections.abc import Collection, Sequence

from store.models import Ask
from tui_orch.worker.claude import claude_steps
from tui_orch.worker.claude.fenced import FencedSteps
from tui_orch.worker.claude.question import Decision, Permit, Question
from tui_orch.worker.claude.turn import Turn
from tui_orch.worker.masking import Mask


class Person:
    """Asks for one run. ``told``: answers that stood in the run's prompt already."""

    def __init__(
        self, steps: FencedSteps, turn: Turn, park_after_s: float, told: Sequence[Ask] = (), mask: Mask | None = None
    ) -> None:
        self._steps = steps
        self._turn = turn
        self._park_after_s = park_after_s
        self._told = tuple(ask.id for ask in told)
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
        found = self._steps.change(claude_steps.ask, self._mask.of_any(question), self._told)
        if isinstance(found, Ask):
            self._use(found.id)
            return found
        return await self._answer(found)

    async def may(self, question: Question, known: Collection[str] = ()) -> Permit | None:
        """Return whether a call may be made, by the rules in force now or by a person; None as in ``ask``.

        ``known``: rules that Claude Code applies by itself. Raises StaleAttempt.
        """
        found = self._decided(question, known, asks_person=True)
        if found.permit is not None or found.ask_id is None:
            return found.permit
        answer = await self._answer(found.ask_id)
        return None if answer is None else self._steps.look(claude_steps.permit_of, answer.id)

    def ruled(self, question: Question) -> Permit | None:
        """Return what the rules or an earlier answer say to a call, without asking. Raises StaleAttempt."""
        return self._decided(question, (), asks_person=False).permit

    def _decided(self, question: Question, known: Collection[str], *, asks_person: bool) -> Decision:
        stored = self._mask.of_any(question)
        given = (question, stored, tuple(known), self._told, asks_person)
        found = self._steps.change(claude_steps.decide_call, *given)
        if found.permit is not None and found.ask_id is not None:
            self._use(found.ask_id)
        return found

    def _use(self, ask_id: int) -> None:
        """An answer that stood in the prompt counts once: the same call again is a new question."""
        self._told = tuple(each for each in self._told if each != ask_id)

    async def _answer(self, ask_id: int) -> Ask | None:
        answer = await self._wait(ask_id)
        if answer is None:
            self._turn.waits_for = "ask"
            return None
        self._steps.change(claude_steps.use_answers, [ask_id])
        return answer

    async def _wait(self, ask_id: int) -> Ask | None:
        self._waiting += 1
        if self._waiting == 1:
            self._steps.change(claude_steps.lend)
        try:
            answer = await self._steps.until(self._park_after_s, claude_steps.answer_of, ask_id)
        finally:
            self._waiting -= 1
        if answer is not None:
            await self._slot_again()
        return answer

    async def _slot_again(self) -> None:
        """Wait until the supervisor has given the slot back: more workers than allowed must not run."""
        async with self._slot:
            self._steps.change(claude_steps.want)
            await self._steps.until(None, claude_steps.has_slot)
