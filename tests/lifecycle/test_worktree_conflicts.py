"""A conflict between jobs whose parent has no session: a job of its own resolves it, and the parent merges that."""

import pytest
from at_work import AtWork
from in_git import command, files_on, grove, is_sound, repository
from scripted import report, scripted
from test_worktrees_of_claude import rewrite

from store.models import NewJob
from store.states import Kind, Reason, Status
from store.workspaces import get_workspace
from tui_orch.demo.script import Role, Script

pytestmark = [pytest.mark.real_cli, pytest.mark.timeout(240)]

GROUP = NewJob("1. one\n2. another", Kind.GROUP)
RESOLVES = r"^Resolve the merge conflicts of job"


def clash(name: str, file: str = "same.txt") -> NewJob:
    return command(f"echo {name} > {file}; echo {name} > {name}.txt")


def test_a_groups_conflict_goes_to_a_job_that_resolves_it(work: AtWork) -> None:
    """Each branch that follows is merged there too, and the one who resolves meets each conflict in turn."""
    repository(work.project, **{"same.txt": "nobody\n"})
    script = Script(
        (
            Role(
                RESOLVES,
                (
                    *rewrite("same.txt", "a and b\n"),
                    *report("first"),
                    *rewrite("same.txt", "a, b and c\n"),
                    *report("all"),
                ),
            ),
        )
    )
    with scripted(work, script):
        root = grove(work, GROUP, clash("a"), clash("b"), clash("c"))
        work.supervise()
        done = work.until_ended(root, 120)
    assert done.status is Status.COMPLETED
    assert files_on(work, f"orch/{root}/{root}") == {
        "same.txt": "a, b and c",
        "a.txt": "a",
        "b.txt": "b",
        "c.txt": "c",
    }
    resolver = work.jobs(root)[-1]
    assert (resolver.kind, resolver.title, resolver.result) == (
        Kind.CLAUDE,
        f"Resolve the merge conflicts of #{root}",
        "all",
    )
    assert is_sound(work)


def test_a_commands_conflict_is_resolved_after_its_own_end(work: AtWork) -> None:
    """It keeps its own result, and is completed only when its children's work is together."""
    repository(work.project, **{"same.txt": "nobody\n"})
    script = Script((Role(RESOLVES, (*rewrite("same.txt", "both\n"), *report("resolved"))),))
    line = "orch spawn --kind command 'echo a > same.txt' 'echo b > same.txt'; echo mine > mine.txt; echo my own result"
    with scripted(work, script):
        root = grove(work, command(line))
        work.supervise()
        done = work.until_ended(root, 120)
    assert done.status is Status.COMPLETED
    assert (done.result or "").splitlines()[-1] == "my own result"
    assert files_on(work, f"orch/{root}/{root}") == {"same.txt": "both", "mine.txt": "mine"}


def test_a_conflict_that_nobody_resolves_fails_the_group_and_loses_nothing(work: AtWork) -> None:
    """A retry of the job that was to resolve it, with a better answer, completes the tree."""
    repository(work.project, **{"same.txt": "nobody\n"})
    poor = Script((Role(RESOLVES, report("I can not", success=False)),))
    with scripted(work, poor):
        root = grove(work, GROUP, clash("a"), clash("b"))
        work.supervise()
        done = work.until_ended(root, 120)
        work.orch("down")
    resolver = work.jobs(root)[-1]
    assert (done.status, done.reason) == (Status.FAILED, Reason.CONFLICT)
    assert f"orch retry {resolver.id}" in (done.error or "")
    assert files_on(work, f"orch/{root}/{root + 1}")["same.txt"] == "a"
    assert files_on(work, f"orch/{root}/{root + 2}")["same.txt"] == "b"
    with work.store.read() as reader:
        noted = get_workspace(reader, resolver.id)
    assert noted is not None
    assert noted.conflicts == ("same.txt",)
    better = Script(
        (Role(RESOLVES, (*report("I can not", success=False), *rewrite("same.txt", "both\n"), *report("resolved"))),)
    )
    with scripted(work, better):
        work.supervise()
        work.orch("retry", str(resolver.id))
        work.until(
            lambda reader: reader.value("SELECT status FROM jobs WHERE id = ?", (root,)) == "completed", "the end", 120
        )
    assert files_on(work, f"orch/{root}/{root}")["same.txt"] == "both"
    assert is_sound(work)


def test_a_resolver_beyond_the_limits_is_told_with_the_way_out(work: AtWork) -> None:
    repository(work.project, **{"same.txt": "nobody\n"})
    root = grove(work, GROUP, clash("a"), clash("b"), max_jobs=3)
    work.supervise()
    done = work.until_ended(root, 120)
    assert (done.status, done.reason) == (Status.FAILED, Reason.CONFLICT)
    assert "same.txt" in (done.error or "")
    assert f"orch limits {root} --max-jobs 4" in (done.error or "")
