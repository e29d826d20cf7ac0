"""A job's worktree: made once, made again, mended after a kill, removed when nothing would be lost."""

import multiprocessing
import os
import threading
from pathlib import Path

import pytest
from at_git import Repository, new_repository

from tui_orch.workspace.commit import save
from tui_orch.workspace.disk import size_bytes
from tui_orch.workspace.git import GitError, How, Stopped
from tui_orch.workspace.places import own_git_dir
from tui_orch.workspace.worktree import Plot, delete_branch, is_made, make, mend, remove, uncommitted


def test_a_worktree_begins_at_its_start_on_a_branch_of_its_own(repo: Repository) -> None:
    first = repo.head
    repo.write("later.txt")
    repo.commit()
    plot = repo.plot(2)
    assert not is_made(plot)
    make(plot, first, repo.how)
    assert is_made(plot)
    assert repo.git("rev-parse", plot.branch) == first
    assert repo.git("symbolic-ref", "HEAD", at=plot.folder) == "refs/heads/orch/1/2"
    assert sorted(os.listdir(plot.folder)) == [".git", "a.txt"]
    assert repo.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert repo.git("config", "--local", "--list").count("branch.") == 0


def test_nobody_else_can_enter_the_folders_of_a_store(repo: Repository) -> None:
    plot = repo.plot(7)
    make(plot, "main", repo.how)
    assert [folder.stat().st_mode & 0o077 for folder in (plot.folder.parent, plot.folder.parent.parent)] == [0, 0]


def test_making_again_changes_nothing(repo: Repository) -> None:
    plot = repo.made(2)
    repo.write("mine.txt", at=plot.folder)
    make(plot, "0" * 40, repo.how)
    assert uncommitted(plot, repo.how) == ["mine.txt"]


def test_a_branch_with_commits_of_its_own_is_checked_out_never_moved(repo: Repository) -> None:
    plot = repo.made(2)
    repo.write("mine.txt", at=plot.folder)
    tip = save(plot, "mine", repo.how)
    assert remove(plot, repo.how) is None
    assert not plot.folder.exists()
    make(plot, repo.head, repo.how)
    assert repo.git("rev-parse", plot.branch) == tip
    assert (plot.folder / "mine.txt").exists()


def test_a_folder_whose_entry_was_pruned_keeps_its_files(repo: Repository) -> None:
    """`git worktree prune` by someone while the store's disk was not mounted."""
    plot = repo.made(2)
    repo.write("mine.txt", "uncommitted\n", at=plot.folder)
    away = plot.folder.rename(plot.folder.with_name("away"))
    repo.git("worktree", "prune")
    away.rename(plot.folder)
    assert not is_made(plot)
    assert "not known" in (remove(plot, repo.how) or "")
    make(plot, repo.head, repo.how)
    assert uncommitted(plot, repo.how) == ["mine.txt"]
    assert repo.git("worktree", "list").count("\n") == 1
    repo.check()


@pytest.mark.parametrize("left", ["empty folder", "half a checkout", "entry without folder", "initializing", "lock"])
def test_what_a_kill_left_of_a_make_is_used_or_cleared(repo: Repository, left: str) -> None:
    plot = repo.plot(2)
    plot.folder.parent.mkdir(parents=True)
    match left:
        case "empty folder":
            plot.folder.mkdir()
        case "lock":
            lock = repo.top / ".git" / f"{plot.ref}.lock"
            lock.parent.mkdir(parents=True)
            lock.touch()
        case "entry without folder":
            repo.git("worktree", "add", "-q", "-b", plot.branch, str(plot.folder))
            plot.folder.rename(plot.folder.with_name("elsewhere"))
        case _:
            repo.git("worktree", "add", "-q", "--no-checkout", "-b", plot.branch, str(plot.folder))
            own = own_git_dir(plot)
            assert own is not None
            (own / "index.lock").touch()
            if left == "initializing":
                (own / "locked").write_text("initializing\n")
    assert not is_made(plot)
    make(plot, repo.head, repo.how)
    assert is_made(plot)
    assert uncommitted(plot, repo.how) == []
    assert (plot.folder / "a.txt").read_text() == "one\ntwo\nthree\n"
    repo.check()


