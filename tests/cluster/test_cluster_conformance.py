"""A launcher on a real engine keeps to the same facts as this machine's: the suite of `tests/launchers`."""

import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.home import Home, create_home
from store.needs import Needs
from tests.cluster.cluster import Cluster
from tests.cluster.real_ray import RealRay
from tests.launchers.conformance import ClusterWorld, LauncherFacts, World, part_program
from tui_orch.supervisor.engines.engine import Engine
from tui_orch.supervisor.engines.ray import Ray
from tui_orch.supervisor.engines.slurm import Slurm

PATIENCE_S = 120.0


@pytest.fixture
def world(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The real engine, asked from the head's network."""
    home = Home(tmp_path / "project" / ".orch")
    create_home(home)
    program = part_program(tmp_path)
    _find_slurm_at_head(cluster, tmp_path / "bin", monkeypatch)

    def engine() -> Engine:
        return Ray(cluster.address, cluster.token) if isinstance(cluster, RealRay) else Slurm("work")

    with cluster.hosts["head"].network():
        needs = Needs(memory_mb=100)
        made = ClusterWorld(engine, home, program=program, patience_s=PATIENCE_S, needs=needs)
        try:
            yield made
        finally:
            made.close()


class TestLauncherOnARealEngine(LauncherFacts):
    pass


def _find_slurm_at_head(cluster: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Slurm's programs run on the head, where munge is."""
    folder.mkdir()
    for name in ("sbatch", "squeue", "scancel", "scontrol"):
        found = shutil.which(name)
        if found is not None:
            words = shlex.join(cluster.hosts["head"].enter([found], cwd=Path("/")))
            (folder / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
            (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)
