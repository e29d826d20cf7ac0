"""A repository of the test's own."""

from pathlib import Path

import pytest
from at_git import Repository, new_repository


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return new_repository(tmp_path)
