"""A short storm as a test, and two supervisors that are wrong on purpose: the storm must find them out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lifecycle.chaos.controls import BLIND, CARELESS, control
from tests.lifecycle.chaos.faults import FAULTS
from tests.lifecycle.chaos.journal import Line
from tests.lifecycle.chaos.storm import Result, Storm

pytestmark = pytest.mark.timeout(240)

Blow = Callable[..., Result]


@pytest.fixture
def blow(tmp_path: Path, environment: dict[str, str]) -> Blow:
    """Let a storm blow in a folder of the test's own."""

    def run(
        seconds: float, only: tuple[str, ...] = (), enough: Callable[[Line], bool] | None = None, **how: object
    ) -> Result:
        for name in ("log", "project"):
            (tmp_path / name).mkdir()
        faults = [fault for fault in FAULTS if not only or fault.name in only]
        return Storm(tmp_path / "log", tmp_path / "project", environment, faults=faults, **how).run(seconds, enough)  # type: ignore[arg-type]

    return run


def test_a_short_storm_breaks_no_clause_of_the_promise(blow: Blow) -> None:
    """The same as `make chaos`, for some seconds: see docs/reliability.md for longer ones."""
    result = blow(6, seed=7, open_jobs=6)
    assert not result.broken
    assert result.figures["faults"] >= 3
    assert result.figures["completed"] >= 3


def test_a_supervisor_that_requeues_blindly_is_found_out(blow: Blow) -> None:
    """Attempts overlap: the job's own lock catches them in the act."""

    def caught(line: Line) -> bool:
        return bool(line["what"] == "refused" and line["lock"] == "job")

    faults = ("kill -9 of the supervisor",)
    result = blow(60, faults, caught, seed=1, supervisor=control(BLIND), escapes=False, work_s=5.0, heal_s=0)
    assert [each for each in result.broken if each.clause == 1 and "held the job's lock" in each.said]


def test_a_supervisor_that_does_not_sweep_is_found_out(blow: Blow) -> None:
    """What a killed worker had started lives on."""

    def caught(line: Line) -> bool:
        return bool(line["what"] == "left over")

    faults = ("kill -9 of a worker",)
    result = blow(60, faults, caught, seed=1, supervisor=control(CARELESS), heal_s=0)
    assert [each for each in result.broken if each.clause == 4 and "outlived attempt" in each.said]
