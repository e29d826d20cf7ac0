import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp_bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh project folder and a person with a home of their own."""
    project, person = tmp_path / "project", tmp_path / "person"
    project.mkdir()
    person.mkdir()
    env = {"PATH": os.environ["PATH"], "HOME": str(person), "LANG": "C.UTF-8", "TERM": "dumb", "TZ": "UTC"}
    found = Bench(project, env)
    yield found
    found.close()
