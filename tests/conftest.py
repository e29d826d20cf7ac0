"""What several folders of tests share: a store that is served by a real `orch serve`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.served import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator["Served"]:
    """A store of the test's own; `serve()` starts the server."""
    with _served(tmp_path) as store:
        yield store


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Served"]:
    """A store that the tests of a module share, with a server that none of them stops."""
    with _served(tmp_path_factory.mktemp("serving")) as store:
        store.serve()
        yield store


@contextmanager
def _served(folder: Path) -> Iterator["Served"]:
    from tests.served import Served  # not at the top: most tests need nothing of it

    home = folder / "home"
    home.mkdir()
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb"}
    running = Served(folder / "project", environ)
    running.set("retry_base_s", 0.05)
    running.set("grace_s", 3.0)
    try:
        yield running
    finally:
        running.end()
