"""One run of a Claude Code session for a job, from the rows in the store to an ending.

1. read what the run begins with, and write the prompt from it (``briefing``)
2. start Claude Code and say it; a session that is gone is begun anew, once
3. hear every message: transcript, session id, activity line, and what the ending is decided from
4. on SIGTERM end its turn, then its process; the session can be resumed
5. judge how it ended (``judge``)

Decides nothing by itself, and never records the end of the attempt.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from claude_agent_sdk import Message

from store.budget import Allowance
from store.errors import StaleAttempt, StoreBusy
from store.models import LedgerEntry, Outcome
from store.states import FINAL, Reason, Status
from tui_orch.worker.claude import claude_steps
from tui_orch.worker.claude.activity import Activity, describe
from tui_orch.worker.claude.asking import Person
from tui_orch.worker.claude.briefing import Briefing
from tui_orch.worker.claude.connection import Broken, Connection, ResumeRefused, Unusable
from tui_orch.worker.claude.denials import all_denials
from tui_orch.worker.claude.environment import exactly
from tui_orch.worker.claude.fenced import FencedSteps
from tui_orch.worker.claude.heard import Heard, hear
from tui_orch.worker.claude.hooks import ending_hooks
from tui_orch.worker.claude.judge import BUDGET_S, Findings, judge
from tui_orch.worker.claude.kept_report import keep, kept
from tui_orch.worker.claude.options import Callbacks, applied, claude_options
from tui_orch.worker.claude.permissions import Permissions
from tui_orch.worker.claude.tools import orch_server
from tui_orch.worker.claude.transcript import Transcript
from tui_orch.worker.claude.turn import Turn
from tui_orch.worker.claude.usage import own_usage
from tui_orch.worker.masking import Mask
from tui_orch.worker.save import save_for_children
from tui_orch.worker.steps import job_steps
from tui_orch.worker.steps.local import clock_ms
from tui_orch.worker.stop_signal import StopSignal
from tui_orch.worker.work import Ending, Finished, Released, Work

#: Seconds for Claude Code to take an interrupt, and then to end its turn, before its input is closed. With the 5 s that
#: closing may take, this stays below the grace of 10 s that a supervisor gives.
INTERRUPT_S = 1.5
END_TURN_S = 2.0
_MARK_BYTES = 8

_log = logging.getLogger(__name__)


def run_session(work: Work, signals: StopSignal) -> Ending:
    """Run one attempt; see ``tui_orch.worker.claude.run``."""
    with exactly(work.env), Transcript(work.folder, Mask.of(work.env)) as transcript:
        return asyncio.run(_run(work, transcript, signals))


async def _run(work: Work, transcript: Transcript, signals: StopSignal) -> Ending:
    run = Run(work, transcript)
    with heeding(signals, run.stop.set):
        return await run.ending()


class Run:
    """The one run of an attempt. ``stop`` set: end as soon as it can be done without loss."""

    def __init__(self, work: Work, transcript: Transcript) -> None:
        self.stop = asyncio.Event()
        self._work = work
        self._transcript = transcript
        self._steps = FencedSteps(work.steps)
        self._turn = Turn(keep=lambda report: keep(work.folder, self._mask.of_any(report)))
        self._heard = Heard()
        self._mask = Mask.of(work.env)
        self._activity = Activity(self._store_activity)
        self._spoken_to = False
        self._unusable = False  # no Claude Code could be started here
        self._heard_at = time.monotonic()
        self._allowance = Allowance(None)
        self._idle_s: float | None = None  # it was silent for so long, and was ended
        self._said_all = asyncio.Event()  # the turn is over, or the line is broken

    async def ending(self) -> Ending:
        """Run to the end. Raises StaleAttempt when the job has gone on without this attempt."""
        briefing = self._brief(fresh=False)
        said = (kept(self._work.folder.with_name(str(number))) for number in briefing.cut_off)
        self._turn.report = next((report for report in said if report is not None), None)
        self._allowance = self._steps.change(claude_steps.reserve)
        if self._allowance.why is not None:
            return Released(Reason.BUDGET, self._allowance.why, not_before_ms=clock_ms() + round(BUDGET_S * 1000))
        if not briefing.work_dir.is_dir() or briefing.work_dir.is_symlink():
            what = "a link now, and was a folder" if briefing.work_dir.is_symlink() else "gone"
            error = f"the folder of tree #{briefing.tree.root_id} is {what}: {briefing.work_dir}"
            return Finished(Outcome(Status.FAILED, Reason.BAD_REQUEST, error=error, retry=False))
        try:
            broke = await self._converse(briefing)
        except ResumeRefused as refused:
            _log.warning(
                "session %s of job #%d is gone, a new one begins: %s", briefing.resume, briefing.job.id, refused
            )
            briefing = self._brief(fresh=True)
            broke = await self._converse(briefing)
        self._activity.flush()
        if self._steps.stale.is_set():
            raise StaleAttempt(f"attempt {briefing.job.attempt} of job #{briefing.job.id} is over; its worker stops")
        return self._judge(briefing, broke)

    def _brief(self, *, fresh: bool) -> Briefing:
        mark = secrets.token_hex(_MARK_BYTES)
        return self._steps.look(claude_steps.briefing, self._work.work_dir, mark, fresh)

    async def _converse(self, briefing: Briefing) -> str | None:
        """Start Claude Code, say the prompt and hear it out. Return why it broke off, or None. Raises ResumeRefused."""
        person = Person(self._steps, self._turn, briefing.tree.park_after_s, briefing.told, self._mask)
        line = self._connection(briefing, person)
        talk = asyncio.create_task(self._talk(line, briefing))
        waits = (self.stop.wait(), self._steps.stale.wait(), self._until_silent(person))
        stops = [asyncio.create_task(wait) for wait in waits]
        try:
            await asyncio.wait({talk, *stops}, return_when=asyncio.FIRST_COMPLETED)
            if not talk.done():
                await self._end_turn(line, talk)
            await talk
        except ResumeRefused:
            raise
        except Broken as broken:
            self._unusable = isinstance(broken, Unusable)
            return f"{broken}\n{line.last_words}".strip()
        except asyncio.CancelledError:
            if not talk.cancelled():
                raise
        finally:
            for stop in stops:
                stop.cancel()
        return None

    async def _end_turn(self, line: Connection, talk: asyncio.Task[None]) -> None:
        if self._spoken_to:
            await line.interrupt(INTERRUPT_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._said_all.wait(), END_TURN_S)
        if not self._said_all.is_set():
            talk.cancel()  # but never while it closes the line: a close that is cut short leaves a process
        with suppress(Broken, asyncio.CancelledError):
            await talk

    async def _until_silent(self, person: Person) -> bool:
        """Return once Claude Code has said nothing for longer than the store allows; never, where it allows any time."""
        idle_s = self._steps.look(job_steps.settings).idle_timeout_s
        if not idle_s:
            await asyncio.Event().wait()
        while self._silent_s() < idle_s:
            await asyncio.sleep(min(1.0, idle_s / 4))
            if person.is_waiting:
                self._heard_at = time.monotonic()
        self._idle_s = idle_s
        return True

    def _silent_s(self) -> float:
        return time.monotonic() - self._heard_at

    def _connection(self, briefing: Briefing, person: Person) -> Connection:
        callbacks = Callbacks(
            server=orch_server(self._steps, self._turn, person, partial(save_for_children, self._work)),
            can_use_tool=Permissions(person, self._turn, applied(briefing.tree, briefing.rules)).can_use_tool,
            hooks=ending_hooks(self._turn),
        )
        options = claude_options(
            briefing.job,
            briefing.tree,
            work_dir=briefing.work_dir,
            env=self._work.env,
            appendix=briefing.appendix,
            resume=briefing.resume,
            ceiling_usd=self._allowance.usd,
            callbacks=callbacks,
            rules=briefing.rules,
        )
        return Connection(options)

    async def _talk(self, line: Connection, briefing: Briefing) -> None:
        async with line:
            if self.stop.is_set():
                return
            said = {"text": briefing.prompt.text, "resume": briefing.resume}
            self._transcript.write(clock_ms(), "Prompt", said)
            await line.say(briefing.prompt)
            self._spoken_to = True
            try:
                async for message in line.messages():
                    self._take(message, briefing)
            finally:
                self._said_all.set()

    def _take(self, message: Message, briefing: Briefing) -> None:
        self._heard_at = time.monotonic()
        self._transcript.write(clock_ms(), type(message).__name__, message)
        known = self._heard.session_id or briefing.resume
        self._heard = hear(self._heard, message)
        if self._heard.session_id is not None and self._heard.session_id != known:
            self._store_session(self._heard.session_id)
        if (text := describe(message, str(briefing.work_dir))) is not None:
            self._activity.show(text)

    def _store_session(self, session_id: str) -> None:
        # A busy store only costs the early note: the session's id comes with the ending too.
        with suppress(StaleAttempt, StoreBusy):
            self._steps.change(claude_steps.note_session, session_id)

    def _store_activity(self, text: str) -> None:
        # Called from a timer: StaleAttempt has set ``stale``, and a line that a busy store does not take is no loss.
        with suppress(StaleAttempt, StoreBusy):
            self._steps.change(job_steps.show_activity, self._mask.text(text))

    def _judge(self, briefing: Briefing, broke: str | None) -> Ending:
        heard = self._heard
        taken = heard.answered or (heard.result is not None and not heard.result.is_error)
        told = set(briefing.prompt.delivers) if taken else set()
        delivered = told | self._turn.delivered
        if taken:
            self._use_answers(briefing)
        last = self._steps.look(claude_steps.last_look, heard.session_id)
        denials = all_denials(
            heard.result.denials if heard.result else (), self._turn.parked, last.asked, last.job.denials
        )
        ending = judge(
            Findings(
                heard=heard,
                usage=own_usage(heard.result.totals if heard.result else None, heard.estimate, last.known_usd),
                now_ms=clock_ms(),
                report=self._turn.report,
                waits_for=self._turn.waits_for,
                unsettled=sum(is_unsettled(entry, delivered) for entry in last.entries),
                delivered=tuple(sorted(delivered)),
                denials=denials,
                broke=broke,
                stopped=self.stop.is_set() or (broke is not None and last.job.stop_reason is not None),
                stop_reason=last.job.stop_reason,
                unusable=self._unusable,
                idle_s=self._idle_s,
            )
        )
        if denials and not isinstance(ending, Finished) and not self.stop.is_set():
            # The next run hears nothing of them. A run that was stopped was refused its last calls by that alone.
            kept = self._mask.of_any(denials)
            self._steps.change(claude_steps.add_denials, list(kept))
        return ending

    def _use_answers(self, briefing: Briefing) -> None:
        """Mark the answers that were told as used; a permission stays open for the call that it was given for."""
        used = [ask.id for ask in briefing.told if ask.answer != "allow"]
        if used:
            self._steps.change(claude_steps.use_answers, used)


def is_unsettled(entry: LedgerEntry, delivered: Collection[int]) -> bool:
    """Tell whether the job can not end because of this child: it is open, or the worker has not seen its result."""
    return entry.status not in FINAL or not (entry.delivered or entry.id in delivered)


@contextmanager
def heeding(signals: StopSignal, stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` in the running loop once a stop was or is asked for, within the block."""
    loop = asyncio.get_running_loop()

    def asked() -> None:
        loop.remove_reader(signals.fileno())  # it stays readable
        stop()

    loop.add_reader(signals.fileno(), asked)
    try:
        yield
    finally:
        loop.remove_reader(signals.fileno())
