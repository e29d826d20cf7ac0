"""How an attempt ended: one pure decision, one fact a test."""

from dataclasses import replace
from typing import Any

import pytest

from store.models import Outcome, Trouble, Usage
from store.states import Reason, Status
from tui_orch.worker.claude.heard import Heard, Result
from tui_orch.worker.claude.judge import Findings, is_too_old, judge
from tui_orch.worker.claude.turn import Report
from tui_orch.worker.claude.usage import Totals
from tui_orch.worker.work import Finished, Released, Suspended

NOW_MS = 1_000_000
USED = Usage(0.5, 10, 20)


def result(**given: Any) -> Result:
    whole = Result("All done.", False, "success", "completed", None, (), (), Totals(0.5, {}, 1))
    return replace(whole, **given)


def failed_result(**given: Any) -> Result:
    return result(**{"is_error": True, "terminal_reason": "api_error", "text": "API Error"} | given)


def found(end: Result | None = None, *, heard: dict[str, Any] | None = None, **given: Any) -> Findings:
    said = Heard(**{"session_id": "s", "answered": True, "result": end} | (heard or {}))
    return Findings(**{"heard": said, "usage": USED, "now_ms": NOW_MS} | given)


def outcome(findings: Findings) -> Outcome:
    ending = judge(findings)
    assert isinstance(ending, Finished)
    return ending.outcome


def released(findings: Findings) -> Released:
    ending = judge(findings)
    assert isinstance(ending, Released)
    return ending


def test_a_result_is_a_success_and_carries_all_that_was_found() -> None:
    ending = judge(found(result(), delivered=(2, 3), denials=({"tool": "Bash"},)))
    expected = Outcome(Status.COMPLETED, result="All done.", denials=({"tool": "Bash"},), session_id="s", usage=USED)
    assert ending == Finished(expected, (2, 3))


def test_the_workers_own_report_wins_over_its_last_words() -> None:
    got = outcome(found(result(), report=Report("Reported.", {"n": 1})))
    assert (got.status, got.result, got.data) == (Status.COMPLETED, "Reported.", {"n": 1})


def test_a_report_is_enough_without_last_words() -> None:
    assert outcome(found(result(text=""), report=Report("Reported."))).result == "Reported."


def test_a_reported_failure_fails_and_is_not_tried_again() -> None:
    got = outcome(found(result(), report=Report("Impossible.", {"why": "x"}, success=False)))
    assert (got.status, got.reason, got.error, got.retry) == (
        Status.FAILED,
        Reason.REPORTED_FAILURE,
        "Impossible.",
        False,
    )
    assert got.data == {"why": "x"}


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_an_end_without_words_and_report_is_no_result(text: str | None) -> None:
    got = outcome(found(result(text=text)))
    assert (got.status, got.reason, got.retry) == (Status.FAILED, Reason.NO_RESULT, True)


def test_a_run_without_any_result_broke_and_is_tried_again() -> None:
    got = outcome(found(None, broke="exit code 1"))
    assert (got.reason, got.error, got.retry, got.session_id) == (Reason.CLAUDE_ERROR, "exit code 1", True, "s")
    assert outcome(found(None)).error == "Claude Code ended without a result"


def test_a_very_long_result_is_cut() -> None:
    assert len(outcome(found(result(text="x" * 500_000))).result or "") < 263_000


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 529])
def test_an_api_error_that_passes_gives_the_job_back_and_brakes_everyone(status: int) -> None:
    ending = released(found(failed_result(api_status=status), heard={"api_error": "server_error"}))
    assert ending.reason == Reason.API_ERROR
    assert ending.error == f"API Error (HTTP {status})"
    assert ending.trouble == Trouble("api", f"the API can not be used (API Error (HTTP {status}))")
    assert (ending.session_id, ending.usage) == ("s", USED)


@pytest.mark.parametrize(
    ("status", "word"),
    [(401, None), (402, None), (403, None), (None, "authentication_failed"), (400, "billing_error")],
)
def test_what_only_a_person_can_mend_stops_everyone_with_the_way_out(status: int | None, word: str | None) -> None:
    trouble = released(found(failed_result(api_status=status), heard={"api_error": word})).trouble
    assert trouble is not None
    assert trouble.kind == "stop"
    assert trouble.said.endswith("then: orch resume")


def test_a_claude_code_that_can_not_be_started_stops_everyone() -> None:
    ending = released(found(None, heard={"session_id": None}, broke="not found at: /x", unusable=True))
    assert (ending.reason, ending.error) == (Reason.CLAUDE_ERROR, "not found at: /x")
    assert ending.trouble == Trouble("stop", "Claude Code can not be started: not found at: /x; then: orch resume")


@pytest.mark.parametrize(
    ("version", "old"),
    [("2.0.76", True), ("1.9", False), (None, False), ("2.1.0 (Claude Code)", False), ("2.1.330", False)],
)
def test_a_claude_code_that_is_too_old_is_told_by_its_own_word(version: str | None, old: bool) -> None:
    assert is_too_old(version) is old


def test_a_failure_of_a_claude_code_that_is_too_old_stops_everyone_and_its_success_counts() -> None:
    trouble = released(found(None, heard={"version": "2.0.1"}, broke="exit code 1")).trouble
    assert trouble is not None
    assert "2.0.1 is too old, 2.1.0 is needed" in trouble.said
    assert outcome(found(result(), heard={"version": "2.0.1"})).status is Status.COMPLETED


