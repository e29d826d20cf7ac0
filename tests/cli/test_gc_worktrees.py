"""`orch gc` and worktrees: what the branch above has goes, all else stays and says why; a kill at any point loses nothing."""

import json
import shutil

import pytest
from branches import Branches

from store import control, workspaces
from store.states import Status
from tests.by_hand import now_ms
from tui_orch.workspace import removal, tidy


def kept(out: str) -> dict[str, str]:
    """Return why each branch stays."""
    lines = [line.partition(" keeps ")[2] for line in out.splitlines() if " keeps " in line]
    return {name: why for name, _, why in (line.partition(": ") for line in lines)}


def test_children_go_and_the_root_waits_for_the_person(grove: Branches) -> None:
    root = grove.grown()
    done = grove.orch("gc")
    assert done.code == 0
    assert f"#{root}: 2 merged branches removed, 8.0 MB of worktrees" in done.out
    assert kept(done.out) == {
        f"orch/{root}/{root}": f"you have not merged it: orch merge {root}, or orch discard {root}"
    }
    assert grove.names() == [f"orch/{root}/{root}"]
    assert not grove.plot(root + 1).folder.exists()
    assert grove.orch("merge", str(root)).code == 0
    assert grove.orch("gc").code == 0
    assert grove.names() == []
    assert not (grove.orch.home.root / "worktrees" / str(root)).exists()
    with grove.orch.store.read() as reader:
        assert workspaces.on_disk(reader).number == 0
    assert "keeps" not in grove.orch("gc").out
    grove.check()


def test_a_dry_run_tells_the_same_and_removes_nothing(grove: Branches) -> None:
    root = grove.grown()
    found = json.loads(grove.orch("gc", "--dry-run", "--json").out)
    told = {each["job_id"]: each["kept_because"] for each in found["branches"]}
    assert (told[root + 1], told[root + 2], found["removed"]) == (None, None, False)
    assert told[root].startswith("you have not merged it")
    assert len(grove.names()) == 3
    assert grove.plot(root + 1).folder.exists()


def test_any_branch_of_the_persons_that_has_it_will_do(grove: Branches) -> None:
    """A branch of another tree will not: that may be discarded."""
    root = grove.tree()
    grove.work(root, {"a.txt": "a\n"})
    grove.git("branch", "orch/other-tree", f"orch/{root}/{root}")
    assert f"orch/{root}/{root}" in kept(grove.orch("gc").out)
    grove.git("branch", "mine", f"orch/{root}/{root}")
    assert kept(grove.orch("gc").out) == {}
    assert grove.names() == ["orch/other-tree"]


def test_what_failed_stays_on_its_branch(grove: Branches) -> None:
    """One that failed and changed nothing has nothing to lose."""
    root = grove.tree("write a", "write b", "nothing")
    grove.work(root + 1, {"a.txt": "a\n"})
    grove.work(root + 2, {"b.txt": "b\n"}, Status.FAILED)
    grove.work(root + 3, {}, Status.FAILED)
    grove.merge_up(root)
    found = kept(grove.orch("gc").out)
    assert found[f"orch/{root}/{root + 2}"] == "it is failed: its work is only on its branch"
    assert set(found) == {f"orch/{root}/{root + 2}", f"orch/{root}/{root}"}
    assert grove.git("show", f"orch/{root}/{root + 2}:b.txt") == "b"


def test_what_is_uncommitted_stays(grove: Branches) -> None:
    root = grove.grown()
    grove.write("late.txt", "late\n", grove.plot(root + 1).folder)
    found = kept(grove.orch("gc").out)
    assert "late.txt" in found[f"orch/{root}/{root + 1}"]
    assert (grove.plot(root + 1).folder / "late.txt").exists()


def test_a_conflict_stays(grove: Branches) -> None:
    root = grove.tree()
    fence = grove.begin(root)
    plot = grove.plot(root)
    grove.git("branch", "other")
    grove.write("shared.txt", "one\nmine\n", plot.folder)
    grove.git("commit", "-qam", "mine", at=plot.folder)
    grove.git("switch", "-q", "other")
    grove.write("shared.txt", "one\nother\n")
    grove.commit("other")
    with pytest.raises(AssertionError):
        grove.git("merge", "other", at=plot.folder)
    with grove.orch.store.write() as tx:
        workspaces.note_conflict(tx, fence, 7, ["shared.txt"])
    grove.orch.finish(fence, Status.FAILED)
    assert kept(grove.orch("gc").out)[plot.branch].startswith("a conflict with #7 stands in")


def test_a_tree_that_has_not_ended_is_left_alone(grove: Branches) -> None:
    root = grove.tree("write a", "write b")
    grove.work(root + 1, {})
    grove.orch("gc")
    assert grove.names() == [f"orch/{root}/{root + 1}"]


def test_a_tree_that_is_tried_again_meanwhile_is_left_alone(grove: Branches) -> None:
    root = grove.tree()
    grove.work(root, {}, Status.FAILED)
    job, plot = grove.orch.job(root), grove.plot(root)
    with grove.orch.store.write() as tx:
        control.retry(tx, root, now_ms())
    found = tidy.held(grove.orch.store, root)
    assert removal.take_away(grove.orch.store, plot, job, found.tip(root), found.how, now_ms()) == removal.OPENED
    assert list(tidy.tidy(grove.orch.store, root, now_ms())) == []
    assert plot.folder.exists()


