"""``kill -9`` between all the calls of git that a make, a save, a merge or a putting aside makes.

A forked process does the step with a git that kills its caller before or after the N-th call, N = 1, 3, ... until the
step ends by itself. The step is then done again, and the outcome is that of a step nobody killed.
"""

import multiprocessing
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from at_git import Repository, killing, new_repository

from tui_orch.workspace.commit import keep_aside, save
from tui_orch.workspace.git import How
from tui_orch.workspace.merging import Source, handed_over, merge
from tui_orch.workspace.worktree import Plot, begin_again, is_made, make, mend, remove, uncommitted

_FORK = multiprocessing.get_context("fork")
_MOST = 60

Step = Callable[[Repository, How], None]


def storm(folder: Path, when: str, prepare: Callable[[Repository], None], step: Step, look: Step) -> None:
    """Kill ``step`` at every other call; a repository of its own for each, made by ``prepare``, looked at by ``look``."""
    for at in range(1, _MOST, 2):  # before and after every other call is between all
        here = folder / str(at)
        here.mkdir()
        repo = new_repository(here)
        prepare(repo)
        how = killing(repo, here / "bin", at, when)
        process = _FORK.Process(target=step, args=(repo, how))
        process.start()
        process.join()
        step(repo, repo.how)
        look(repo, repo.how)
        repo.check()
        if process.exitcode == 0:
            assert at > 3
            return
        assert process.exitcode == -signal.SIGKILL
    pytest.fail("the step never came to its end")


def _nothing(repo: Repository) -> None:
    pass


def _make(repo: Repository, how: How) -> None:
    make(repo.plot(2), repo.git("rev-parse", "main"), how)


