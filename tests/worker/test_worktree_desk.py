"""What an attempt finds in its worktree when the one before it was cut off."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from store import claim, submit, workspaces
from store.database import Store
from store.home import Home
from store.models import Fence, Ground, NewJob, NewTree
from store.states import Kind
from store.tree import get_tree
from tui_orch.worker.steps.local import LocalSteps
from tui_orch.worker.stop_signal import StopSignal
from tui_orch.worker.work import Work
from tui_orch.worker.worktree import Desk
from tui_orch.workspace.of_job import plot_of
from tui_orch.workspace.places import Plot, own_git_dir
from tui_orch.workspace.worktree import make, uncommitted

NOW_MS = 1_000_000


@dataclass(frozen=True)
class Bench:
    """A running attempt of a command whose tree has worktrees."""

    store: Store
    work: Work
    plot: Plot
    fence: Fence

    def open(self) -> None:
        with StopSignal() as stop:
            Desk(self.work, stop).open()


def git(folder: Path, *args: str) -> str:
    who = ("-c", "user.name=A Person", "-c", "user.email=person@example.org")
    return subprocess.run(["git", *who, *args], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    project = tmp_path / "project"
    project.mkdir()
    git(project, "init", "-q", "-b", "main")
    (project / "a.txt").write_text("a\n")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "first")
    ground = Ground(str(project), git(project, "rev-parse", "HEAD"), "main")
    with Store.open(Home(project / ".orch"), create=True) as store:
        with store.write() as tx:
            new = NewTree(NewJob("true", Kind.COMMAND), work_dir=str(project), ground=ground)
            fence = claim.start_attempt(tx, submit.submit_tree(tx, new, NOW_MS), "hash", NOW_MS)
            job = claim.claim(tx, fence, 1, NOW_MS)
            tree = get_tree(tx, job.root_id)
        folder = tmp_path / "attempt"
        folder.mkdir()
        env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        yield Bench(
            store, Work(LocalSteps(store, fence), job, tree, folder, env), plot_of(store.home, job, tree), fence
        )


def test_a_worktree_whose_maker_was_killed_before_its_note_is_put_in_order(bench: Bench) -> None:
    make(bench.plot, "main")
    own = own_git_dir(bench.plot)
    assert own is not None
    (own / "index.lock").touch()
    bench.open()
    assert not (own / "index.lock").exists()
    assert uncommitted(bench.plot) == []


def test_a_conflict_that_is_no_more_is_forgotten(bench: Bench) -> None:
    """Its worker has concluded the merge, or taken it back: nobody is told of it again."""
    bench.open()
    with bench.store.write() as tx:
        workspaces.note_conflict(tx, bench.fence, 99, ["a.txt"])
    bench.open()
    with bench.store.read() as reader:
        noted = workspaces.get_workspace(reader, bench.fence.job_id)
    assert noted is not None
    assert (noted.conflict_with, noted.conflicts) == (None, ())