def test_an_attempt_in_between_is_seen(grove: Branches) -> None:
    """The tree has ended again, but what was found out before is not what is there."""
    root = grove.tree()
    grove.work(root, {}, Status.FAILED)
    job, plot = grove.orch.job(root), grove.plot(root)
    found = tidy.held(grove.orch.store, root)
    with grove.orch.store.write() as tx:
        control.retry(tx, root, now_ms())
    grove.work(root, {"a.txt": "a\n"})
    assert removal.take_away(grove.orch.store, plot, job, found.tip(root), found.how, now_ms()) == removal.OPENED
    assert (plot.folder / "a.txt").exists()


def test_a_job_whose_branch_was_removed_gets_a_new_one(grove: Branches) -> None:
    root = grove.tree()
    grove.work(root, {}, Status.FAILED)
    assert grove.orch("gc").code == 0
    assert grove.names() == []
    with grove.orch.store.write() as tx:
        control.retry(tx, root, now_ms())
    grove.work(root, {"a.txt": "a\n"})
    noted = grove.noted(root)
    assert (noted.deleted_ms, noted.removed_ms) == (None, None)
    assert grove.git("show", f"orch/{root}/{root}:a.txt") == "a"


@pytest.mark.parametrize("at", ["put_aside", "delete_branch", "note_deleted", "clear"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_at_any_point_is_made_good_by_the_next(
    grove: Branches, monkeypatch: pytest.MonkeyPatch, at: str, when: str
) -> None:
    """Nothing that is only there goes, and at the end all that may go is gone."""
    root = grove.grown()
    tips = {name: grove.git("rev-parse", name) for name in grove.names()}
    done = getattr(removal, at)

    class KilledError(BaseException):
        """In place of SIGKILL: no handler of ours takes it, and the transaction is rolled back as at a start."""

    def killed(*given: object) -> None:
        if when == "after":
            done(*given)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(removal, at, killed)
        with pytest.raises(KilledError):
            grove.orch("gc")
    assert grove.git("rev-parse", f"orch/{root}/{root}") == tips[f"orch/{root}/{root}"]
    assert grove.orch("gc").code == 0
    assert grove.names() == [f"orch/{root}/{root}"]
    assert [grove.noted(each).deleted_ms is not None for each in (root, root + 1, root + 2)] == [False, True, True]
    assert len(grove.git("worktree", "list").splitlines()) == 2
    assert not list((grove.orch.home.root / "worktrees").glob("removed-*"))
    grove.check()


KILLER = """#!/bin/sh
n=$(($(cat "{count}" 2>/dev/null || echo 0) + 1))
echo $n > "{count}"
[ $n -eq {at} ] && [ {when} = before ] && kill -9 $PPID && exit 9
"{git}" "$@"
code=$?
[ $n -eq {at} ] && kill -9 $PPID
exit $code
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_kill_9_at_each_call_of_git_loses_nothing(grove: Branches, when: str) -> None:
    """At the first call of the first run, the second of the next, and so on, until one comes to its end."""
    root = grove.grown()
    tip = grove.git("rev-parse", f"orch/{root}/{root}")
    git, folder, at = shutil.which("git"), grove.top.parent / "bin", 0
    folder.mkdir()
    code = -9
    while code == -9:
        at += 1
        assert at < 100
        count = folder / f"count-{at}"
        (folder / "git").write_text(KILLER.format(count=count, at=at, when=when, git=git))
        (folder / "git").chmod(0o755)
        code = grove.orch.process("gc", env={"PATH": f"{folder}:/usr/bin:/bin"}).code
        assert grove.git("rev-parse", f"orch/{root}/{root}") == tip
    assert (code, at > 5) == (0, True)
    assert grove.names() == [f"orch/{root}/{root}"]
    assert [grove.noted(each).deleted_ms is not None for each in (root, root + 1, root + 2)] == [False, True, True]
    assert not list((grove.orch.home.root / "worktrees").glob("removed-*"))
    assert len(grove.git("worktree", "list").splitlines()) == 2
    grove.check()


def test_a_folder_that_a_worker_locked_for_itself_goes_too(grove: Branches) -> None:
    root = grove.grown()
    locked = grove.plot(root + 1).folder / "node_modules"
    (locked / "deep").mkdir(parents=True)
    (locked / "deep" / "file").write_text("x")
    grove.write(".git/info/exclude", "node_modules\n")
    (locked / "deep").chmod(0o500)
    locked.chmod(0)
    assert grove.orch("gc").code == 0
    assert not grove.plot(root + 1).folder.exists()
    assert not list((grove.orch.home.root / "worktrees").glob("removed-*"))


def test_a_repository_that_is_gone_stops_no_other(grove: Branches) -> None:
    root, other = grove.grown(), grove.grown()
    with grove.orch.store.read() as reader:
        assert workspaces.ended_trees(reader, now_ms() + 1) == [root, other]
    shutil.move(grove.top / ".git", grove.top / "was.git")
    done = grove.orch("gc")
    assert (done.code, len(done.err.splitlines())) == (1, 2)
    assert grove.plot(root).folder.exists()
