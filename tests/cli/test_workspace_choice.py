"""Where the work of a new tree goes, and what a person is told of it: `orch run|submit`, `orch spawn`, show and result."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from at_orch import AtOrch
from branches import Branches

from store import workspaces
from store.models import NewJob
from store.settings import get_settings
from store.states import Kind, Status
from store.tree import get_tree
from tui_orch.supervisor.daemon import stop
from tui_orch.workspace.choose import Wishes, wishes_of

SUBMIT = ("submit", "--no-supervisor", "--request", "do it", "--kind", "command")


def test_outside_of_git_all_is_shared_and_nothing_is_said(orch: AtOrch) -> None:
    done = orch(*SUBMIT)
    assert (done.code, done.out, done.err) == (0, "1\n", "")
    with orch.store.read() as reader:
        assert get_tree(reader, 1).workspace == "shared"


def test_in_a_repository_each_job_has_a_worktree(grove: Branches) -> None:
    done = grove.orch(*SUBMIT)
    assert (done.code, done.out) == (0, "1\n")
    assert "orch/1/..." in done.err
    assert "orch diff|merge|discard 1" in done.err
    assert "hooks are off and signing is off" in done.err
    assert "uncommitted" not in done.err
    with grove.orch.store.read() as reader:
        tree = get_tree(reader, 1)
    assert (tree.workspace, tree.base_branch, tree.branch_prefix) == ("worktree", "main", "orch/1")
    assert (tree.repository, tree.base_commit) == (str(grove.top), grove.git("rev-parse", "HEAD"))


def test_notes_are_in_the_json_and_nowhere_else(grove: Branches) -> None:
    grove.write("new.txt", "x\n")
    done = grove.orch(*SUBMIT, "--json")
    assert done.err == ""
    notes = json.loads(done.out)["notes"]
    assert any("1 uncommitted change" in note and "--workspace shared" in note for note in notes)


def test_shared_is_shared(grove: Branches) -> None:
    done = grove.orch(*SUBMIT, "--workspace", "shared")
    assert (done.code, done.err) == (0, "")
    grove.set(workspace="shared")
    assert grove.orch(*SUBMIT).err == ""
    assert "orch/3/..." in grove.orch(*SUBMIT, "--workspace", "worktree").err


def test_worktrees_where_none_can_be_are_refused_before_anything_starts(orch: AtOrch) -> None:
    said = orch.refused(*SUBMIT, "--workspace", "worktree")
    assert "git init" in said
    assert not orch.home.root.exists()
    assert "auto, shared, worktree" in orch.refused(*SUBMIT, "--workspace", "mine")


def test_an_unfit_repository_is_shared_and_it_is_told_why(orch: AtOrch) -> None:
    Branches(orch)
    shutil.rmtree(orch.project / ".git" / "refs")
    (orch.project / ".git" / "refs").mkdir()
    done = orch(*SUBMIT)
    assert done.code == 0
    assert "all workers share" in done.err
    assert "no commit" in done.err
    assert "no commit" in orch.refused(*SUBMIT, "--workspace", "worktree")


def test_the_setup_line_comes_from_the_request_or_the_settings(grove: Branches) -> None:
    grove.set(workspace_setup="make deps")
    request = grove.top / "request.md"
    request.write_text("---\nworkspace_setup: npm ci\nworkspace: worktree\n---\ndo it\n")
    grove.orch("submit", "--no-supervisor", str(request))
    grove.orch(*SUBMIT)
    with grove.orch.store.read() as reader:
        assert [get_tree(reader, root).workspace_setup for root in (1, 2)] == ["npm ci", "make deps"]


def test_a_store_that_is_not_there_yet_has_the_same_wishes(orch: AtOrch) -> None:
    with orch.store.read() as reader:
        assert wishes_of(get_settings(reader)) == Wishes()


def test_a_run_ends_with_where_its_work_is(grove: Branches) -> None:
    """The whole way, with a real supervisor and a real worker."""
    try:
        done = grove.orch.process("run", "--request", "echo hello > made.txt", "--kind", "command")
    finally:
        stop(grove.orch.home)
    assert done.code == 0, done.err
    assert done.err.splitlines()[-1] == "orch: its work is on branch orch/1/1: orch diff 1, orch merge 1"
    assert grove.orch("merge", "1").code == 0
    assert (grove.top / "made.txt").read_text() == "hello\n"
    assert json.loads(grove.orch("result", "1", "--json").out)["workspace"]["merged"] is True


def test_children_begin_with_what_their_parent_has_done(grove: Branches) -> None:
    root = grove.tree()
    fence = grove.begin(root)
    grove.write("half.txt", "half\n", grove.plot(root).folder)
    done = grove.orch("spawn", "--kind", "command", "the rest", env=grove.orch.worker(fence))
    assert (done.code, done.out) == (0, f"{root + 1}\n")
    assert grove.git("show", f"orch/{root}/{root}:half.txt") == "half"
    assert grove.git("log", "-1", "--format=%s", f"orch/{root}/{root}") == f"the whole (#{root})"


def test_a_spawn_in_a_shared_tree_loads_no_git(orch: AtOrch) -> None:
    fence = orch.start(orch.tree())
    code = (
        "import sys\nfrom tui_orch.cli.main import main\nmain(['spawn', '--kind', 'command', 'a part'])\n"
        "print([name for name in sys.modules if name.startswith('tui_orch.workspace')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=orch.project,
        env={**os.environ, **orch.worker(fence)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["2", "[]"]


def test_show_and_result_tell_where_work_is(grove: Branches) -> None:
    root = grove.tree("write a", "write b")
    grove.work(root + 1, {"a.txt": "a\n"})
    grove.work(root + 2, {"b.txt": "b\n"}, Status.FAILED)
    grove.merge_up(root)
    shown = grove.orch("show", str(root)).out
    tip = grove.git("rev-parse", f"orch/{root}/{root + 1}")[:10]
    assert f"orch/{root}/{root + 1} {tip}, 1 file +1 -0, merged" in shown
    assert f"orch/{root}/{root + 2}" in shown
    assert "1 file +1 -0, not merged" in shown
    assert f"work:       orch/{root}/{root}" in shown
    assert "merged" in grove.orch("result", str(root), "--ledger").out
    found = json.loads(grove.orch("result", str(root), "--json").out)
    assert [entry["workspace"]["merged"] for entry in found["ledger"]] == [True, False]
    assert (found["workspace"]["files"], found["workspace"]["branch"]) == (1, f"orch/{root}/{root}")


def test_the_files_of_a_conflict_are_named(grove: Branches) -> None:
    root = grove.tree(kind=Kind.CLAUDE)
    fence = grove.begin(root)
    grove.orch.spawn(fence, NewJob("a part", Kind.COMMAND))
    with grove.orch.store.write() as tx:
        workspaces.note_conflict(tx, fence, root + 1, ["src/a\x1b[2J.py", "b.py"])
    shown = grove.orch("show", str(root)).out
    assert f"in conflict with #{root + 1} in 2 files" in shown
    assert "conflict:   src/a␛[2J.py" in shown


@pytest.mark.parametrize("verb", ["show", "result"])
def test_a_shared_tree_has_no_workspace(orch: AtOrch, verb: str) -> None:
    root = orch.tree(kind=Kind.COMMAND)
    orch.run(root)
    assert json.loads(orch(verb, str(root), "--json").out)["workspace"] is None
