"""What is kept of Claude Code's messages."""

from functools import reduce
from typing import Any

from claude_agent_sdk import (
    AssistantMessage,
    RateLimitEvent,
    RateLimitInfo,
    ResultMessage,
    StreamEvent,
    SystemMessage,
    TextBlock,
    UserMessage,
)

from tui_orch.worker.claude.heard import Heard, hear


def heard(*messages: Any) -> Heard:
    return reduce(hear, messages, Heard())


def spoke(message_id: str = "m", error: Any = None, **usage: int) -> AssistantMessage:
    return AssistantMessage([TextBlock("x")], "model", error=error, usage=usage or None, message_id=message_id)


def result(**given: Any) -> ResultMessage:
    return ResultMessage(
        **{"subtype": "success", "duration_ms": 1, "duration_api_ms": 1, "is_error": False}
        | {"num_turns": 2, "session_id": "s"}
        | given
    )


def test_the_session_is_known_from_the_first_message_on() -> None:
    assert heard(SystemMessage("init", {"session_id": "s1"})).session_id == "s1"


def test_what_is_unknown_or_without_weight_is_passed_over() -> None:
    odd = (SystemMessage("init", {}), SystemMessage("new", {"x": 1}), UserMessage("hi"), StreamEvent("u", "s", {}))
    assert heard(*odd) == Heard()


def test_the_model_has_spoken_only_where_the_api_did_not_fail() -> None:
    assert heard(spoke()).answered
    failed = heard(spoke(error="rate_limit"))
    assert not failed.answered
    assert failed.api_error == "rate_limit"


def test_an_error_that_was_got_over_is_forgotten() -> None:
    assert heard(spoke(error="server_error"), spoke()).api_error is None


def test_the_usage_of_one_message_counts_once_however_many_parts_it_comes_in() -> None:
    known = heard(spoke("a", input_tokens=1), spoke("a", input_tokens=1), spoke("b", input_tokens=2)).estimate
    assert known == {"a": {"input_tokens": 1}, "b": {"input_tokens": 2}}


def test_the_newest_word_on_the_usage_limit_holds() -> None:
    def limit(status: Any, at: int | None) -> RateLimitEvent:
        return RateLimitEvent(RateLimitInfo(status, at), "u", "s")

    assert heard(limit("rejected", 99)).limited
    assert heard(limit("rejected", 99)).limited_until_s == 99
    assert not heard(limit("rejected", 99), limit("allowed", None)).limited


def test_the_result_is_kept_with_texts_that_can_be_stored() -> None:
    end = heard(result(result="a\ud800", total_cost_usd=0.5, usage={"input_tokens": 3}, api_error_status=529)).result
    assert end is not None
    assert (end.text, end.api_status, end.totals.session_cost_usd) == ("a\ufffd", 529, 0.5)
    assert (end.denials, end.errors) == ((), ())
