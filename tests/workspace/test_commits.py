"""What a worker left becomes a commit: every kind of file, never a store's, never a nested repository's."""

import os
from pathlib import Path

import pytest
from at_git import Repository, new_repository

from tui_orch.workspace.commit import Diffstat, diffstat, keep_aside, nested, save
from tui_orch.workspace.merging import Source, merge
from tui_orch.workspace.worktree import begin_again, remove, uncommitted


def test_every_kind_of_change_is_committed_as_it_is(repo: Repository) -> None:
    """Names with spaces, line ends and Japanese; links, modes, binaries, CRLF, big files; removed, replaced, renamed."""
    for name in ("gone.txt", "folder/in.txt", "file", "renamed.txt", "linked/in.txt", "kept/日本.txt"):
        repo.write(name, f"{name}\n" * 20)
    repo.commit()
    plot = repo.made(2)
    top = plot.folder
    (top / "gone.txt").unlink()
    (top / "folder/in.txt").unlink()
    (top / "folder").rmdir()
    repo.write("folder", "now a file\n", at=top)
    (top / "file").unlink()
    repo.write("file/in", "now a folder\n", at=top)
    (top / "renamed.txt").rename(top / "new name.txt")
    (top / "linked/in.txt").unlink()
    (top / "linked").rmdir()
    (top / "linked").symlink_to("kept")
    repo.write("line\nend 日本 \t.txt", "crlf\r\nmixed\n", at=top)
    (top / os.fsdecode(b"bytes-\xff\xfe")).write_bytes(b"\0\1\2" * 1000)
    (top / "big").write_bytes(os.urandom(3_000_000))
    repo.write("run.sh", "#!/bin/sh\n", at=top).chmod(0o755)
    (top / "a.txt").chmod(0o755)
    (top / "dangling").symlink_to("/nowhere")
    save(plot, "all", repo.how)
    assert uncommitted(plot, repo.how) == []
    other = repo.made(3)
    merge(other, [Source(2, "all", plot.branch)], repo.how)
    assert _picture(other.folder) == _picture(top)
    assert not (other.folder / "gone.txt").exists()
    assert os.readlink(other.folder / "linked") == "kept"
    repo.check()


def _picture(top: Path) -> dict[str, tuple[bool, bytes]]:
    found = {}
    for folder, _, names in os.walk(top):
        for name in names:
            path = Path(folder, name)
            data = os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
            found[str(path.relative_to(top))] = (not path.is_symlink() and os.access(path, os.X_OK), data)
    found.pop(".git")
    return found


def test_without_a_change_there_is_no_commit(repo: Repository) -> None:
    repo.write(".gitignore", "*.log\n")
    first = repo.commit()
    plot = repo.made(2)
    repo.write("x.log", at=plot.folder)
    os.utime(plot.folder / "a.txt", (1, 1))
    assert save(plot, "nothing", repo.how) == first


def test_what_the_worker_staged_or_committed_itself_is_in_it(repo: Repository) -> None:
    plot = repo.made(2)
    repo.write("own.txt", at=plot.folder)
    own = repo.commit("own", at=plot.folder)
    repo.write("staged.txt", at=plot.folder)
    repo.git("add", "-A", at=plot.folder)
    repo.write("meant.txt", at=plot.folder)
    repo.git("add", "-N", "meant.txt", at=plot.folder)
    tip = save(plot, "rest", repo.how)
    assert repo.git("rev-parse", f"{tip}^") == own
    assert set(repo.git("ls-tree", "--name-only", tip).split()) == {"a.txt", "own.txt", "staged.txt", "meant.txt"}


def test_the_files_of_a_store_are_never_part_of_a_commit(repo: Repository) -> None:
    plot = repo.made(2)
    repo.write(".orch/orch.db", at=plot.folder)
    repo.write("sub/.orch/jobs/1", at=plot.folder)
    repo.git("add", "-A", at=plot.folder)
    repo.write("sub/.orch/later", at=plot.folder)
    repo.write("sub/mine.txt", at=plot.folder)
    tip = save(plot, "mine", repo.how)
    assert repo.git("ls-tree", "-r", "--name-only", tip) == "a.txt\nsub/mine.txt"
    assert (plot.folder / "sub/.orch/later").exists()


