"""`orch discard`: a tree's worktrees and branches go, after saying what is lost; nothing of anybody else's does."""

import json
import shutil
from pathlib import Path

import pytest
from at_orch import AtOrch
from branches import Branches

from store import control
from store.states import Status
from tests.by_hand import now_ms
from tui_orch.workspace import discard, tidy
from tui_orch.workspace.commit import keep_aside


def test_everything_of_the_tree_goes(grove: Branches) -> None:
    root, other = grove.grown(), grove.grown()
    done = grove.orch("discard", str(root), "--yes")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"tree #{root}: 3 branches and 3 worktrees are removed, with 4 commits that were nowhere else\n"
    assert grove.names() == [f"orch/{other}/{each}" for each in (other, other + 1, other + 2)]
    assert not (grove.orch.home.root / "worktrees" / str(root)).exists()
    assert len(grove.git("worktree", "list").splitlines()) == 4
    assert grove.noted(root).deleted_ms is not None
    again = grove.orch("discard", str(root), "--yes")
    assert (again.code, again.out) == (0, f"tree #{root} has nothing to discard\n")
    grove.check()


def test_what_is_lost_is_counted(grove: Branches) -> None:
    """Commits that the person has merged are not, uncommitted files are."""
    root = grove.grown()
    assert grove.orch("merge", str(root)).code == 0
    grove.write("late.txt", "late\n", grove.plot(root + 1).folder)
    keep_aside(grove.plot(root + 1), "main", f"orch/{root}/{root + 1}.1", "an earlier try")
    found = json.loads(grove.orch("discard", str(root), "--yes", "--json").out)
    assert (found["commits"], found["files"], found["uncommitted"], found["kept"]) == (1, 3, 1, 1)
    assert (len(found["branches"]), found["worktrees"], found["stayed"]) == (3, 3, [])
    assert grove.git("for-each-ref", "refs/orch") == ""
    assert (grove.top / "a.txt").exists()


def test_nobody_is_left_unasked(grove: Branches) -> None:
    root = grove.grown()
    assert "--yes" in grove.orch.refused("discard", str(root))
    assert "--yes" in grove.orch.refused("discard", str(root), "--json")
    assert len(grove.names()) == 3


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 3)])
def test_a_person_is_asked(grove: Branches, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: int) -> None:
    root = grove.grown()
    asked = []

    def confirm(text: str) -> bool:
        asked.append(text)
        return answer == "y\n"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("tui_orch.cli.discard.click.confirm", confirm)
    assert grove.orch("discard", str(root)).code == code
    (question,) = asked
    assert "4 commits that are nowhere else" in question
    assert "3 changed files" in question
    assert len(grove.names()) == left


def test_a_tree_that_works_on_keeps_its_work(grove: Branches) -> None:
    root = grove.tree("write a")
    assert f"orch cancel {root}" in grove.orch.refused("discard", str(root), "--yes")
    assert f"orch discard {root}" in grove.orch.refused("discard", str(root + 1), "--yes")
    assert "no worktrees" in grove.orch.refused("discard", str(grove.orch.tree()), "--yes")


def test_a_tree_that_is_tried_again_meanwhile_keeps_what_is_left(grove: Branches) -> None:
    root = grove.tree()
    grove.work(root, {"a.txt": "a\n"}, Status.FAILED)
    found = tidy.held(grove.orch.store, root)
    with grove.orch.store.write() as tx:
        control.retry(tx, root, now_ms())
    with pytest.raises(Exception, match="opened again"):
        discard.discard(grove.orch.store, found, now_ms())
    assert grove.names() == [f"orch/{root}/{root}"]
    assert (grove.plot(root).folder / "a.txt").exists()


def test_a_branch_that_a_person_stands_on_stays(grove: Branches) -> None:
    root = grove.tree()
    grove.work(root, {"a.txt": "a\n"})
    plot = grove.plot(root)
    grove.git("worktree", "remove", "--force", str(plot.folder))
    grove.git("switch", "-q", plot.branch)
    assert "checked out" in grove.orch.refused("discard", str(root), "--yes")
    assert grove.names() == [plot.branch]


def test_a_branch_that_has_moved_since_stays(grove: Branches) -> None:
    root = grove.tree()
    grove.work(root, {"a.txt": "a\n"})
    found = tidy.held(grove.orch.store, root)
    plot = grove.plot(root)
    grove.git("commit", "-q", "--allow-empty", "-m", "late", at=plot.folder)
    (stayed,) = discard.discard(grove.orch.store, found, now_ms())
    assert stayed.startswith(plot.branch)
    assert grove.names() == [plot.branch]
    assert grove.noted(root).removed_ms is not None


def test_what_a_lost_repository_left_is_removed(orch: AtOrch, tmp_path: Path) -> None:
    """Its branches have gone with it."""
    grove = Branches(orch, tmp_path / "elsewhere")
    root = grove.grown()
    shutil.rmtree(grove.top)
    assert "orch discard" in orch("gc").err
    done = orch("discard", str(root), "--yes")
    assert (done.code, done.err) == (0, "")
    assert not (orch.home.root / "worktrees" / str(root)).exists()
    assert "discard" not in orch("gc").err
