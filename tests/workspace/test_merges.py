"""Children merged in order; conflicts left in place, told file by file, concluded when none is left."""

import pytest
from at_git import Repository

from tui_orch.workspace.commit import Unresolved, save
from tui_orch.workspace.conflict import unresolved
from tui_orch.workspace.git import GitError
from tui_orch.workspace.merging import Conflict, Source, handed_over, merge
from tui_orch.workspace.worktree import Plot, mend, uncommitted


def child(repo: Repository, job: int, files: dict[str, str | bytes | None], start: str | None = None) -> Source:
    plot = repo.made(job, start)
    for name, text in files.items():
        path = plot.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        match text:
            case None:
                path.unlink()
            case bytes():
                path.write_bytes(text)
            case _:
                path.write_text(text)
    save(plot, f"job {job}", repo.how)
    return Source(job, f"child {job}", plot.branch)


def test_children_are_merged_in_order_each_by_a_merge_commit(repo: Repository) -> None:
    sources = [child(repo, job, {f"f{job}.txt": "x\n"}) for job in (4, 3, 5)]
    parent = repo.made(2)
    done = merge(parent, sources, repo.how)
    assert [job for job, _ in done.done] == [4, 3, 5]
    assert [commit for _, commit in done.done] == [repo.git("rev-parse", source.branch) for source in sources]
    assert repo.git("log", "--first-parent", "--format=%s", f"main..{parent.branch}").split("\n") == [
        "Merge orch/1/5: child 5",
        "Merge orch/1/3: child 3",
        "Merge orch/1/4: child 4",
    ]
    tip = repo.git("rev-parse", parent.branch)
    assert merge(parent, sources, repo.how) == done
    assert repo.git("rev-parse", parent.branch) == tip
    assert uncommitted(parent, repo.how) == []
    repo.check()


def test_a_child_that_changed_nothing_makes_no_commit(repo: Repository) -> None:
    source = child(repo, 3, {})
    parent = repo.made(2)
    assert merge(parent, [source], repo.how).done == ((3, repo.head),)
    assert repo.git("rev-parse", parent.branch) == repo.head


def test_a_missing_branch_and_an_unclean_worktree_are_refused(repo: Repository) -> None:
    source = child(repo, 3, {"b.txt": "x\n"})
    parent = repo.made(2)
    with pytest.raises(GitError, match="orch/1/9 of job 9 is gone"):
        merge(parent, [source, Source(9, "none", "orch/1/9")], repo.how)
    assert repo.git("rev-parse", parent.branch) == repo.head
    repo.write("mine.txt", at=parent.folder)
    with pytest.raises(GitError, match="1 uncommitted"):
        merge(parent, [source], repo.how)


def test_a_tag_of_the_same_name_is_not_merged(repo: Repository) -> None:
    source = child(repo, 3, {"b.txt": "x\n"})
    repo.git("tag", source.branch, "main")
    parent = repo.made(2)
    merge(parent, [source], repo.how)
    assert (parent.folder / "b.txt").exists()


def in_conflict(repo: Repository) -> tuple[Plot, list[Source], Conflict]:
    sources = [
        child(repo, 3, {"a.txt": "one\nthree of 3\n", "c.txt": "c\n"}),
        child(repo, 4, {"a.txt": "one\nthree of 4\n", "d.txt": "d\n"}),
        child(repo, 5, {"e.txt": "e\n"}),
    ]
    parent = repo.made(2)
    done = merge(parent, sources, repo.how)
    assert [job for job, _ in done.done] == [3]
    assert done.conflict is not None
    return parent, sources, done.conflict


def test_a_conflict_stays_until_its_markers_are_gone(repo: Repository) -> None:
    parent, sources, conflict = in_conflict(repo)
    assert conflict == Conflict(4, "orch/1/4", ("a.txt",))
    handed_over(parent)
    mend(parent, repo.how)
    assert unresolved(parent, repo.how) == ("a.txt",)
    with pytest.raises(Unresolved) as caught:
        save(parent, "too early", repo.how)
    assert caught.value.files == ("a.txt",)
    repo.write("a.txt", "one\nthree of 3\nthree of 4\n=======\n", at=parent.folder)
    assert unresolved(parent, repo.how) == ()
    tip = save(parent, "resolved", repo.how)
    assert repo.git("rev-parse", f"{tip}^2") == repo.git("rev-parse", "orch/1/4")
    done = merge(parent, sources, repo.how)
    assert done.conflict is None
    assert [job for job, _ in done.done] == [3, 4, 5]
    assert {"c.txt", "d.txt", "e.txt"} <= {path.name for path in parent.folder.iterdir()}
    repo.check()