@pytest.mark.parametrize("staged", [False, True])
@pytest.mark.parametrize("commit", [False, True])
def test_a_repository_made_inside_is_named_and_stays_where_it_is(repo: Repository, commit: bool, staged: bool) -> None:
    """Git alone would fail on one without a commit, and record one with a commit as a link that holds no file."""
    plot = repo.made(2)
    (plot.folder / "sub").mkdir()
    inner = new_repository(plot.folder / "sub", "nested repo", commit=commit)
    (plot.folder / "sub/home/.gitconfig").unlink()
    repo.write("mine.txt", at=plot.folder)
    if staged and commit:
        repo.git("add", "-A", at=plot.folder)
    inner.write("precious.txt")
    tip = save(plot, "mine", repo.how)
    assert repo.git("ls-tree", "-r", "--name-only", tip) == "a.txt\nmine.txt"
    assert nested(plot, repo.how) == ("sub/nested repo",)
    begin_again(plot, tip, repo.how)
    assert (inner.top / "precious.txt").exists()
    assert merge(plot, [], repo.how).done == ()


def test_a_diffstat_counts_files_and_lines(repo: Repository) -> None:
    plot = repo.made(2)
    repo.write("a.txt", "one\n2\nthree\nfour\n", at=plot.folder)
    repo.write("new.txt", "x\n", at=plot.folder)
    tip = save(plot, "mine", repo.how)
    assert diffstat(repo.top, repo.head, tip, repo.how) == Diffstat(2, 3, 1)
    assert diffstat(repo.top, tip, tip, repo.how) == Diffstat(0, 0, 0)


def test_a_try_is_put_aside_and_the_next_begins_from_the_start(repo: Repository) -> None:
    repo.write(".gitignore", "*.log\n")
    start = repo.commit()
    plot = repo.made(2)
    assert keep_aside(plot, start, "1/2/1", "first try", repo.how) is None
    repo.write("done.txt", at=plot.folder)
    own = save(plot, "own", repo.how)
    repo.write("half.txt", at=plot.folder)
    repo.write("x.log", at=plot.folder)
    (plot.folder / "a.txt").unlink()
    kept = keep_aside(plot, start, "1/2/1", "first try", repo.how)
    assert kept is not None
    assert uncommitted(plot, repo.how) == ["a.txt", "half.txt"]
    assert keep_aside(plot, start, "1/2/1", "first try", repo.how) == kept
    begin_again(plot, start, repo.how)
    assert uncommitted(plot, repo.how) == []
    assert repo.git("rev-parse", plot.branch) == start
    assert sorted(os.listdir(plot.folder)) == [".git", ".gitignore", "a.txt", "x.log"]
    assert repo.git("rev-parse", "refs/orch/kept/1/2/1") == kept
    assert repo.git("rev-parse", f"{kept}^") == own
    assert repo.git("ls-tree", "--name-only", kept).split() == [".gitignore", "done.txt", "half.txt"]
    repo.write("second.txt", at=plot.folder)
    second = keep_aside(plot, start, "1/2/1", "second try", repo.how)
    assert repo.git("rev-parse", "refs/orch/kept/1/2/1-2") == second
    repo.check()


def test_a_try_that_ended_apart_from_its_branch_keeps_both(repo: Repository) -> None:
    start = repo.head
    plot = repo.made(2)
    repo.write("one.txt", at=plot.folder)
    save(plot, "one", repo.how)
    repo.git("checkout", "-q", start, at=plot.folder)
    repo.write("two.txt", at=plot.folder)
    repo.commit(at=plot.folder)
    kept = keep_aside(plot, start, "1/2/1", "try", repo.how)
    begin_again(plot, start, repo.how)
    assert repo.git("symbolic-ref", "HEAD", at=plot.folder) == plot.ref
    assert kept is not None
    assert len(repo.git("rev-list", f"{start}..{kept}").split()) == 3


def test_what_claude_code_had_written_by_half_is_no_part_of_a_commit(repo: Repository) -> None:
    """Killed in the middle of a write it leaves its own temporary file; one that git knows by that name is a file like any."""
    half, known = "b.txt.tmp.29521.66ae8bc049d2", "known.tmp.1.0123456789ab"
    repo.write(known, "one\n")
    repo.commit()
    plot = repo.made(2)
    repo.write("b.txt", "whole\n", at=plot.folder)
    repo.write(half, "wh", at=plot.folder)
    repo.write(known, "two\n", at=plot.folder)
    assert uncommitted(plot, repo.how) == [known, "b.txt"]
    save(plot, "all", repo.how)
    assert uncommitted(plot, repo.how) == []
    assert repo.how.git(plot.folder).lines("ls-files", "-z") == ["a.txt", "b.txt", known]
    assert remove(plot, repo.how) is None
    repo.check()
