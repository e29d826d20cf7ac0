import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from at_orch import AtOrch
from branches import Branches


@pytest.fixture
def orch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AtOrch]:
    """The command line in a fresh project folder, with nothing of this machine's in its environment."""
    project, person = tmp_path / "project", tmp_path / "person"
    project.mkdir()
    person.mkdir()
    for name in list(os.environ):
        if name != "PATH":
            monkeypatch.delenv(name)
    for name, value in {"HOME": str(person), "LANG": "C.UTF-8", "TERM": "dumb", "TZ": "UTC"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(project)
    at = AtOrch(project, monkeypatch)
    yield at
    at.close()


@pytest.fixture
def grove(orch: AtOrch) -> Branches:
    """The same in a git repository."""
    return Branches(orch)
