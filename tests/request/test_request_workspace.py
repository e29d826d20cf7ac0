"""The words of a request about where its work goes."""

from pathlib import Path

import pytest

from tui_orch.request.compose import compose
from tui_orch.request.document import load_text
from tui_orch.request.errors import RequestError
from tui_orch.request.limits import Config, read_config


@pytest.mark.parametrize("word", ["auto", "shared", "worktree"])
def test_each_word_reaches_the_tree(word: str) -> None:
    document = load_text(f"---\nworkspace: {word}\nworkspace_setup: npm ci && make\n---\ndo it\n", "here")
    new = compose(document, Config(), Path("/tmp"))
    assert (new.workspace, new.workspace_setup, new.ground) == (word, "npm ci && make", None)


def test_an_option_goes_before_the_request() -> None:
    document = load_text("---\nworkspace: worktree\n---\ndo it\n", "here")
    assert compose(document, Config(workspace="shared"), Path("/tmp")).workspace == "shared"
    assert compose(load_text("do it", "here"), Config(), Path("/tmp")).workspace is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"workspace": "own"}, "workspace must be one of auto, shared, worktree"),
        ({"workspace": True}, "workspace must be"),
        ({"workspace_setup": "one\ntwo"}, "workspace_setup must be one shell line"),
        ({"workspace_setup": "x" * 4_001}, "workspace_setup must be one shell line"),
        ({"workspace_setup": " "}, "workspace_setup must be one shell line"),
    ],
)
def test_anything_else_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        read_config(given, "the options")
