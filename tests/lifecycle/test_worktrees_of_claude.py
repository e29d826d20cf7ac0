"""A tree of real Claude Code workers that edit files in worktrees: merged level by level, its conflict resolved by the parent."""

from dataclasses import replace

import pytest
from at_work import AtWork
from in_git import files_on, git, grove, is_sound, repository
from kills_at_random import Storm, blow, lost
from scripted import report, scripted, spawn

from store.models import NewJob
from store.states import Kind, Reason, Status
from store.tree import ledger
from tui_orch.demo.script import Branch, Role, Script, ToolCall, Turn

pytestmark = [pytest.mark.real_cli, pytest.mark.timeout(300)]


def write(name: str, text: str) -> Turn:
    return Turn(f"I write {name}.", (ToolCall("Write", {"file_path": f"{{cwd}}/{name}", "content": text}),))


def rewrite(name: str, text: str) -> tuple[Turn, Turn]:
    """Claude Code wants a file to be read before it is written anew."""
    read = Turn(f"I read {name}.", (ToolCall("Read", {"file_path": f"{{cwd}}/{name}"}),))
    return read, write(name, text)


def resolving(times: int) -> tuple[Turn | Branch, ...]:
    """Report so often, each time after a conflict is resolved if there is one: more children may come in, and disagree."""
    turns: tuple[Turn | Branch, ...] = ()
    for _ in range(times):
        reports = (*report("resolved"), *turns)
        resolves = (*rewrite("shared.txt", "left and right\n"), *reports)
        turns = (Branch(r"(these files conflict:\s+- |not resolved in: )shared.txt", then=resolves, otherwise=reports),)
    return turns


TREE = Script(
    (
        Role(r"^LEAF (?P<name>\w+)", (write("{name}.txt", "by {name}\n"), *report("leaf"))),
        Role(
            r"^DEEP (?P<name>\w+)",
            (write("deep.txt", "deep\n"), spawn("LEAF {name}a", "LEAF {name}b"), *report("deep")),
        ),
        Role(r"^LEFT", (*rewrite("shared.txt", "left\n"), spawn("DEEP x"), *report("left"))),
        Role(r"^RIGHT", (*rewrite("shared.txt", "right\n"), *report("right"))),
        Role(r"^BROKEN", (write("broken.txt", "half\n"), *report("can not be done", success=False))),
        Role(
            r"^ROOT",
            (
                write("root.txt", "root\n"),
                spawn("LEFT", "RIGHT", "BROKEN"),
                *resolving(12),
            ),
        ),
    )
)
FILES = {
    "shared.txt": "left and right",
    "root.txt": "root",
    "deep.txt": "deep",
    "xa.txt": "by xa",
    "xb.txt": "by xb",
}


def planted(work: AtWork, **limits: object) -> int:
    repository(work.project, **{"shared.txt": "nobody\n"})
    return grove(work, NewJob("ROOT of it all", Kind.CLAUDE), **limits)


def test_a_tree_of_depth_3_ends_with_all_work_on_the_roots_branch(work: AtWork) -> None:
    """The conflict between two children is resolved by their parent; what a failed child did stays on its branch."""
    with scripted(work, TREE):
        root = planted(work)
        work.supervise()
        done = work.until_ended(root, 240)
    assert (done.status, done.reason, done.result) == (Status.PARTIAL, "children_failed", "resolved")
    assert files_on(work, f"orch/{root}/{root}") == FILES
    jobs = {job.title: job for job in work.jobs(root)}
    assert max(job.depth for job in jobs.values()) == 3
    broken = jobs["BROKEN"]
    assert files_on(work, f"orch/{root}/{broken.id}") == {
        "shared.txt": "nobody",
        "root.txt": "root",
        "broken.txt": "half",
    }
    with work.store.read() as reader:
        merged = {entry.title: entry.workspace.is_merged for entry in ledger(reader, root) if entry.workspace}
    assert merged == {"LEFT": True, "RIGHT": True, "BROKEN": False}
    log = git(work.project, "log", "--format=%B", f"orch/{root}/{jobs['LEFT'].id}")
    assert str(jobs["LEFT"].session_id) in log, "a commit names the session that made it"
    assert is_sound(work)


def test_a_conflict_that_is_left_unresolved_is_no_success(work: AtWork) -> None:
    """The parent is told again; when it never resolves it, it fails and says which files."""
    stubborn = Script((*TREE.roles[:-1], Role(r"^ROOT", (spawn("LEFT", "RIGHT"), *report("done"), *report("done")))))
    with scripted(work, stubborn):
        root = planted(work, max_attempts=2)
        work.supervise()
        done = work.until_ended(root, 240)
    assert (done.status, done.reason) == (Status.FAILED, Reason.CONFLICT)
    assert done.error == "the merge conflict is not resolved in: shared.txt"
    assert set(files_on(work, f"orch/{root}/{root}")) >= {"shared.txt", "deep.txt"}, "the first of the two is merged"
    assert is_sound(work)


def test_kill_9_of_anything_at_any_time_ends_with_the_same_tree(work: AtWork) -> None:
    """Supervisor, workers, Claude Code and git alike. The model does again what it is told was cut off."""
    insisting = Script(tuple(replace(role, insists=3) for role in TREE.roles))
    with scripted(work, insisting):
        root = planted(work, max_attempts=50)
        work.supervise()
        kills = blow(Storm(seed=6, pause_s=(0.3, 2.0), most_kills=12), work, root)
        done = work.until_ended(root)
    assert kills >= 5
    assert lost(work), "no worker was hit"
    assert (done.status, done.result) == (Status.PARTIAL, "resolved")
    assert files_on(work, f"orch/{root}/{root}") == FILES
    assert is_sound(work)
