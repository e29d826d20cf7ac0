"""Failpoints: a process dies where its environment says so, and nowhere else."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tui_orch.worker.failpoint import VARIABLE

PROGRAM = "from tui_orch.worker.failpoint import reach; reach('after_claim'); reach('before_outcome')"


def code(said: str | None) -> int:
    env = {"PATH": os.environ["PATH"]} | ({} if said is None else {VARIABLE: said})
    return subprocess.run([sys.executable, "-c", PROGRAM], env=env, check=False).returncode


@pytest.mark.parametrize("said", [None, "", "after_outcome", "after", "after_claims"])
def test_nobody_dies_where_nothing_is_named(said: str | None) -> None:
    """The variable is not set in real life."""
    assert code(said) == 0


@pytest.mark.parametrize("said", ["after_claim", "after_start,before_outcome"])
def test_whoever_comes_to_a_named_place_is_killed(said: str) -> None:
    """By signal 9, which nothing can handle."""
    assert code(said) == -signal.SIGKILL


def test_with_a_file_only_one_dies(tmp_path: Path) -> None:
    """Whoever removes it."""
    armed = tmp_path / "armed"
    armed.touch()
    said = f"before_outcome={armed}"
    assert [code(said), code(said)] == [-signal.SIGKILL, 0]
    assert not armed.exists()
