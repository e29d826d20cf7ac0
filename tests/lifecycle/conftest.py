import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from at_work import AtWork, at_work


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a person with a home of their own and nothing of this machine's."""
    home = tmp_path / "home"
    home.mkdir()
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb"}


@pytest.fixture
def work(tmp_path: Path, environment: dict[str, str]) -> Iterator[AtWork]:
    """A store with fast retries and a short grace, not yet supervised."""
    with at_work(tmp_path / "project", environment) as running:
        running.set("retry_base_s", 0.05)
        running.set("grace_s", 3.0)
        yield running
