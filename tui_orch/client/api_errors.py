"""What can go wrong for a program that hands work to the API, as one tree, and how the API's problems become it.

OrchestratorError
├── RecursionDepthError      one level too deep; a ValueError too: current_depth, max_depth
├── LimitExceeded            another limit of the tree: limit
├── AuthenticationError      no key, an unknown one, one that may not do this, or the calling attempt is over
├── RequestRefused           anything else that the API says no to: no such job, not from this state, a wrong config
├── OrchestratorUnavailable  no server for as long as the caller's patience lasts
├── StillRunning             ``wait`` ran out of its time; a TimeoutError too: status
└── SubtasksFailed           only with ``raise_on_failure``: results

Pure, and the only place that knows which status means what. Sends nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Children that the message of SubtasksFailed names.
_NAMED = 3
_NAMED_CHARS = 200


class OrchestratorError(Exception):
    """Base of all. ``str(error)`` says what happened and what to do; the rest is as the API told it.

    ``http_status`` and ``code`` are None where the API has not been asked.
    """

    def __init__(self, message: str, *, http_status: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code


class RecursionDepthError(OrchestratorError, ValueError):
    """A call one level deeper than ``max_depth``, by the caller's own count or by the store's."""

    def __init__(
        self,
        message: str,
        *,
        current_depth: int | None = None,
        max_depth: int | None = None,
        http_status: int | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, http_status=http_status, code=code)
        self.current_depth = current_depth
        self.max_depth = max_depth


class LimitExceeded(OrchestratorError):
    """A limit of the tree stands against it; ``limit`` is its name: ``max_jobs``, ``max_children``, ..."""

    def __init__(self, message: str, limit: str, *, http_status: int | None = None, code: str | None = None) -> None:
        super().__init__(message, http_status=http_status, code=code)
        self.limit = limit


class AuthenticationError(OrchestratorError):
    """The key is missing or unknown, may not do this, or belongs to an attempt that is over."""


class RequestRefused(OrchestratorError):
    """The API says no: no such job, not in this state, or a request or config that can not be."""


class OrchestratorUnavailable(OrchestratorError):
    """No server has answered for as long as the caller's patience lasts."""


class StillRunning(OrchestratorError, TimeoutError):
    """The job has not ended within the time that ``wait`` was given; ``status`` is its last known status object."""

    def __init__(self, message: str, status: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.status = status


class SubtasksFailed(OrchestratorError):
    """Not every subtask has succeeded; ``results`` holds them all, those that did too."""

    def __init__(self, results: Mapping[str, Any]) -> None:
        super().__init__(_what_failed(results))
        self.results = results


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: its status, its headers (names in lower case), its body and where it was asked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True, slots=True)
class TryAgain:
    """No answer, or one after which asking again is right: ``why``; after how many seconds, if the server says so.

    ``is_there``: the API itself has said it, so it can be reached.
    """

    why: str
    after_s: float | None = None
    is_there: bool = False


def read(answer: Answer) -> Any:
    """Return the JSON value of a good answer, or TryAgain. Raises the OrchestratorError that a problem stands for."""
    if answer.status in (429, 500, 502, 503, 504):
        problem = problem_of(answer)
        why = f"{answer.url} answers {answer.status}: {problem.get('detail', 'no reason given')}"
        return TryAgain(why, _seconds(answer.headers.get("retry-after")), is_there="code" in problem)
    if 200 <= answer.status < 300:
        value = _json(answer, "application/json")
        return TryAgain(_foreign(answer)) if value is None else value
    problem = problem_of(answer)
    if not problem:
        return TryAgain(_foreign(answer))
    raise error_of(answer, problem)


def problem_of(answer: Answer) -> dict[str, Any]:
    """Return the members of an answer's problem; none where it is not one of ours."""
    value = _json(answer, "application/problem+json")
    return value if isinstance(value, dict) else {}


def error_of(answer: Answer, problem: Mapping[str, Any]) -> OrchestratorError:
    """Return the error that a problem of the API stands for."""
    status, code = answer.status, str(problem.get("code") or "")
    detail = str(problem.get("detail") or problem.get("title") or f"the API answers {status}")
    if "current_depth" in problem and "max_recursion_depth" in problem:
        deepest, here = problem["max_recursion_depth"], problem["current_depth"]
        return RecursionDepthError(detail, current_depth=here, max_depth=deepest, http_status=status, code=code)
    if "limit" in problem:
        return LimitExceeded(detail, str(problem["limit"]), http_status=status, code=code)
    if status in (401, 403):
        return AuthenticationError(f"{detail} (asked at {answer.url})", http_status=status, code=code)
    return RequestRefused(detail, http_status=status, code=code)


def _json(answer: Answer, media_type: str) -> Any:
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
        return None
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def _foreign(answer: Answer) -> str:
    return f"what answers at {answer.url} ({answer.status}) is not the orch API"


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.strip().isdigit() else None


def _what_failed(results: Mapping[str, Any]) -> str:
    summary = results.get("summary") or {}
    failed = [entry for entry in results.get("results") or () if entry.get("status") != "completed"]
    counted = f"{len(failed)} of {summary.get('total_tasks', len(failed))} subtasks of {results.get('job_id')}"
    told = [f"#{entry.get('job_id')} {entry.get('status')}: {_why(entry)}" for entry in failed[:_NAMED]]
    more = [f"and {len(failed) - _NAMED} more"] if len(failed) > _NAMED else []
    if failed:
        return f"{counted} did not succeed ({'; '.join([*told, *more])}); see .results"
    return f"{results.get('job_id')} ended as {results.get('status')}: {_why(results)}; see .results"


def _why(entry: Mapping[str, Any]) -> str:
    said = " ".join(str(entry.get("error") or entry.get("reason") or "no reason given").split())
    return said if len(said) <= _NAMED_CHARS else said[: _NAMED_CHARS - 1] + "…"