def test_a_stop_while_another_holds_the_lock_is_heeded(repo: Repository) -> None:
    plot = repo.made(2)
    import fcntl

    with (plot.folder.parent.parent / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        looks = iter([False] * 3)
        with pytest.raises(Stopped):
            make(repo.plot(3), repo.head, How(env=repo.env, stopped=lambda: next(looks, True)))
    assert not repo.plot(3).folder.exists()


def test_makes_at_once_do_not_disturb_each_other(repo: Repository) -> None:
    """Two stores in one repository, threads and processes: twelve worktrees, all whole."""
    plots = [repo.plot(job, root, store) for store in ("one", "two") for root in (1,) for job in range(1, 7)]
    plots = [Plot(p.repository, p.folder, p.branch if "one" in p.folder.parts else f"{p.branch}-two") for p in plots]
    threads = [threading.Thread(target=make, args=(plot, repo.head, repo.how)) for plot in plots[::2]]
    fork = multiprocessing.get_context("spawn")
    processes = [
        fork.Process(target=_make_all, args=(chunk, repo.head, repo.env)) for chunk in (plots[1::4], plots[3::4])
    ]
    for one in (*processes, *threads):
        one.start()
    for one in (*processes, *threads):
        one.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert all(is_made(plot) for plot in plots)
    assert all(uncommitted(plot, repo.how) == [] for plot in plots)
    assert len(repo.git("worktree", "list").split("\n")) == 13
    repo.check()


def _make_all(plots: list[Plot], start: str, env: dict[str, str]) -> None:
    for plot in plots:
        make(plot, start, How(env=env))


def test_stale_locks_and_a_torn_index_are_mended(repo: Repository) -> None:
    plot = repo.made(2)
    repo.write("mine.txt", at=plot.folder)
    repo.write("a.txt", "changed\n", at=plot.folder)
    own = own_git_dir(plot)
    assert own is not None
    for name in ("index.lock", "HEAD.lock"):
        (own / name).touch()
    (repo.top / ".git/refs/heads/orch/1/2.lock").touch()
    (own / "index").write_bytes(b"\0" * 100)
    mend(plot, repo.how)
    assert sorted(uncommitted(plot, repo.how)) == ["a.txt", "mine.txt"]
    save(plot, "all of it", repo.how)
    repo.check()


def test_mending_where_nothing_is_made_does_nothing(repo: Repository) -> None:
    mend(repo.plot(2), repo.how)
    assert not repo.plot(2).folder.exists()


@pytest.mark.parametrize("way", [["switch", "-q", "-c", "feature"], ["checkout", "-q", "--detach"]])
def test_a_branch_follows_a_worker_who_left_it(repo: Repository, way: list[str]) -> None:
    plot = repo.made(2)
    repo.git(*way, at=plot.folder)
    repo.write("mine.txt", at=plot.folder)
    tip = repo.commit(at=plot.folder)
    repo.write("later.txt", at=plot.folder)
    mend(plot, repo.how)
    assert repo.git("symbolic-ref", "HEAD", at=plot.folder) == plot.ref
    assert repo.git("rev-parse", plot.branch) == tip
    assert uncommitted(plot, repo.how) == ["later.txt"]


def test_a_worker_who_looks_at_an_older_commit_is_brought_back(repo: Repository) -> None:
    plot = repo.made(2)
    repo.write("mine.txt", at=plot.folder)
    tip = save(plot, "mine", repo.how)
    repo.git("checkout", "-q", "HEAD~1", at=plot.folder)
    mend(plot, repo.how)
    assert repo.git("rev-parse", "HEAD", at=plot.folder) == tip
    assert (plot.folder / "mine.txt").exists()


def test_branches_that_went_apart_are_both_named_and_kept(repo: Repository) -> None:
    plot = repo.made(2)
    repo.write("mine.txt", at=plot.folder)
    tip = save(plot, "mine", repo.how)
    repo.git("switch", "-q", "-c", "feature", "main", at=plot.folder)
    repo.write("other.txt", at=plot.folder)
    other = repo.commit(at=plot.folder)
    with pytest.raises(GitError, match=r"feature.*orch/1/2"):
        mend(plot, repo.how)
    assert repo.git("rev-parse", plot.branch) == tip
    assert repo.git("rev-parse", "feature") == other


def test_a_branch_that_is_gone_is_told(repo: Repository) -> None:
    plot = repo.made(2)
    repo.git("update-ref", "-d", plot.ref)
    with pytest.raises(GitError, match="is gone"):
        mend(plot, repo.how)


@pytest.mark.parametrize("change", ["untracked", "changed", "staged", "removed", "nested", "detached commit", "locked"])
def test_nothing_that_would_be_lost_is_removed(repo: Repository, change: str) -> None:
    plot = repo.made(2)
    match change:
        case "untracked":
            repo.write("new/b.txt", at=plot.folder)
        case "changed":
            repo.write("a.txt", "changed\n", at=plot.folder)
        case "staged":
            repo.write("a.txt", "changed\n", at=plot.folder)
            repo.git("add", "-A", at=plot.folder)
        case "removed":
            (plot.folder / "a.txt").unlink()
        case "nested":
            new_repository(plot.folder, "nested")
        case "detached commit":
            repo.git("checkout", "-q", "--detach", at=plot.folder)
            repo.git("commit", "-q", "--allow-empty", "-m", "loose", at=plot.folder)
        case "locked":
            repo.git("worktree", "lock", str(plot.folder))
    why = remove(plot, repo.how)
    assert why
    assert str(plot.folder) in why
    assert plot.folder.exists()
    assert remove(plot, repo.how, force=True) is None
    assert not plot.folder.exists()
    assert repo.git("worktree", "list").count("\n") == 0
    assert repo.git("branch", "--list", plot.branch).strip() == plot.branch


def test_ignored_files_and_a_store_do_not_hold_a_worktree(repo: Repository) -> None:
    repo.write(".gitignore", "*.log\n")
    repo.commit()
    plot = repo.made(2)
    repo.write("big.log", at=plot.folder)
    repo.write(".orch/orch.db", at=plot.folder)
    closed = plot.folder / "build.log"
    closed.mkdir()
    (closed / "file").touch()
    closed.chmod(0)
    assert remove(plot, repo.how) is None
    assert remove(plot, repo.how) is None
    assert os.listdir(plot.folder.parent) == []


def test_a_branch_is_deleted_only_at_the_commit_it_was_seen_at(repo: Repository) -> None:
    plot = repo.made(2)
    first = repo.head
    repo.write("mine.txt", at=plot.folder)
    tip = save(plot, "mine", repo.how)
    assert remove(plot, repo.how) is None
    with pytest.raises(GitError):
        delete_branch(plot, first, repo.how)
    delete_branch(plot, tip, repo.how)
    delete_branch(plot, tip, repo.how)
    assert repo.git("branch", "--list", "orch/*") == ""


def test_the_size_of_a_folder_counts_no_link_and_ends(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "file").write_bytes(b"x" * 100_000)
    (tmp_path / "one" / "link").symlink_to("/usr")
    assert 100_000 <= size_bytes(tmp_path) < 200_000
    assert size_bytes(tmp_path, most=1) < 100_000
    assert size_bytes(tmp_path / "gone") == 0
