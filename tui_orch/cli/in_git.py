"""What the commands on branches share: git's refusals told as ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from tui_orch.cli.exits import Broken
from tui_orch.workspace.git import GitError


@contextmanager
def told() -> Iterator[None]:
    """Let what git says end the command with one line. Raises Broken."""
    try:
        yield
    except GitError as error:
        raise Broken(str(error)) from error
