"""Decides how an attempt ended, from what was heard, what the tools noted, and how its children stand. Pure.

"Claude Code exited" and even its "success" mean nothing here: a job is done only with a result, without an API error,
and with every child ended and its result delivered.
"""

from dataclasses import dataclass, replace
from typing import Any

from store.models import Outcome, Usage
from store.states import Reason, Status
from tui_orch.worker.claude.heard import Heard, Result
from tui_orch.worker.claude.turn import Report
from tui_orch.worker.claude.wording import cut
from tui_orch.worker.work import Ending, Finished, Released, Suspended

#: HTTP states of the API that pass by themselves or by a person's hand, and are no fault of the job: 5xx beside these.
_PASSING = frozenset({401, 402, 403, 408, 409, 425, 429})
_SERVER_ERRORS = 500
#: Claude Code's words for errors of that sort where no status came: no connection, not logged in, not paid.
_PASSING_WORDS = frozenset(
    {"rate_limit", "server_error", "overloaded", "authentication_failed", "billing_error", "unknown"}
)
_API_ENDED = "api_error"

#: Longest text of Claude Code's own that becomes a result.
MAX_RESULT_CHARS = 262_144
BACK_OFF_FIRST_S = 10.0
BACK_OFF_LONGEST_S = 600.0
LIMIT_WITHOUT_TIME_S = 900.0
BUDGET_S = 60.0


@dataclass(frozen=True, slots=True)
class Findings:
    """What is judged. ``broke``: why Claude Code could not be started or broke off."""

    heard: Heard
    usage: Usage
    now_ms: int
    report: Report | None = None
    waits_for: str | None = None  # children | ask: the turn was ended to wait
    unsettled: int = 0  # children that have not ended, or whose result has not been delivered
    delivered: tuple[int, ...] = ()
    denials: tuple[Any, ...] = ()
    broke: str | None = None
    stopped: bool = False  # we were asked to stop, and did
    stop_reason: str | None = None  # of the job's row
    releases: int = 0  # attempts in a row before this one that were given back for an API error
    jitter: float = 0.0  # 0 to 1


def judge(found: Findings) -> Ending:
    """Return how the attempt ended."""
    result = found.heard.result
    if found.stopped and (result is None or result.is_error):
        return _stopped(found)
    if found.waits_for in ("children", "ask") and found.heard.session_id is not None:
        return Suspended(
            "ask" if found.waits_for == "ask" else "children", found.heard.session_id, found.usage, found.delivered
        )
    if result is None:
        return _failed(found, Reason.CLAUDE_ERROR, found.broke or "Claude Code ended without a result")
    if result.subtype == "error_max_budget_usd":
        return _released(found, Reason.BUDGET, _said(result), found.now_ms + round(BUDGET_S * 1000))
    if result.is_error or found.heard.api_error is not None:
        return _api_or_other_error(found, result)
    if found.unsettled:
        return Suspended("children", found.heard.session_id, found.usage, found.delivered)
    return _finished(found, result)


def back_off_s(releases: int, jitter: float) -> float:
    """Return the seconds to leave the API alone after ``releases`` earlier failures in a row; ``jitter`` adds up to half."""
    return float(min(BACK_OFF_FIRST_S * 2 ** min(releases, 16), BACK_OFF_LONGEST_S) * (1 + jitter / 2))


def _stopped(found: Findings) -> Ending:
    if found.stop_reason in (None, Reason.SHUTDOWN):
        return _released(found, Reason.SHUTDOWN, None, None)
    outcome = Outcome(Status.CANCELLED, reason=found.stop_reason, retry=False)
    return _ended(found, outcome)


def _api_or_other_error(found: Findings, result: Result) -> Ending:
    heard = found.heard
    if heard.limited:
        until_s = heard.limited_until_s or found.now_ms / 1000 + LIMIT_WITHOUT_TIME_S
        return _released(found, Reason.API_ERROR, _said(result), round(until_s * 1000))
    status, word = result.api_status, heard.api_error
    by_api = status is not None or word is not None or result.terminal_reason == _API_ENDED
    if not by_api:
        return _failed(found, Reason.CLAUDE_ERROR, _said(result))
    passing = word in _PASSING_WORDS if status is None else status in _PASSING or status >= _SERVER_ERRORS
    # Claude Code reports an unpaid bill as a bad request (400): its word is the better witness.
    if passing or word == "billing_error":
        wait_ms = round(back_off_s(found.releases, found.jitter) * 1000)
        return _released(found, Reason.API_ERROR, _said(result), found.now_ms + wait_ms)
    return _failed(found, Reason.API_ERROR, _said(result), retry=False)


def _finished(found: Findings, result: Result) -> Ending:
    report, text = found.report, (result.text or "").strip()
    if report is not None and not report.success:
        outcome = Outcome(
            Status.FAILED, reason=Reason.REPORTED_FAILURE, error=report.summary, data=report.data, retry=False
        )
        return _ended(found, outcome)
    if report is None and not text:
        return _failed(found, Reason.NO_RESULT, "Claude Code ended its turn without a result")
    if report is not None:
        return _ended(found, Outcome(Status.COMPLETED, result=report.summary, data=report.data))
    return _ended(found, Outcome(Status.COMPLETED, result=cut(text, MAX_RESULT_CHARS)))


def _failed(found: Findings, reason: Reason, error: str, *, retry: bool = True) -> Ending:
    return _ended(found, Outcome(Status.FAILED, reason=reason, error=error, retry=retry))


def _ended(found: Findings, outcome: Outcome) -> Ending:
    whole = replace(outcome, denials=found.denials, session_id=found.heard.session_id, usage=found.usage)
    return Finished(whole, found.delivered)


def _released(found: Findings, reason: Reason, error: str | None, not_before_ms: int | None) -> Ending:
    return Released(reason, error, found.heard.session_id, found.usage, not_before_ms, found.delivered)


def _said(result: Result) -> str:
    text = (result.text or "").strip() or "; ".join(result.errors) or result.terminal_reason or result.subtype
    return text if result.api_status is None or str(result.api_status) in text else f"{text} (HTTP {result.api_status})"
