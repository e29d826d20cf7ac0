"""Any launcher keeps to the same facts: this machine's with real processes, the cluster's on recorded Ray and Slurm."""

import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.home import Home, create_home
from store.states import Kind
from tests.launchers.conformance import ClusterWorld, LauncherFacts, Part, World, until
from tests.launchers.standin_ray import StandinRay
from tests.launchers.standin_slurm import install
from tui_orch.supervisor.engines.ray import Ray
from tui_orch.supervisor.engines.slurm import Slurm
from tui_orch.supervisor.launcher import Handle, LocalLauncher, Order
from tui_orch.worker.cookie import cookie, sweep

STANDIN = (sys.executable, str(Path(__file__).parents[1] / "supervisor" / "standin.py"))
PATIENCE_S = 30.0


class LocalWorld:
    """Workers as processes of this machine."""

    patience_s = PATIENCE_S

    def __init__(self, home: Home) -> None:
        self._home = home
        self._store_id = uuid.uuid4().hex
        self._made: list[LocalLauncher] = []

    def launcher(self) -> LocalLauncher:
        """Return a launcher whose workers are stand-ins."""
        made = LocalLauncher(self._home, self._store_id, STANDIN)
        self._made.append(made)
        return made

    def order(self, job: int, part: Part) -> Order:
        """Return an order whose environment is the part."""
        env = {"STANDIN": "report" if part == "fail" else part, "ORCH_COOKIE": cookie(self._store_id, job, 1)}
        return Order(job, 1, env, Kind.COMMAND)

    def until_at_work(self, handle: Handle) -> None:
        """Wait until it has taken its lock."""
        ready = self._home.attempt_dir(handle.job_id, handle.attempt) / "ready"
        until(ready.exists, "the worker never began", self.patience_s)

    def close(self) -> None:
        """End all that was started."""
        for each in self._made:
            each.close()
        for job in range(1, 4):
            sweep(cookie(self._store_id, job, 1))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "project" / ".orch")
    create_home(home)
    return home


@pytest.fixture(params=["local", "ray", "slurm"])
def world(
    request: pytest.FixtureRequest, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Where the workers run."""
    made: LocalWorld | ClusterWorld
    if request.param == "local":
        made = LocalWorld(home)
        yield made
        made.close()
    elif request.param == "ray":
        with StandinRay() as ray:
            made = ClusterWorld(lambda: Ray(ray.address, poll_s=0.01), home, patience_s=PATIENCE_S)
            yield made
            made.close()
    else:
        programs = install(tmp_path / "slurm", sys.executable)
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        made = ClusterWorld(lambda: Slurm(poll_s=0.01), home, patience_s=PATIENCE_S)
        yield made
        made.close()


class TestLauncher(LauncherFacts):
    """On each of them."""
