"""Stores that the tests of the whole app share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_stage import Garden, calm, empty_store, garden, talk
from detail_stores import Made


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Garden]:
    """A store with a job in every state, and nothing of the machine that a test could depend on."""
    calm(monkeypatch)
    monkeypatch.delenv("PAGER", raising=False)
    found = garden(tmp_path)
    talk(found)
    yield found
    found.made.store.close()


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """A store without jobs."""
    calm(monkeypatch)
    made = empty_store(tmp_path)
    yield made
    made.store.close()
