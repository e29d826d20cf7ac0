"""`orch merge`: into the person's branch, wholly or not at all; every refusal says the way out."""

import json
from pathlib import Path

import pytest
from branches import Branches

from store.states import Status


def test_the_work_of_a_tree_comes_into_the_persons_branch(grove: Branches) -> None:
    root = grove.grown()
    base = grove.git("rev-parse", "main")
    done = grove.orch("merge", str(root))
    assert (done.code, done.err) == (0, "")
    assert f"tree #{root} is merged into main" in done.out
    assert (grove.top / "a.txt").read_text() == "a\n"
    assert grove.git("rev-parse", "main^1", "main^2").split() == [base, grove.git("rev-parse", f"orch/{root}/{root}")]
    assert grove.git("log", "-1", "--format=%s") == f"Merge orch/{root}/{root}: the whole"
    assert grove.git("log", "-1", "--format=%an") == "A Person"
    assert grove.noted(root).is_merged
    again = grove.orch("merge", str(root))
    assert (again.code, "merged already" in again.out) == (0, True)
    grove.check()


def test_numbers_for_programs_and_what_is_merged_elsewhere(grove: Branches) -> None:
    root = grove.grown()
    found = json.loads(grove.orch("merge", str(root), "--json").out)
    assert (found["into"], found["already"], found["files"], found["insertions"]) == ("main", False, 3, 3)
    assert found["commit"] == grove.git("rev-parse", "main")
    grove.git("switch", "-q", "-c", "other", "main~1")
    again = json.loads(grove.orch("merge", str(root), "--json").out)
    assert (again["into"], again["already"], again["commit"]) == ("main", True, found["commit"])


def test_a_tree_that_works_on_is_not_merged(grove: Branches) -> None:
    root = grove.tree("write a")
    assert f"orch wait {root}" in grove.orch.refused("merge", str(root))
    assert f"orch merge {root}" in grove.orch.refused("merge", str(root + 1))
    assert "no worktrees" in grove.orch.refused("merge", str(grove.orch.tree()))


def test_a_tree_that_changed_nothing_has_nothing_to_merge(grove: Branches) -> None:
    root = grove.tree()
    grove.work(root, {})
    assert "nothing to merge" in grove.orch.refused("merge", str(root))


def test_uncommitted_changes_are_no_place_for_a_merge(grove: Branches) -> None:
    """Untracked files are, as long as none is in the way."""
    root = grove.grown()
    grove.write("untracked.txt", "mine\n")
    grove.write("shared.txt", "mine\n")
    assert "shared.txt" in grove.orch.refused("merge", str(root))
    grove.git("restore", ".")
    grove.write("a.txt", "in the way\n")
    done = grove.orch("merge", str(root))
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert "a.txt" in done.err
    assert (grove.top / "a.txt").read_text() == "in the way\n"
    assert not (grove.top / "b.txt").exists()
    (grove.top / "a.txt").unlink()
    assert grove.orch("merge", str(root)).code == 0
    assert (grove.top / "untracked.txt").read_text() == "mine\n"


def test_another_branch_is_taken_only_where_that_is_said(grove: Branches) -> None:
    root = grove.grown()
    grove.git("switch", "-q", "-c", "other")
    said = grove.orch.refused("merge", str(root))
    assert "switch main" in said
    assert "--here" in said
    assert grove.orch("merge", str(root), "--here").code == 0
    assert (grove.top / "a.txt").exists()
    assert not grove.git("ls-tree", "main", "a.txt")


def test_a_detached_head_is_no_branch(grove: Branches) -> None:
    root = grove.grown()
    grove.git("switch", "-q", "--detach")
    for more in ((), ("--here",)):
        assert "switch main" in grove.orch.refused("merge", str(root), *more)


def test_a_tree_that_began_at_a_detached_head_is_merged_here(grove: Branches) -> None:
    grove.git("switch", "-q", "--detach")
    root = grove.grown()
    grove.git("switch", "-q", "main")
    assert "--here" in grove.orch.refused("merge", str(root))
    assert grove.orch("merge", str(root), "--here").code == 0


def test_a_conflict_is_taken_back_and_named(grove: Branches) -> None:
    root = grove.grown()
    grove.write("shared.txt", "one\nmine\nthree\n")
    mine = grove.commit("mine")
    said = grove.orch.refused("merge", str(root))
    assert "shared.txt" in said
    assert f"merge --no-ff orch/{root}/{root}" in said
    assert (grove.git("rev-parse", "HEAD"), grove.git("status", "--porcelain", "-uno")) == (mine, "")
    assert not (grove.top / "a.txt").exists()
    assert not (grove.top / ".git" / "MERGE_HEAD").exists()
    assert not grove.noted(root).is_merged


def test_nothing_is_begun_beside_what_is_under_way(grove: Branches) -> None:
    root = grove.grown()
    grove.git("switch", "-q", "-c", "other")
    grove.write("shared.txt", "one\nmine\nthree\n")
    grove.commit("mine")
    grove.git("switch", "-q", "main")
    grove.write("shared.txt", "one\nothers\nthree\n")
    grove.commit("others")
    with pytest.raises(AssertionError, match="merge"):
        grove.git("merge", "other")
    assert "a merge is under way" in grove.orch.refused("merge", str(root))
    assert (grove.top / ".git" / "MERGE_HEAD").exists()


def test_the_persons_own_hooks_hold(grove: Branches) -> None:
    """One that refuses leaves everything as it was."""
    root = grove.grown()
    hook = grove.top / ".git" / "hooks" / "pre-merge-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n")
    hook.chmod(0o755)
    base = grove.git("rev-parse", "HEAD")
    done = grove.orch("merge", str(root))
    assert (done.code, "not on a Friday" in done.err) == (1, True)
    assert (grove.git("rev-parse", "HEAD"), grove.git("status", "--porcelain", "-uno")) == (base, "")
    assert not (grove.top / ".git" / "MERGE_HEAD").exists()


def test_a_partial_tree_is_merged_and_it_is_told(grove: Branches) -> None:
    root = grove.tree("write a", "write b")
    grove.work(root + 1, {"a.txt": "a\n"})
    grove.work(root + 2, {"b.txt": "b\n"}, Status.FAILED)
    grove.merge_up(root)
    done = grove.orch("merge", str(root))
    assert (done.code, "is partial" in done.err) == (0, True)
    assert (grove.top / "a.txt").exists()
    assert not (grove.top / "b.txt").exists()


def test_git_variables_of_the_outside_lead_nowhere_else(grove: Branches, tmp_path: Path) -> None:
    root = grove.grown()
    done = grove.orch("merge", str(root), env={"GIT_DIR": str(tmp_path), "GIT_WORK_TREE": str(tmp_path)})
    assert (done.code, (grove.top / "a.txt").exists()) == (0, True)


def test_a_merge_is_a_persons(grove: Branches) -> None:
    root = grove.grown()
    fence = grove.begin(grove.tree())
    assert "for a person" in grove.orch.refused("merge", str(root), env=grove.orch.worker(fence))
    assert not (grove.top / "a.txt").exists()