def test_a_conflict_that_was_not_handed_over_is_undone_and_comes_again(repo: Repository) -> None:
    parent, sources, conflict = in_conflict(repo)
    mend(parent, repo.how)
    assert uncommitted(parent, repo.how) == []
    assert (parent.folder / "c.txt").exists()
    again = merge(parent, sources, repo.how)
    assert again.conflict == conflict


def test_a_worker_who_gives_a_merge_up_gets_it_again(repo: Repository) -> None:
    parent, sources, conflict = in_conflict(repo)
    handed_over(parent)
    repo.git("merge", "--abort", at=parent.folder)
    save(parent, "nothing", repo.how)
    assert merge(parent, sources, repo.how).conflict == conflict


@pytest.mark.parametrize("commit", [False, True])
def test_markers_that_were_staged_or_committed_are_seen_in_noted_files(repo: Repository, commit: bool) -> None:
    parent, _, conflict = in_conflict(repo)
    handed_over(parent)
    repo.git("add", "-A", at=parent.folder)
    if commit:
        repo.git("commit", "-q", "--no-edit", at=parent.folder)
    assert unresolved(parent, repo.how) == ()
    assert unresolved(parent, repo.how, conflict.files) == ("a.txt",)
    with pytest.raises(Unresolved):
        save(parent, "no", repo.how, conflict.files)


def test_a_text_about_conflicts_is_no_conflict(repo: Repository) -> None:
    """The file holds marker lines of its own on both sides."""
    text = "<<<<<<< HEAD\nlike this\n=======\nor that\n>>>>>>> branch\n"
    sources = [child(repo, job, {"a.txt": f"{text}by {job}\n"}) for job in (3, 4)]
    parent = repo.made(2)
    merge(parent, sources, repo.how)
    handed_over(parent)
    assert unresolved(parent, repo.how) == ("a.txt",)
    repo.write("a.txt", f"{text}by 3 and 4\n", at=parent.folder)
    assert unresolved(parent, repo.how) == ()


BINARY = b"\0\1\2"


@pytest.mark.parametrize(
    ("ours", "theirs"), [({"a.txt": None}, {"a.txt": "theirs\n"}), ({"x": BINARY + b"1"}, {"x": BINARY + b"2"})]
)
@pytest.mark.parametrize("way", [["add"], ["rm", "-q"]])
def test_a_conflict_without_markers_is_the_workers_to_add_or_remove(
    repo: Repository, ours: dict[str, str | bytes | None], theirs: dict[str, str | bytes | None], way: list[str]
) -> None:
    sources = [child(repo, 3, ours), child(repo, 4, theirs)]
    parent = repo.made(2)
    done = merge(parent, sources, repo.how)
    (name,) = ours
    assert done.conflict == Conflict(4, "orch/1/4", (name,))
    handed_over(parent)
    assert unresolved(parent, repo.how) == (name,)
    repo.git(*way, name, at=parent.folder)
    assert unresolved(parent, repo.how) == ()
    tip = save(parent, "resolved", repo.how)
    assert repo.git("rev-parse", f"{tip}^2") == repo.git("rev-parse", "orch/1/4")
    assert (parent.folder / name).exists() == (way == ["add"])


def test_a_conflict_resolved_to_ones_own_side_is_concluded(repo: Repository) -> None:
    """The tree does not change, the merge is a commit all the same."""
    parent, _, _ = in_conflict(repo)
    handed_over(parent)
    repo.git("checkout", "HEAD", "--", ".", at=parent.folder)
    repo.git("rm", "-q", "-f", "d.txt", at=parent.folder)
    before = repo.git("rev-parse", "HEAD", at=parent.folder)
    tip = save(parent, "ours", repo.how)
    assert repo.tree(tip) == repo.tree(before)
    assert tip != before


def test_an_ignored_file_in_the_way_of_a_merge_is_no_half_merge(repo: Repository) -> None:
    """What git refuses leaves the worktree as it was."""
    source = child(repo, 3, {"dir/b.txt": "x\n"})
    parent = repo.made(2)
    hook = repo.write(".git/hooks/pre-merge-commit", "#!/bin/sh\necho refused >&2\nexit 1\n")
    hook.chmod(0o755)
    from tui_orch.workspace.git import How, Ways

    with pytest.raises(GitError):
        merge(parent, [source], How(env=repo.env, ways=Ways(hooks=True)))
    assert uncommitted(parent, repo.how) == []
    assert not (parent.folder / "dir").exists()
    assert merge(parent, [source], repo.how).conflict is None
    repo.check()


def test_histories_without_a_common_commit_are_refused(repo: Repository) -> None:
    tree = repo.tree("main")
    repo.git("update-ref", "refs/heads/orch/1/3", repo.git("commit-tree", tree, "-m", "alone"))
    parent = repo.made(2)
    with pytest.raises(GitError, match="unrelated histories"):
        merge(parent, [Source(3, "alone", "orch/1/3")], repo.how)
    repo.check()
