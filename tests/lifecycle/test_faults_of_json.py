"""JSON without a bottom from a worker's tools: the worker is told, the session goes on, and the result is kept."""

import pytest
from at_work import AtWork
from scripted import report, scripted

from store.states import Kind, Status
from tui_orch.demo.script import Role, Script, ToolCall, Turn

pytestmark = [pytest.mark.real_cli, pytest.mark.timeout(120)]


def nested(depth: int) -> object:
    value: object = "bottom"
    for _ in range(depth):
        value = [value]
    return value


def test_a_report_with_data_that_is_nested_too_deep_is_refused_and_said_again(work: AtWork) -> None:
    """It is told so, and reports once more."""
    deep = ToolCall("mcp__orch__report_result", {"summary": "deep", "data": nested(300)})
    with scripted(work, Script((Role(r"^REPORT", (Turn("I report.", (deep,)), *report("plain"))),))):
        work.supervise()
        root = work.submit("REPORT", Kind.CLAUDE, max_attempts=1)
        ended = work.until_ended(root)
    assert (ended.status, ended.result, ended.data) == (Status.COMPLETED, "plain", None)
    transcript = (work.home.attempt_dir(root, 1) / "transcript.jsonl").read_text()
    assert "nested deeper than 100 levels" in transcript