def _is_whole(repo: Repository, how: How) -> None:
    plot = repo.plot(2)
    assert is_made(plot)
    assert uncommitted(plot, how) == []
    assert repo.git("rev-parse", plot.branch) == repo.head
    assert len(repo.git("worktree", "list").split("\n")) == 2
    assert sorted(path.name for path in plot.folder.parent.iterdir()) == ["2"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_make_is_made_again(tmp_path: Path, when: str) -> None:
    storm(tmp_path, when, _nothing, _make, _is_whole)


def _with_work(repo: Repository) -> None:
    plot = repo.made(2)
    repo.write("new.txt", at=plot.folder)
    repo.write("a.txt", "changed\n", at=plot.folder)
    repo.git("checkout", "-q", "--detach", at=plot.folder)


def _save(repo: Repository, how: How) -> None:
    mend(repo.plot(2), how)
    save(repo.plot(2), "work", how)


def _is_saved(repo: Repository, how: How) -> None:
    plot = repo.plot(2)
    assert repo.git("rev-list", "--count", f"main..{plot.branch}") == "1"
    assert repo.git("ls-tree", "--name-only", plot.branch).split() == ["a.txt", "new.txt"]
    assert uncommitted(plot, how) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_save_is_saved_again(tmp_path: Path, when: str) -> None:
    storm(tmp_path, when, _with_work, _save, _is_saved)


SOURCES = [Source(job, f"child {job}", f"orch/1/{job}") for job in (3, 4, 5)]


def _with_children(repo: Repository) -> None:
    repo.made(2)
    for job, text in ((3, "three of 3"), (4, "three"), (5, "three of 5")):
        plot = repo.made(job)
        repo.write("a.txt", f"one\ntwo\n{text}\n", at=plot.folder)
        repo.write(f"f{job}.txt", at=plot.folder)
        repo.commit(at=plot.folder)


def _merge(repo: Repository, how: How) -> None:
    mend(repo.plot(2), how)
    done = merge(repo.plot(2), SOURCES, how)
    assert done.conflict is not None
    assert [job for job, _ in done.done] == [3, 4]


def _is_in_conflict(repo: Repository, how: How) -> None:
    plot = repo.plot(2)
    handed_over(plot)
    repo.write("a.txt", "one\ntwo\nthree of 3 and 5\n", at=plot.folder)
    tip = save(plot, "resolved", how)
    assert repo.git("ls-tree", "--name-only", tip).split() == ["a.txt", "f3.txt", "f4.txt", "f5.txt"]
    assert repo.git("rev-list", "--count", "--first-parent", f"main..{tip}") == "3"
    assert merge(plot, SOURCES, how).conflict is None


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_merge_is_merged_again(tmp_path: Path, when: str) -> None:
    storm(tmp_path, when, _with_children, _merge, _is_in_conflict)


def _put_aside(repo: Repository, how: How) -> None:
    plot = repo.plot(2)
    mend(plot, how)
    keep_aside(plot, repo.git("rev-parse", "main"), "2/1", "a try", how)
    begin_again(plot, repo.git("rev-parse", "main"), how)


def _is_aside(repo: Repository, how: How) -> None:
    assert uncommitted(repo.plot(2), how) == []
    assert repo.git("ls-tree", "--name-only", "refs/orch/kept/2/1").split() == ["a.txt", "new.txt"]
    assert repo.git("for-each-ref", "refs/orch").count("\n") == 0
    assert repo.git("rev-parse", "orch/1/2") == repo.head


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_putting_aside_is_done_again(tmp_path: Path, when: str) -> None:
    storm(tmp_path, when, _with_work, _put_aside, _is_aside)


def _remove(repo: Repository, how: How) -> None:
    remove(repo.plot(2), how)


def _is_removed(repo: Repository, how: How) -> None:
    assert list(repo.plot(2).folder.parent.iterdir()) == []
    assert repo.git("worktree", "list").count("\n") == 0
    make(repo.plot(2), repo.head, how)


def test_a_killed_removal_is_done_again(tmp_path: Path) -> None:
    storm(tmp_path, "after", lambda repo: _make(repo, repo.how), _remove, _is_removed)


@pytest.mark.parametrize("seed", range(6))
def test_git_killed_in_its_own_middle_leaves_what_can_be_mended(tmp_path: Path, seed: int) -> None:
    """Worker and git die at once at any moment, again and again; the tree in the end is the one of a calm run."""
    pick = random.Random(seed)
    for name in ("calm", "stormy"):
        (tmp_path / name).mkdir()
    calm, stormy = new_repository(tmp_path / "calm"), new_repository(tmp_path / "stormy")
    trees = []
    for repo in (calm, stormy):
        for number in range(40):
            repo.write(f"many/{number}.txt", f"{number}\n" * 50)
        repo.commit()
    _whole(calm, calm.how)
    trees.append(calm.tree("orch/1/2"))
    for _ in range(8):
        process = _FORK.Process(target=_in_a_group, args=(stormy,))
        process.start()
        process.join(pick.uniform(0.02, 0.25))
        _kill_with_git(process)
    _whole(stormy, stormy.how)
    assert stormy.tree("orch/1/2") == trees[0]
    stormy.check()


def _kill_with_git(process: "multiprocessing.process.BaseProcess") -> None:
    """Kill the process and every git that it has started (each is the leader of a group of its own)."""
    import psutil

    if process.pid is not None and process.is_alive():
        found = [psutil.Process(process.pid)]
        found += found[0].children(recursive=True)
        for one in found:
            if one.is_running():
                one.kill()
        end = time.monotonic() + 10
        while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in found[1:]):
            assert time.monotonic() < end
    process.join()


def _in_a_group(repo: Repository) -> None:
    _whole(repo, repo.how)


def _whole(repo: Repository, how: How) -> None:
    """Two children write, the parent merges both."""
    start = repo.git("rev-parse", "main")
    for job in (3, 4):
        plot = repo.plot(job)
        make(plot, start, how)
        mend(plot, how)
        for number in range(job, 40, 7):
            repo.write(f"many/{number}.txt", f"by {job}\n", at=plot.folder)
        save(plot, f"job {job}", how)
    parent = Plot(repo.top, repo.plot(2).folder, "orch/1/2")
    make(parent, start, how)
    mend(parent, how)
    done = merge(parent, SOURCES[:2], how)
    if done.conflict is not None:
        handed_over(parent)
        for name in done.conflict.files:
            repo.write(name, "both\n", at=parent.folder)
        save(parent, "resolved", how)
