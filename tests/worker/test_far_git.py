"""Worktrees on machines that share nothing with the head but a git remote: branches travel, and are merged level by level."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from far_head import CODE, Head, far_head, until

from store import claim, submit
from store.models import Fence, Ground, LedgerEntry, NewJob, NewTree
from store.states import Kind, Status
from store.tree import ledger
from store.workspaces import get_workspace
from tui_orch.client.measures import now_ms
from tui_orch.worker.remote.claimed import NodeTerms

NAMED = ("-c", "user.name=A", "-c", "user.email=a@example.org")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *NAMED, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    folder = tmp_path / "remote.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(folder))
    return folder


@pytest.fixture
def head(tmp_path: Path, remote: Path) -> Iterator[Head]:
    with far_head(tmp_path, NodeTerms(lease_s=30, work="git", git_remote=str(remote))) as made:
        project = made.store.home.project
        git(project, "init", "-q", "-b", "main")
        (project / "first").write_text("first\n")
        git(project, "add", "first")
        git(project, "commit", "-q", "-m", "first")
        git(project, "push", "-q", str(remote), "main")
        yield made


def test_branches_of_two_nodes_meet_at_the_remote(head: Head, remote: Path, tmp_path: Path) -> None:
    fence = _started(head, "echo a > a && orch spawn --kind command 'test -e a && echo b > b'")
    root_id = fence.job_id
    assert head.run(fence, node=tmp_path / "node1") == (0, "")
    assert head.job(fence).status is Status.WAITING, head.job(fence)
    with head.store.read() as reader:
        (child,) = ledger(reader, root_id)
    child_fence = head.next_attempt(child.id)
    assert head.run(child_fence, node=tmp_path / "node2") == (0, "")
    assert head.job(child_fence).status is Status.COMPLETED, head.job(child_fence)
    assert head.job(fence).status is Status.QUEUED  # to merge what its child has made
    again = head.next_attempt(root_id)
    assert head.run(again, node=tmp_path / "node3") == (0, "")
    assert head.job(fence).status is Status.COMPLETED, head.job(fence)
    with head.store.read() as reader:
        noted = get_workspace(reader, root_id)
    assert noted is not None
    assert set(git(remote, "ls-tree", "--name-only", noted.branch).split()) == {"first", "a", "b"}
    assert git(remote, "rev-parse", noted.branch) == noted.head_commit


def test_what_a_child_has_pushed_meanwhile_is_merged_at_its_parents_end(
    head: Head, remote: Path, tmp_path: Path
) -> None:
    fence = _started(head, "echo a > a && orch spawn --wait --kind command 'test -e a && echo b > b'")
    root_id = fence.job_id
    with head.worker(fence, node=tmp_path / "node1") as parent:
        child = until(lambda: _children(head, root_id), "a child")[0]
        assert head.run(head.next_attempt(child.id), node=tmp_path / "node2") == (0, "")
        until(lambda: _has_slot_again(head, root_id), "its slot")
        assert parent.wait(60) == 0
        assert parent.stderr is not None
        assert parent.stderr.read() == ""
    assert head.job(fence).status is Status.COMPLETED, head.job(fence)
    with head.store.read() as reader:
        noted = get_workspace(reader, root_id)
    assert noted is not None
    assert set(git(remote, "ls-tree", "--name-only", noted.branch).split()) == {"first", "a", "b"}


def test_what_a_worker_that_was_stopped_has_changed_is_there_on_the_next_node(
    head: Head, remote: Path, tmp_path: Path
) -> None:
    """Beside the store its folder would wait for it; here the next attempt may be anywhere."""
    fence = _started(head, "echo half > half; touch begun; sleep 600")
    root_id = fence.job_id
    scratch = tmp_path / "node1" / ".cache" / "orch"
    with head.worker(fence, node=tmp_path / "node1") as process:
        until(lambda: list(scratch.glob("**/begun")), "its work")
        process.terminate()
        assert process.wait(30) == 0
    assert head.job(fence).status is Status.QUEUED, head.job(fence)
    with head.store.read() as reader:
        noted = get_workspace(reader, root_id)
    assert noted is not None
    assert "half" in git(remote, "ls-tree", "--name-only", noted.branch).split()


def test_a_remote_that_is_not_there_is_one_clear_error(head: Head, remote: Path) -> None:
    remote.rename(remote.with_name("moved"))
    project = head.store.home.project
    ground = Ground(str(project), git(project, "rev-parse", "HEAD"), "main")
    with head.store.write() as tx:
        new = NewTree(NewJob("true", Kind.COMMAND), work_dir=str(project), ground=ground)
        fence = claim.start_attempt(tx, submit.submit_tree(tx, new, now_ms()), claim.token_hash(CODE), now_ms())
    assert head.run(fence)[0] == 0
    error = head.job(fence).error or ""
    assert "git_remote can not be used" in error


def _started(head: Head, command: str) -> Fence:
    """Hand in a command with worktrees, and start its attempt."""
    project = head.store.home.project
    ground = Ground(str(project), git(project, "rev-parse", "HEAD"), "main")
    with head.store.write() as tx:
        tree = NewTree(NewJob(command, Kind.COMMAND), work_dir=str(project), ground=ground)
        return claim.start_attempt(tx, submit.submit_tree(tx, tree, now_ms()), claim.token_hash(CODE), now_ms())


def _children(head: Head, job_id: int) -> list[LedgerEntry]:
    with head.store.read() as reader:
        return ledger(reader, job_id)


def _has_slot_again(head: Head, job_id: int) -> bool:
    """Do what a supervisor would."""
    with head.store.write() as tx:
        return claim.grant_slot(tx, job_id)
