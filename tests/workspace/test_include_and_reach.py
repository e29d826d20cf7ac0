"""Files outside version control that come along; and which commits are held by which branch."""

import os

import pytest
from at_git import Repository

from tui_orch.workspace.commit import keep_aside, save
from tui_orch.workspace.git import GitError
from tui_orch.workspace.include import copy_included
from tui_orch.workspace.merging import Source, merge
from tui_orch.workspace.reach import (
    branches,
    contained,
    contained_in_branch,
    delete_kept,
    is_ancestor,
    kept,
    tip,
)
from tui_orch.workspace.worktree import uncommitted


def test_ignored_files_that_are_named_are_copied_with_their_mode(repo: Repository) -> None:
    repo.write(".gitignore", ".env*\nsecrets/\n*.log\nlink\n!.env.example\nnode_modules/\n")
    repo.write(".worktreeinclude", "# come along\n.env*\nsecrets/*\nlink\nplain.txt\na.txt\n!secrets/not.txt\n.orch/\n")
    repo.commit()
    plot = repo.made(2)
    repo.write(".env", "KEY=1\n").chmod(0o600)
    repo.write("sub dir/.env.local", "x\n").chmod(0o755)
    repo.write("secrets/日本.txt", "s\n")
    repo.write("secrets/not.txt")
    repo.write(".env.example")
    repo.write("plain.txt")
    repo.write("x.log")
    repo.write("node_modules/.env.deep")
    repo.write(".orch/.gitignore", "*\n")
    (repo.top / "link").symlink_to("/etc/hostname")
    (repo.top / ".env.link").symlink_to(repo.top / ".env")
    assert copy_included(repo.top, plot.folder, repo.how) == 4
    assert (plot.folder / ".env").read_text() == "KEY=1\n"
    assert (plot.folder / ".env").stat().st_mode & 0o777 == 0o600
    assert os.access(plot.folder / "sub dir/.env.local", os.X_OK)
    assert (plot.folder / "secrets/日本.txt").exists()
    for name in ("secrets/not.txt", ".env.example", "plain.txt", "link", ".env.link", ".orch", "x.log"):
        assert not os.path.lexists(plot.folder / name), name
    assert uncommitted(plot, repo.how) == []
    assert sorted(path.name for path in plot.folder.parent.iterdir()) == ["2"]
    repo.write(".env", "mine\n", at=plot.folder)
    assert copy_included(repo.top, plot.folder, repo.how) == 0
    assert (plot.folder / ".env").read_text() == "mine\n"


def test_without_a_list_or_a_match_nothing_is_copied(repo: Repository) -> None:
    plot = repo.made(2)
    assert copy_included(repo.top, plot.folder, repo.how) == 0
    repo.write(".worktreeinclude", "new.txt\n")
    repo.write("new.txt")
    assert copy_included(repo.top, plot.folder, repo.how) == 0


def test_a_file_is_not_written_through_a_link_out_of_the_worktree(repo: Repository) -> None:
    outside = repo.top.parent / "outside"
    outside.mkdir()
    plot = repo.made(2)
    (plot.folder / "conf").symlink_to(outside)
    save(plot, "a link", repo.how)
    repo.write(".gitignore", "*.env\n")
    repo.write(".gitignore", "*.env\n", at=plot.folder)
    repo.write(".worktreeinclude", "*.env\n")
    repo.write("conf/x.env")
    assert copy_included(repo.top, plot.folder, repo.how) == 0
    assert list(outside.iterdir()) == []


def test_what_git_does_not_ignore_in_the_worktree_is_not_copied(repo: Repository) -> None:
    """It could be committed there."""
    plot = repo.made(2)
    repo.write(".gitignore", "*.env\n")
    repo.write(".worktreeinclude", "*.env\n")
    repo.write("x.env")
    assert copy_included(repo.top, plot.folder, repo.how) == 0


def test_which_tips_a_branch_holds(repo: Repository) -> None:
    plots = {job: repo.made(job) for job in (1, 2, 3, 12)}
    tips = {}
    for job, plot in plots.items():
        repo.write(f"{job}.txt", at=plot.folder)
        tips[job] = save(plot, "mine", repo.how)
    merge(plots[1], [Source(2, "two", plots[2].branch)], repo.how)
    assert contained_in_branch(repo.top, tips.values(), "orch/1/1", repo.how) == {tips[1], tips[2]}
    assert contained(repo.top, [tips[2], "0" * 40], "orch/1/1", repo.how) == {tips[2]}
    assert contained(repo.top, tips.values(), repo.head, repo.how) == frozenset()
    assert contained_in_branch(repo.top, tips.values(), "orch/1/9", repo.how) == frozenset()
    assert contained(repo.top, [], "main", repo.how) == frozenset()
    assert is_ancestor(repo.top, tips[2], "refs/heads/orch/1/1", repo.how)
    assert not is_ancestor(repo.top, tips[3], "refs/heads/orch/1/1", repo.how)
    with pytest.raises(GitError):
        is_ancestor(repo.top, "0" * 40, "main", repo.how)
    assert tip(repo.top, "orch/1/3", repo.how) == tips[3]
    assert tip(repo.top, "orch/1", repo.how) is None
    assert set(branches(repo.top, "orch/1", repo.how)) == {"orch/1/1", "orch/1/2", "orch/1/3", "orch/1/12"}
    assert set(branches(repo.top, "orch/1/1", repo.how)) == {"orch/1/1"}


def test_what_was_put_aside_is_found_and_deleted(repo: Repository) -> None:
    plot = repo.made(2)
    repo.write("x.txt", at=plot.folder)
    commit = keep_aside(plot, repo.head, "1/2/1", "try", repo.how)
    assert commit is not None
    assert kept(repo.top, "1", repo.how) == {"1/2/1": commit}
    with pytest.raises(GitError):
        delete_kept(repo.top, "1/2/1", repo.head, repo.how)
    delete_kept(repo.top, "1/2/1", commit, repo.how)
    delete_kept(repo.top, "1/2/1", commit, repo.how)
    assert kept(repo.top, "1", repo.how) == {}
