"""Where worktrees can be made, and where not: told before anything starts, with the way out."""

import os
import subprocess
from pathlib import Path

import pytest
from at_git import Repository, new_repository

from tui_orch.workspace.commit import save
from tui_orch.workspace.ground import Ground, Unfit, look
from tui_orch.workspace.merging import Source, merge
from tui_orch.workspace.worktree import Plot, is_made, make, remove, uncommitted


def works(repo: Repository, ground: Ground, folder: Path) -> None:
    """Make two worktrees there, write in one, merge it into the other, remove it."""
    plots = [Plot(ground.repository, folder / "1" / job, f"orch/7/{job}") for job in ("1", "2")]
    for plot in plots:
        make(plot, ground.base_commit, repo.how)
        assert is_made(plot)
    repo.write("deep/er/日本.txt", at=plots[1].folder)
    save(plots[1], "mine", repo.how)
    assert merge(plots[0], [Source(2, "二", plots[1].branch)], repo.how).conflict is None
    assert "deep/er/日本.txt" in repo.git("ls-tree", "-r", "-z", "--name-only", "HEAD", at=plots[0].folder).split("\0")
    assert uncommitted(plots[0], repo.how) == []
    assert remove(plots[1], repo.how) is None
    assert look(ground.repository, repo.env).taken == {"orch/7/1", "orch/7/2"}


def test_a_checkout_is_looked_at_from_a_folder_of_it(repo: Repository) -> None:
    repo.write(".gitignore", "*.log\n")
    repo.write("sub/b.txt")
    head = repo.commit()
    repo.git("branch", "orch/3/1")
    repo.write("x.log")
    repo.write("new/one")
    repo.write("new/two")
    repo.write("a.txt", "changed\n")
    repo.write(".orch/orch.db")
    ground = look(repo.top / "sub", repo.env)
    assert ground == Ground(repo.top, head, "main", frozenset({"orch/3/1"}), 2)
    repo.git("branch", "-D", "-q", "orch/3/1")
    works(repo, ground, repo.top / ".orch" / "worktrees")
    assert look(repo.top, repo.env).uncommitted == 2
    repo.check()


def test_a_folder_with_spaces_and_japanese_characters(tmp_path: Path) -> None:
    folder = tmp_path / "my 仕事 'x' \"y\" $HOME"
    folder.mkdir()
    repo = new_repository(folder, "プロジェクト one")
    works(repo, look(repo.top, repo.env), folder / "店 store")
    repo.check()


def test_a_detached_head_is_a_base_without_a_branch(repo: Repository, tmp_path: Path) -> None:
    repo.git("checkout", "-q", "--detach")
    ground = look(repo.top, repo.env)
    assert ground.base_branch is None
    assert ground.base_commit == repo.head
    works(repo, ground, tmp_path / "store")


def test_a_linked_worktree_as_the_persons_own_checkout(repo: Repository, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    repo.git("worktree", "add", "-q", "-b", "feature", str(linked))
    ground = look(linked, repo.env)
    assert (ground.repository, ground.base_branch) == (linked, "feature")
    works(repo, ground, tmp_path / "store")
    assert repo.git("status", "--porcelain", at=linked) == ""


def test_a_linked_worktree_of_a_bare_repository(repo: Repository, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", str(repo.top), str(tmp_path / "bare.git"))
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"), "main", at=tmp_path / "bare.git")
    works(repo, look(tmp_path / "linked", repo.env), tmp_path / "store")


def test_a_sparse_checkout(repo: Repository, tmp_path: Path) -> None:
    """What is not checked out stays in the tree, what is written outside of it is committed."""
    for name in ("in/x", "out/y", "deep/z"):
        repo.write(name)
    repo.commit()
    repo.git("sparse-checkout", "set", "in")
    assert not (repo.top / "out").exists()
    ground = look(repo.top, repo.env)
    assert ground.uncommitted == 0
    works(repo, ground, tmp_path / "store")
    assert repo.git("ls-tree", "-r", "--name-only", "orch/7/1").split("\n")[-2:] == ["in/x", "out/y"]
    repo.check()


def test_a_shallow_clone(repo: Repository, tmp_path: Path) -> None:
    repo.write("b.txt")
    repo.commit()
    repo.git("clone", "-q", "--depth", "1", f"file://{repo.top}", str(tmp_path / "shallow"))
    works(repo, look(tmp_path / "shallow", repo.env), tmp_path / "store")


def test_a_merge_under_way_in_the_checkout_is_fine(repo: Repository, tmp_path: Path) -> None:
    repo.git("switch", "-q", "-c", "other")
    repo.write("a.txt", "other\n")
    repo.commit()
    repo.git("switch", "-q", "main")
    repo.write("a.txt", "main\n")
    head = repo.commit()
    subprocess.run(["git", "merge", "other"], cwd=repo.top, env=repo.env, capture_output=True, check=False)
    ground = look(repo.top, repo.env)
    assert (ground.base_commit, ground.uncommitted) == (head, 1)
    works(repo, ground, tmp_path / "store")
    assert (repo.top / ".git/MERGE_HEAD").exists()


def refused(repo: Repository, folder: Path, words: str, *, outside: bool = False) -> None:
    with pytest.raises(Unfit, match=words) as caught:
        look(folder, repo.env)
    assert caught.value.outside is outside
    assert "\n" not in str(caught.value)


def test_outside_of_git(repo: Repository, tmp_path: Path) -> None:
    refused(repo, tmp_path, "in no git repository: git init", outside=True)


def test_without_git(repo: Repository, tmp_path: Path) -> None:
    with pytest.raises(Unfit, match="not installed") as caught:
        look(repo.top, {**repo.env, "PATH": str(tmp_path)})
    assert caught.value.outside


def test_a_git_that_is_too_old(repo: Repository, tmp_path: Path) -> None:
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho git version 2.30.2\n")
    old.chmod(0o755)
    with pytest.raises(Unfit, match=r"git version 2.30.2 is too old: 2.34"):
        look(repo.top, {**repo.env, "PATH": f"{old.parent}:{repo.env['PATH']}"})


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    repo = new_repository(tmp_path, commit=False)
    refused(repo, repo.top, "no commit yet: make one")


def test_a_bare_repository_and_the_inside_of_git(repo: Repository, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", str(repo.top), str(tmp_path / "bare.git"))
    refused(repo, tmp_path / "bare.git", "is a bare repository")
    refused(repo, repo.top / ".git" / "refs", "inside a .git folder")


def test_submodules(repo: Repository, tmp_path: Path) -> None:
    other = new_repository(tmp_path, "other")
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.top), "lib")
    repo.commit()
    refused(repo, repo.top, r"has submodules \(lib\)")
    refused(repo, repo.top / "lib", "is a submodule")


def test_a_branch_named_orch(repo: Repository) -> None:
    repo.git("branch", "orch")
    refused(repo, repo.top, "has a branch named orch.*git branch -m orch")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to someone else")
def test_a_repository_of_someone_else_is_told(repo: Repository) -> None:
    os.chown(repo.top, 65534, 65534)
    os.chown(repo.top / ".git", 65534, 65534)
    refused(repo, repo.top, "safe.directory")
