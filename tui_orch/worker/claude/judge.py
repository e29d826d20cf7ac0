"""Decides how an attempt ended, from what was heard, what the tools noted, and how its children stand. Pure.

"Claude Code exited" and even its "success" mean nothing here: a job is done only with a result, without an API error,
and with every child ended and its result delivered.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

from store.models import Outcome, Trouble, Usage
from store.states import Reason, Status
from tui_orch.worker.claude.heard import Heard, Result
from tui_orch.worker.claude.turn import Report
from tui_orch.worker.claude.wording import cut, one_line
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
BUDGET_S = 60.0
#: The oldest Claude Code whose messages, hooks and tools are as this package needs them.
OLDEST = (2, 1, 0)
#: Of those that pass, only a person can mend these: not logged in, not allowed, not paid.
_FOR_A_PERSON = frozenset({401, 402, 403})
_FOR_A_PERSON_WORDS = frozenset({"authentication_failed", "billing_error"})
#: Characters of what is said about a trouble.
_SAID_CHARS = 300


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
    unusable: bool = False  # with ``broke``: there is no Claude Code here that could be started, for any job
    idle_s: float | None = None  # it said nothing for so long, and was ended for it
    stopped: bool = False  # we were asked to stop, and did
    stop_reason: str | None = None  # of the job's row


def judge(found: Findings) -> Ending:
    """Return how the attempt ended."""
    result = found.heard.result
    if found.stopped and (result is None or result.is_error):
        return _stopped(found)
    if found.idle_s is not None and (result is None or result.is_error):
        said = f"Claude Code said nothing for {found.idle_s:g} s; a person changes it: orch settings idle_timeout_s N"
        return _failed(found, Reason.IDLE, said)
    if found.waits_for in ("children", "ask") and found.heard.session_id is not None:
        return Suspended(
            "ask" if found.waits_for == "ask" else "children", found.heard.session_id, found.usage, found.delivered
        )
    if result is None and found.unusable:
        trouble = Trouble("stop", f"Claude Code can not be started: {_one_line(found.broke or '')}; then: orch resume")
        return _released(found, Reason.CLAUDE_ERROR, found.broke, None, trouble)
    if (result is None or result.is_error) and is_too_old(found.heard.version):
        said = too_old_text(found.heard.version or "")
        way_out = "update it or unset ORCH_CLAUDE_PATH, then: orch resume"
        return _released(found, Reason.CLAUDE_ERROR, said, None, Trouble("stop", f"{said}; {way_out}"))
    if result is None:
        return _failed(found, Reason.CLAUDE_ERROR, found.broke or "Claude Code ended without a result")
    if result.subtype == "error_max_budget_usd":
        return _released(found, Reason.BUDGET, _said(result), found.now_ms + round(BUDGET_S * 1000))
    if result.is_error or found.heard.api_error is not None:
        return _api_or_other_error(found, result)
    if found.unsettled:
        return Suspended("children", found.heard.session_id, found.usage, found.delivered)
    return _finished(found, result)


def is_too_old(version: str | None) -> bool:
    """Tell whether this Claude Code is older than `OLDEST`; one that does not say its version is not."""
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version or "")
    return numbers is not None and tuple(int(number) for number in numbers.groups()) < OLDEST


def too_old_text(version: str) -> str:
    """Return what is said about a Claude Code of this version."""
    return f"Claude Code {version} is too old, {'.'.join(map(str, OLDEST))} is needed"


def _stopped(found: Findings) -> Ending:
    if found.stop_reason in (None, Reason.SHUTDOWN):
        return _released(found, Reason.SHUTDOWN, None, None)
    outcome = Outcome(Status.CANCELLED, reason=found.stop_reason, retry=False)
    return _ended(found, outcome)


def _api_or_other_error(found: Findings, result: Result) -> Ending:
    heard = found.heard
    if heard.limited:
        until_ms = heard.limited_until_s * 1000 if heard.limited_until_s else None
        trouble = Trouble(
            "usage_limit", f"the usage limit is reached ({heard.limit_type or 'of the account'})", until_ms
        )
        return _released(found, Reason.USAGE_LIMIT, _said(result), None, trouble)
    status, word = result.api_status, heard.api_error
    by_api = status is not None or word is not None or result.terminal_reason == _API_ENDED
    if not by_api:
        return _failed(found, Reason.CLAUDE_ERROR, _said(result))
    passing = word in _PASSING_WORDS if status is None else status in _PASSING or status >= _SERVER_ERRORS
    # Claude Code reports an unpaid bill as a bad request (400): its word is the better witness.
    if passing or word == "billing_error":
        return _released(found, Reason.API_ERROR, _said(result), None, _api_trouble(status, word, _said(result)))
    return _failed(found, Reason.API_ERROR, _said(result), retry=False)


def _api_trouble(status: int | None, word: str | None, said: str) -> Trouble:
    if status in _FOR_A_PERSON or (status is None and word in _FOR_A_PERSON_WORDS) or word == "billing_error":
        way_out = "mend the login or key of Claude Code, then: orch resume"
        return Trouble("stop", f"the API refuses the account ({_one_line(said)}); {way_out}")
    return Trouble("api", f"the API can not be used ({_one_line(said)})")


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


def _released(
    found: Findings, reason: Reason, error: str | None, not_before_ms: int | None, trouble: Trouble | None = None
) -> Ending:
    return Released(reason, error, found.heard.session_id, found.usage, not_before_ms, found.delivered, trouble)


def _one_line(text: str) -> str:
    return cut(one_line(text, _SAID_CHARS), _SAID_CHARS)


def _said(result: Result) -> str:
    text = (result.text or "").strip() or "; ".join(result.errors) or result.terminal_reason or result.subtype
    return text if result.api_status is None or str(result.api_status) in text else f"{text} (HTTP {result.api_status})"
