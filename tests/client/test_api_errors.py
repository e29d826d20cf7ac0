"""The API's problems as errors of Python."""

from typing import Any

from conversation import problem

from tui_orch.client.api_errors import (
    AuthenticationError,
    LimitExceeded,
    OrchestratorError,
    RecursionDepthError,
    RequestRefused,
    SubtasksFailed,
    error_of,
    problem_of,
)


def error(status: int, **members: Any) -> OrchestratorError:
    answer = problem(status, **members)
    return error_of(answer, problem_of(answer))


def test_a_depth_too_deep_is_one_error_whoever_counted() -> None:
    found = error(400, code="max_depth", limit="max_depth", current_depth=2, max_recursion_depth=2)
    assert isinstance(found, RecursionDepthError)
    assert isinstance(found, ValueError)
    assert (found.current_depth, found.max_depth, found.http_status, found.code) == (2, 2, 400, "max_depth")


def test_another_limit_tells_its_name() -> None:
    found = error(409, code="max_children", limit="max_children")
    assert isinstance(found, LimitExceeded)
    assert (found.limit, str(found)) == ("max_children", "said why")


def test_who_may_not_is_told_apart_from_what_can_not_be() -> None:
    assert [type(error(status)) for status in (401, 403, 404, 409, 421, 422)] == [
        AuthenticationError,
        AuthenticationError,
        *[RequestRefused] * 4,
    ]


def test_a_failure_names_the_first_few_and_carries_all() -> None:
    entries = [{"job_id": str(n), "status": "failed", "error": f"broken\n{n}"} for n in range(2, 7)]
    results = {
        "job_id": "1-1",
        "status": "partial",
        "results": [{"job_id": "1", "status": "completed"}, *entries],
        "summary": {"total_tasks": 6},
    }
    found = SubtasksFailed(results)
    assert str(found) == (
        "5 of 6 subtasks of 1-1 did not succeed (#2 failed: broken 2; #3 failed: broken 3; #4 failed: broken 4; "
        "and 2 more); see .results"
    )
    assert found.results is results


def test_a_failure_without_children_says_why_the_job_itself_failed() -> None:
    found = SubtasksFailed({"job_id": "4", "status": "failed", "error": "exit code 3", "results": [], "summary": {}})
    assert str(found) == "4 ended as failed: exit code 3; see .results"
