"""What a tool is given may be nested without end: it is refused before anything walks through it."""

from collections.abc import Mapping
from typing import Any

import pytest

from tui_orch.worker.claude.tools import _answering
from tui_orch.worker.claude.wording import is_deep


def nested(depth: int) -> object:
    value: object = "bottom"
    for number in range(depth):
        value = [value] if number % 2 else {"in": value, "beside": 1}
    return value


@pytest.mark.parametrize(
    ("depth", "limit", "deep"), [(0, 1, False), (1, 1, False), (2, 1, True), (100, 100, False), (101, 100, True)]
)
def test_depth_is_counted_in_levels(depth: int, limit: int, deep: bool) -> None:
    assert is_deep(nested(depth), limit) is deep


def test_any_depth_can_be_looked_at() -> None:
    assert is_deep(nested(200_000), 100)


async def test_a_tool_refuses_what_is_too_deep_and_takes_the_rest() -> None:
    async def take(given: Mapping[str, Any]) -> str:
        return f"took {len(given)}"

    answer = _answering(take)
    assert (await answer({"data": nested(5_000)}))["is_error"] is True
    assert await answer({"data": nested(50)}) == {"content": [{"type": "text", "text": "took 1"}]}