@pytest.mark.parametrize("word", ["rate_limit", "server_error", "authentication_failed", "billing_error", "unknown"])
def test_without_a_status_claude_codes_own_word_decides_that_it_passes(word: str) -> None:
    assert released(found(failed_result(), heard={"api_error": word})).reason == Reason.API_ERROR


@pytest.mark.parametrize(("status", "word"), [(400, "invalid_request"), (404, "invalid_request"), (413, None)])
def test_an_api_error_of_the_request_itself_fails_for_good(status: int, word: str | None) -> None:
    got = outcome(found(failed_result(api_status=status), heard={"api_error": word}))
    assert (got.status, got.reason, got.retry) == (Status.FAILED, Reason.API_ERROR, False)


@pytest.mark.parametrize("word", ["invalid_request", "max_output_tokens"])
def test_a_refused_or_endless_answer_fails_for_good(word: str) -> None:
    assert outcome(found(failed_result(), heard={"api_error": word})).retry is False


def test_an_unpaid_bill_passes_though_the_api_calls_it_a_bad_request() -> None:
    assert released(found(failed_result(api_status=400), heard={"api_error": "billing_error"}))


def test_an_api_error_is_no_success_even_where_the_result_says_so() -> None:
    assert released(found(result(), heard={"api_error": "rate_limit"})).reason == Reason.API_ERROR


def test_a_usage_limit_gives_the_job_back_and_brakes_everyone_until_it_resets() -> None:
    heard = {"limited": True, "limited_until_s": 5_000, "limit_type": "five_hour", "api_error": "rate_limit"}
    ending = released(found(failed_result(api_status=429), heard=heard))
    assert ending.reason == Reason.USAGE_LIMIT
    assert ending.trouble == Trouble("usage_limit", "the usage limit is reached (five_hour)", 5_000_000)


def test_a_usage_limit_may_not_say_when_it_resets() -> None:
    trouble = released(found(failed_result(api_status=429), heard={"limited": True, "api_error": "rate_limit"})).trouble
    assert trouble == Trouble("usage_limit", "the usage limit is reached (of the account)")


def test_a_usage_limit_that_did_not_stop_the_run_is_no_matter() -> None:
    assert outcome(found(result(), heard={"limited": True})).status is Status.COMPLETED


def test_an_error_of_claude_codes_own_fails_and_is_tried_again() -> None:
    end = result(is_error=True, subtype="error_during_execution", terminal_reason=None, text=None, errors=("a", "b"))
    got = outcome(found(end))
    assert (got.reason, got.error, got.retry) == (Reason.CLAUDE_ERROR, "a; b", True)


def test_a_spent_budget_gives_the_job_back() -> None:
    end = result(is_error=True, subtype="error_max_budget_usd", text=None, errors=("Reached maximum budget ($1)",))
    ending = released(found(end))
    assert (ending.reason, ending.error) == (Reason.BUDGET, "Reached maximum budget ($1)")
    assert (ending.not_before_ms or 0) > NOW_MS


@pytest.mark.parametrize("waits_for", ["children", "ask"])
def test_a_turn_that_was_ended_to_wait_suspends(waits_for: Any) -> None:
    stopped_to_ask = failed_result(subtype="error_during_execution", terminal_reason="aborted_tools")
    for end in (result(text="", terminal_reason="hook_stopped"), stopped_to_ask, None):
        ending = judge(found(end, waits_for=waits_for, delivered=(4,)))
        assert ending == Suspended(waits_for, "s", USED, (4,))


def test_nothing_is_suspended_without_a_session_to_resume() -> None:
    got = outcome(found(None, heard={"session_id": None}, waits_for="children", broke="x"))
    assert got.reason == Reason.CLAUDE_ERROR


def test_a_success_with_children_unsettled_waits_for_them_and_its_report_is_asked_for_again() -> None:
    assert judge(found(result(), unsettled=1, report=Report("Early."))) == Suspended("children", "s", USED)


def test_a_failure_does_not_wait_for_children() -> None:
    assert outcome(found(None, unsettled=2, broke="x")).status is Status.FAILED


@pytest.mark.parametrize("reason", [None, Reason.SHUTDOWN])
def test_a_stop_without_a_reason_gives_the_job_back(reason: str | None) -> None:
    ending = released(found(None, stopped=True, stop_reason=reason, delivered=(2,)))
    assert ending == Released(Reason.SHUTDOWN, None, "s", USED, None, (2,))


@pytest.mark.parametrize("reason", [Reason.CANCELLED, Reason.TIMEOUT, Reason.PARENT_ENDED])
def test_a_stop_with_a_reason_ends_the_job_for_it(reason: str) -> None:
    got = outcome(found(failed_result(), stopped=True, stop_reason=reason))
    assert (got.status, got.reason, got.session_id, got.retry) == (Status.CANCELLED, reason, "s", False)


def test_a_result_that_came_before_the_stop_counts() -> None:
    assert outcome(found(result(), stopped=True, stop_reason=Reason.CANCELLED)).status is Status.COMPLETED
    assert judge(found(result(text=""), stopped=True, waits_for="children")) == Suspended("children", "s", USED)
