"""Command workers with worktrees: each works by itself, and all that completed is on the root's branch in the end."""

import pytest
from at_work import AtWork
from in_git import command, files_on, git, grove, is_sound, repository

from store.models import NewJob
from store.states import Kind, Status
from store.tree import children, ledger

pytestmark = pytest.mark.timeout(240)

GROUP = NewJob("1. one\n2. another", Kind.GROUP)


def test_the_files_of_all_leaves_are_on_the_roots_branch(work: AtWork) -> None:
    """And the person's own branch and folder are as they were."""
    first = repository(work.project)
    work.supervise()
    root = grove(work, GROUP, *(command(f"echo {name} > {name}.txt; pwd") for name in "abc"))
    assert work.until_ended(root).status is Status.COMPLETED
    branch = f"orch/{root}/{root}"
    assert files_on(work, branch) == {"README": "a project", "a.txt": "a", "b.txt": "b", "c.txt": "c"}
    assert git(work.project, "rev-parse", "main") == first
    assert git(work.project, "status", "--porcelain") == ""
    with work.store.read() as reader:
        entries = ledger(reader, root)
    assert [(e.workspace.files, e.workspace.insertions, e.workspace.is_merged) for e in entries if e.workspace] == [
        (1, 1, True)
    ] * 3
    merges = git(work.project, "log", "--merges", "--reverse", "--format=%s", branch).splitlines()
    assert [line.split(":")[0] for line in merges] == [f"Merge orch/{root}/{root + n}" for n in (1, 2, 3)]
    said = git(work.project, "log", "-1", "--format=%B", f"orch/{root}/{root + 1}")
    assert f"(#{root + 1})" in said
    assert f"Job #{root + 1} of tree #{root}, attempt 1" in said
    assert not list((work.home.root / "worktrees" / str(root)).glob(f"{root + 1}")), "what is merged is off the disk"
    assert is_sound(work)


def test_children_begin_with_what_their_parent_has_at_the_spawn(work: AtWork) -> None:
    """Uncommitted work of a command that spawns is committed first; its children's work comes back to it."""
    repository(work.project)
    work.supervise()
    line = "echo mine > parent.txt; orch spawn --kind command 'cat parent.txt > child.txt; echo more >> parent.txt'; echo done"
    root = grove(work, command(line))
    job = work.until_ended(root)
    assert (job.status, (job.result or "").splitlines()[-1]) == (Status.COMPLETED, "done")
    assert files_on(work, f"orch/{root}/{root}") == {
        "README": "a project",
        "parent.txt": "mine\nmore",
        "child.txt": "mine",
    }


def test_a_failed_childs_work_is_kept_on_its_branch_and_not_merged(work: AtWork) -> None:
    repository(work.project)
    work.supervise()
    root = grove(work, GROUP, command("echo good > good.txt"), command("echo half > half.txt; exit 3"), max_attempts=1)
    assert work.until_ended(root).status is Status.PARTIAL
    assert set(files_on(work, f"orch/{root}/{root}")) == {"README", "good.txt"}
    assert set(files_on(work, f"orch/{root}/{root + 2}")) == {"README", "half.txt"}


def test_a_command_that_is_tried_again_begins_where_it_began(work: AtWork) -> None:
    """What the first try left is kept beside, not built upon."""
    repository(work.project)
    work.set("retry_base_s", 0.01)
    work.supervise()
    marker = work.project.parent / "tried"
    line = f"echo line >> log.txt; if [ -e {marker} ]; then exit 0; fi; touch {marker}; exit 1"
    root = grove(work, command(line), max_attempts=2)
    assert work.until_ended(root).status is Status.COMPLETED
    assert files_on(work, f"orch/{root}/{root}")["log.txt"] == "line"
    assert git(work.project, "show", f"refs/orch/kept/orch/{root}/{root}.1:log.txt") == "line"


def test_a_retried_child_is_merged_when_it_completes(work: AtWork) -> None:
    repository(work.project)
    work.supervise()
    allowed = work.project.parent / "allowed"
    root = grove(
        work, GROUP, command("echo a > a.txt"), command(f"test -e {allowed} && echo b > b.txt"), max_attempts=1
    )
    assert work.until_ended(root).status is Status.PARTIAL
    assert set(files_on(work, f"orch/{root}/{root}")) == {"README", "a.txt"}
    allowed.touch()
    work.orch("retry", str(root + 2))
    work.until(lambda reader: children(reader, root)[1].status is Status.COMPLETED, "the second try")
    assert work.until_ended(root).status is Status.COMPLETED
    assert set(files_on(work, f"orch/{root}/{root}")) == {"README", "a.txt", "b.txt"}


def test_with_few_worktrees_allowed_a_tree_takes_longer_and_ends_all_the_same(work: AtWork) -> None:
    """Beyond the limit one worker runs at a time: with none, nothing would ever be merged and removed."""
    repository(work.project)
    work.set("max_worktrees", 2)
    work.supervise()
    root = grove(work, GROUP, *(command(f"echo {name} > {name}; sleep 0.1") for name in "abcdef"))
    assert work.until_ended(root).status is Status.COMPLETED
    assert set(files_on(work, f"orch/{root}/{root}")) == {"README", *"abcdef"}
    assert "worktrees are on disk, as many as the settings allow" in work.home.supervisor_log.read_text()


def test_a_hundred_leaves_leave_a_hundred_files(work: AtWork) -> None:
    repository(work.project)
    work.supervise()
    names = [f"leaf-{number:03}" for number in range(100)]
    root = grove(work, GROUP, *(command(f"echo {name} > {name}") for name in names), max_jobs=200, max_children=100)
    assert work.until_ended(root, 200).status is Status.COMPLETED
    found = files_on(work, f"orch/{root}/{root}")
    assert {name: text for name, text in found.items() if name != "README"} == {name: name for name in names}
    assert is_sound(work)


def test_the_setup_command_runs_once_in_each_worktree_before_its_worker(work: AtWork) -> None:
    repository(work.project, **{".gitignore": "made\n", ".worktreeinclude": ".env\n"})
    (work.project / ".gitignore").write_text("made\n.env\n")
    git(work.project, "commit", "-qam", "ignore .env")
    (work.project / ".env").write_text("KEY=1\n")
    work.supervise()
    root = grove(work, command("cat made .env > seen.txt"), setup="echo ready > made")
    assert work.until_ended(root).status is Status.COMPLETED
    assert set(files_on(work, f"orch/{root}/{root}")) == {".gitignore", ".worktreeinclude", "seen.txt"}
    assert files_on(work, f"orch/{root}/{root}")["seen.txt"] == "ready\nKEY=1"


def test_a_setup_that_fails_is_told_and_nothing_runs(work: AtWork) -> None:
    repository(work.project)
    work.supervise()
    root = grove(work, command("touch ran"), setup="echo no such tool; exit 7", max_attempts=1)
    job = work.until_ended(root)
    assert (job.status, job.reason) == (Status.FAILED, "workspace")
    assert "ended with code 7" in (job.error or "")
    assert "no such tool" in (job.error or "")
    assert set(files_on(work, f"orch/{root}/{root}")) == {"README"}
