"""A store whose workers ran here until now: none of them is started a second time in the cluster, and each is seen to its end."""

import os
import select
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.home import Home, create_home
from store.states import Kind
from tests.launchers.conformance import begun, until
from tests.launchers.scripted_engine import ScriptedEngine
from tui_orch.supervisor.engines.cluster import ClusterLauncher
from tui_orch.supervisor.engines.engine import EngineState
from tui_orch.supervisor.engines.with_local import WithLocal
from tui_orch.supervisor.launcher import Handle, Launcher, LocalLauncher, Order
from tui_orch.worker.cookie import cookie, sweep

STANDIN = (sys.executable, str(Path(__file__).parents[1] / "supervisor" / "standin.py"))
PATIENCE_S = 30.0


class Both:
    """A worker of this machine, and the launcher that comes after the one that started it."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.store_id = uuid.uuid4().hex
        self.engine = ScriptedEngine()
        self.closed: list[str] = []
        self.before = LocalLauncher(home, self.store_id, STANDIN)
        cluster = ClusterLauncher(
            self.engine, home, self.store_id, url="http://head:8000", lease_until_ms=lambda _job, _attempt: None
        )
        local = LocalLauncher(home, self.store_id, STANDIN)
        self.launcher: Launcher = WithLocal(cluster, local, home, lambda: self.closed.append("leases"))

    def at_work(self, job: int) -> Handle:
        env = {"STANDIN": "stay", "ORCH_COOKIE": cookie(self.store_id, job, 1)}
        (handle,) = begun(self.before, Order(job, 1, env, Kind.COMMAND))
        until((self.home.attempt_dir(job, 1) / "ready").exists, "the worker never began", PATIENCE_S)
        return handle


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    home = Home(tmp_path / "project" / ".orch")
    create_home(home)
    made = Both(home)
    yield made
    made.launcher.close()
    made.before.close()
    assert made.closed == ["leases"]
    sweep(cookie(made.store_id, 1, 1))


@pytest.mark.parametrize("is_noted", [True, False], ids=["claimed", "not yet claimed"])
def test_a_worker_of_here_is_taken_over_and_ended_here(both: Both, is_noted: bool) -> None:
    was = both.at_work(1)
    assert both.launcher.is_alive(1, 1)
    assert both.launcher.close_off(1, 1) == "alive"
    handle = both.launcher.adopt(1, 1, was.pid if is_noted else None)
    assert handle is not None
    assert handle.pid == was.pid
    both.launcher.stop(handle, kill=True)
    assert select.select([handle], [], [], PATIENCE_S)[0]
    assert both.launcher.has_ended(handle)
    both.launcher.bury(handle)
    assert not both.launcher.is_alive(1, 1)
    assert both.launcher.lived_ms(1, 1, 5) == 5
    assert both.launcher.end_leftovers(1, 1) == 0
    assert not both.engine.stopped


def test_one_of_here_that_is_gone_is_no_business_of_the_engine(both: Both) -> None:
    assert both.launcher.adopt(1, 1, os.getpid()) is None
    assert both.engine.looks == 0


def test_one_of_there_is_the_engines(both: Both) -> None:
    (handle,) = begun(both.launcher, Order(2, 1, {"ORCH_TOKEN": "once"}))
    assert handle.pid == 0
    until(lambda: both.engine.submitted, "never submitted", PATIENCE_S)
    both.launcher.stop(handle, kill=False)
    until(lambda: both.engine.stopped, "never stopped", PATIENCE_S)
    both.engine.states[both.engine.submitted[0].name] = EngineState("ended", 0)
    assert select.select([handle], [], [], PATIENCE_S)[0]
    both.launcher.bury(handle)
    assert both.launcher.close_off(2, 1) == "never"
    assert both.launcher.end_leftovers(2, 1) == 0
    assert both.launcher.refusal(2, 1) is None
    assert both.launcher.holds_back() is None
    assert both.launcher.is_prepared(Kind.CLAUDE)
