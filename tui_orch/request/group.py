"""The children of a group that came in as a bare row: the items of its request's list, as Claude Code jobs."""

from store.models import NewJob
from tui_orch.request.compose import child_request, title_of
from tui_orch.request.errors import RequestError
from tui_orch.request.split import split


def group_items(request: str) -> tuple[NewJob, ...]:
    """Return a group's children, the text around the list given to each. Raises RequestError without a list."""
    parts = split(request)
    if not parts.items:
        raise RequestError("a group needs a list of at least 2 items (1. 2. 3., ① ② ③ or - [ ]); the request has none")
    return tuple(NewJob(child_request(parts, item), title=title_of(item)) for item in parts.items)
