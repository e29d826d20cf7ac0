"""The tab of the attempts: each process that worked on the job, how it ended, what it took and used."""

from dataclasses import dataclass

from store.closeup import Closeup
from store.models import Attempt
from store.states import FINAL, Kind, Status
from tui_orch.client.measures import duration, moment, money
from tui_orch.client.text import one_line
from tui_orch.tui.detail.parts import fact, hint
from tui_orch.tui.detail.source import DetailSource
from tui_orch.tui.text.line import Line, Tone, blank, joined
from tui_orch.tui.text.line import lines as text_lines

_ERROR_CHARS = 4_000
_TONES = {
    "completed": Tone.COMPLETED,
    "failed": Tone.FAILED,
    "lost": Tone.FAILED,
    "cancelled": Tone.CANCELLED,
    "suspended": Tone.WAITING,
    "released": Tone.QUEUED,
}


@dataclass(frozen=True, slots=True)
class Tries:
    """A job and its last attempts, the newest first."""

    job: Closeup
    attempts: tuple[Attempt, ...]


def read(source: DetailSource, job_id: int) -> Tries:
    """Return what the tab shows. Raises StoreError."""
    return Tries(source.closeup(job_id), tuple(source.attempts(job_id)))


def lines(found: Tries, now_ms: int) -> list[Line]:
    """Return the tab."""
    job = found.job
    if job.kind is Kind.GROUP:
        return hint(f"#{job.id} is a group: it has no process, only its children.")
    if not found.attempts:
        return hint(*_none_yet(job, now_ms))
    shown: list[Line] = []
    for attempt in found.attempts:
        shown += [*_attempt(attempt, now_ms), blank()]
    if found.attempts[-1].number > 1:
        shown += hint(f"… attempts 1 to {found.attempts[-1].number - 1} are not shown")
    return shown


def _none_yet(job: Closeup, now_ms: int) -> list[str]:
    if job.status in FINAL:
        return ["It ended without an attempt."]
    if job.status is Status.QUEUED and job.not_before_ms is not None and job.not_before_ms > now_ms:
        return [f"No attempt yet: it is tried in {duration(job.not_before_ms - now_ms + 999)}."]
    return ["No attempt yet: it starts when a slot is free and a supervisor runs."]


def _attempt(attempt: Attempt, now_ms: int) -> list[Line]:
    outcome = attempt.outcome or ("running" if attempt.claimed_ms is not None else "starting")
    head = [(f"attempt {attempt.number}  ", Tone.STRONG), (outcome, _TONES.get(outcome, Tone.RUNNING))]
    if attempt.reason:
        head.append((f" ({one_line(attempt.reason).replace('_', ' ')})", Tone.DIM))
    took = duration((attempt.ended_ms or now_ms) - attempt.started_ms)
    shown = [joined(head), fact("  started", moment(attempt.started_ms)), fact("  took", took)]
    used = attempt.usage
    if used.cost_usd or used.turns or used.input_tokens or used.output_tokens:
        shown.append(fact("  cost", f"{money(used.cost_usd)}, {used.turns} turns"))
        tokens = f"{used.input_tokens} in, {used.output_tokens} out"
        shown.append(
            fact("  tokens", f"{tokens}, cache {used.cache_read_tokens} read, {used.cache_write_tokens} written")
        )
    if attempt.exit_code is not None:
        code = attempt.exit_code
        shown.append(fact("  exit code", f"{code}" if code >= 0 else f"ended by signal {-code}"))
    if attempt.pid is not None:
        shown.append(fact("  pid", f"{attempt.pid}"))
    if attempt.session_id:
        shown.append(fact("  session", attempt.session_id))
    if attempt.error:
        shown += text_lines(attempt.error[:_ERROR_CHARS], Tone.BAD, 2)
    return shown
