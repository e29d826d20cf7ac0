"""A group that comes in as a bare row gets its children from its request."""

import pytest

from store.states import Kind
from tui_orch.request.errors import RequestError
from tui_orch.request.group import group_items


def test_each_item_becomes_a_claude_job_with_the_shared_text() -> None:
    """The text around the list is given to each child; its title is its item."""
    first, second = group_items("Build it:\n1. the back end\n2. the front end\n")
    assert (first.request, first.kind, first.title) == ("Build it:\n\nthe back end", Kind.CLAUDE, "the back end")
    assert second.request == "Build it:\n\nthe front end"


def test_a_request_without_a_list_is_refused() -> None:
    """There is nothing a group could run."""
    with pytest.raises(RequestError, match="needs a list of at least 2 items"):
        group_items("just do it")
