from collections.abc import Iterator
from pathlib import Path

import pytest
from at_api import AtApi, at_api


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtApi]:
    """A store with one job and its API, for all tests of a module that change nothing."""
    with at_api(tmp_path_factory.mktemp("quiet")) as at:
        at.tree()
        yield at


@pytest.fixture
def api(tmp_path: Path) -> Iterator[AtApi]:
    """A new store with its API."""
    with at_api(tmp_path) as at:
        yield at
