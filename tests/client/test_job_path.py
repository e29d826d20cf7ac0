"""A job's way down from its root fits on a line, whatever the titles are."""

from dataclasses import dataclass
from typing import Any, cast

from rich.cells import cell_len

from tui_orch.client.job_path import job_path


@dataclass
class Named:
    """All of a job that is looked at."""

    id: int
    title: str


def way(*titles: str) -> str:
    return job_path(cast(Any, [Named(number, title) for number, title in enumerate(titles, start=1)]))


def test_jobs_are_named_from_the_root_on() -> None:
    assert way("Build it", "The API") == "#1 Build it › #2 The API"
    assert way() == ""


def test_a_long_way_down_stays_readable() -> None:
    """And of hostile titles only text is left."""
    found = way(*["日本語" * 30 + "\x1b[2J\n"] * 6)
    assert all(cell_len(part) <= 35 for part in found.split(" › "))
    assert found.isprintable()
