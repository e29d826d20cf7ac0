"""Trees with worktrees: what is to be merged, when a job is queued for it, and how it ends when that can not be done."""

import pytest
from at_store import AtStore
from invariants import check

from store import submit, tree, workspaces
from store.errors import BadInput, Refused, StaleAttempt
from store.finish import finish, suspend
from store.models import Fence, Ground, NewJob, NewTree, Outcome, Usage
from store.states import Kind, Reason, Status

GROUND = Ground("/project", "c0ffee", "main")


def grove(at: AtStore, *requests: str, kind: Kind = Kind.COMMAND) -> tuple[int, tuple[int, ...]]:
    """Make a group whose jobs have worktrees. Return it and its children."""
    new = NewTree(NewJob("1. a\n2. b", Kind.GROUP), tuple(NewJob(request, kind) for request in requests), ground=GROUND)
    with at.store.write() as tx:
        root = submit.submit_tree(tx, new, at.now_ms)
    with at.store.read() as reader:
        return root, tuple(child.id for child in tree.children(reader, root))


def work(at: AtStore, job_id: int, commit: str, status: Status = Status.COMPLETED) -> Status:
    """Run an attempt that commits."""
    fence = at.start(job_id)
    with at.store.write() as tx:
        workspaces.note_made(tx, fence, "c0ffee", 100, at.now_ms)
        workspaces.note_head(tx, fence, commit, (1, 2, 3), 120)
    return at.finish(fence, status)


def merge(at: AtStore, fence: Fence) -> list[int]:
    """Note all that is open as merged. Return its jobs."""
    with at.store.write() as tx:
        found = workspaces.to_merge(tx, fence.job_id)
        workspaces.note_made(tx, fence, "c0ffee", 100, at.now_ms)
        workspaces.note_merged(tx, fence, {each.job_id: each.commit or "?" for each in found})
    return [each.job_id for each in found]


def test_a_group_is_queued_to_merge_what_its_children_committed(at: AtStore) -> None:
    """Once, in their order, and then it ends as it would have."""
    root, (first, second) = grove(at, "make a", "make b")
    work(at, second, "bbb")
    work(at, first, "aaa")
    assert at.states(root) == ["queued (merge)"]
    fence = at.start(root)
    assert merge(at, fence) == [first, second]
    assert at.finish(fence, Status.COMPLETED) is Status.COMPLETED
    assert at.states(root) == ["completed"]
    with at.store.read() as reader:
        check(reader)
        assert [entry.workspace and entry.workspace.is_merged for entry in tree.ledger(reader, root)] == [True, True]


def test_a_group_whose_children_changed_nothing_ends_at_once(at: AtStore) -> None:
    root, (first, second) = grove(at, "make a", "make b")
    work(at, first, "c0ffee")
    work(at, second, "c0ffee")
    assert at.states(root) == ["completed"]


def test_what_failed_is_not_merged(at: AtStore) -> None:
    root, (first, second) = grove(at, "make a", "make b")
    work(at, first, "aaa")
    fence = at.start(second)
    with at.store.write() as tx:
        workspaces.note_made(tx, fence, "c0ffee", 100, at.now_ms)
        workspaces.note_head(tx, fence, "bbb", (1, 2, 3), 120)
    at.finish(fence, Status.FAILED, retry=False)
    fence = at.start(root)
    assert merge(at, fence) == [first]
    assert at.finish(fence, Status.COMPLETED) is Status.PARTIAL


def test_a_head_that_nobody_noted_is_looked_at(at: AtStore) -> None:
    """Its worker could write no more; what it committed must not be forgotten."""
    root, (first,) = grove(at, "make a")
    fence = at.start(first)
    with at.store.write() as tx:
        workspaces.note_made(tx, fence, "c0ffee", 100, at.now_ms)
    at.finish(fence, Status.COMPLETED)
    assert at.states(root) == ["queued (merge)"]


def test_a_shared_tree_is_never_queued_to_merge(at: AtStore) -> None:
    with at.store.write() as tx:
        new = NewTree(NewJob("1. a", Kind.GROUP), (NewJob("make a", Kind.COMMAND),))
        root = submit.submit_tree(tx, new, at.now_ms)
    at.run(root + 1)
    assert at.states(root) == ["completed"]


def test_a_conflict_is_given_to_a_child_whose_branch_comes_first(at: AtStore) -> None:
    root, (first, second, third) = grove(at, "make a", "make b", "make c")
    for each, commit in ((first, "aaa"), (second, "bbb"), (third, "ccc")):
        work(at, each, commit)
    fence = at.start(root)
    with at.store.write() as tx:
        workspaces.note_made(tx, fence, "c0ffee", 100, at.now_ms)
        workspaces.note_merged(tx, fence, {first: "aaa"})
        resolver = workspaces.spawn_resolver(tx, fence, "resolve it", [second, third], at.now_ms)
        suspend(tx, fence, "children", None, Usage(), at.now_ms)
    assert (at.job(resolver).kind, at.job(resolver).depth, at.states(root)) == (Kind.CLAUDE, 1, ["waiting (children)"])
    with at.store.read() as reader:
        assert [each.job_id for each in workspaces.to_merge(reader, resolver)] == [second, third]
    fence = at.start(resolver)
    assert merge(at, fence) == [second, third]
    with at.store.write() as tx:
        workspaces.note_head(tx, fence, "ddd", (1, 2, 3), 120)
    at.finish(fence, Status.COMPLETED)
    fence = at.start(root)
    assert merge(at, fence) == [resolver, second, third]
    assert at.finish(fence, Status.COMPLETED) is Status.COMPLETED


def stuck(at: AtStore) -> tuple[int, int]:
    """A group whose conflict nobody has resolved. Return it and the resolver that failed."""
    root, (first, second) = grove(at, "make a", "make b")
    work(at, first, "aaa")
    work(at, second, "bbb")
    fence = at.start(root)
    with at.store.write() as tx:
        workspaces.note_made(tx, fence, "c0ffee", 100, at.now_ms)
        workspaces.note_merged(tx, fence, {first: "aaa"})
        resolver = workspaces.spawn_resolver(tx, fence, "resolve it", [second], at.now_ms)
        suspend(tx, fence, "children", None, Usage(), at.now_ms)
    work(at, resolver, "ddd", Status.FAILED)
    while at.job(resolver).status is Status.QUEUED:
        at.later(1000)
        work(at, resolver, "ddd", Status.FAILED)
    fence = at.start(root)
    with at.store.write() as tx:
        last = workspaces.last_resolver(tx, root)
        assert last is not None
        assert (last.id, last.status) == (resolver, Status.FAILED)
        finish(tx, fence, Outcome(Status.FAILED, Reason.CONFLICT, error="not resolved", retry=False), at.now_ms)
    assert at.states(root) == ["failed (conflict)"]
    return root, resolver


def test_a_conflict_that_nobody_resolved_fails_the_group_until_it_is_tried_again(at: AtStore) -> None:
    root, resolver = stuck(at)
    at.retry(resolver)
    assert at.states(root) == ["waiting (children)"]
    work(at, resolver, "eee")
    assert at.states(root) == ["queued (merge)"]
    fence = at.start(root)
    merge(at, fence)
    assert at.finish(fence, Status.COMPLETED) is Status.COMPLETED


def test_a_command_keeps_its_result_while_its_childrens_work_is_merged(at: AtStore) -> None:
    with at.store.write() as tx:
        root = submit.submit_tree(tx, NewTree(NewJob("all of it", Kind.COMMAND), ground=GROUND), at.now_ms)
    fence = at.start(root)
    (child,) = at.spawn(fence, NewJob("make a", Kind.COMMAND))
    at.finish(fence, Status.COMPLETED, result="mine")
    work(at, child, "aaa")
    assert at.states(root) == ["queued (merge)"]
    fence = at.start(root)
    at.release(fence, "lost")  # stopped in between: it merges again, and does not fail for having children
    assert at.states(root) == ["queued (lost)"]
    fence = at.start(root)
    merge(at, fence)
    assert at.finish(fence, Status.COMPLETED) is Status.COMPLETED
    assert at.job(root).result == "mine"


def test_a_command_that_could_not_merge_is_not_run_again_by_a_retry(at: AtStore) -> None:
    with at.store.write() as tx:
        root = submit.submit_tree(tx, NewTree(NewJob("all of it", Kind.COMMAND), ground=GROUND), at.now_ms)
    fence = at.start(root)
    (child,) = at.spawn(fence, NewJob("make a", Kind.COMMAND))
    at.finish(fence, Status.COMPLETED, result="mine")
    work(at, child, "aaa")
    at.finish(at.start(root), Status.FAILED, reason=Reason.WORKSPACE, error="no room", retry=False)
    assert at.states(root) == ["failed (workspace)"]
    assert at.retry(root) == (root,)
    assert (at.states(root), at.job(root).own_status) == (["queued (merge)"], Status.COMPLETED)
    assert at.job(root).result == "mine"


def test_a_cancelled_group_merges_nothing(at: AtStore) -> None:
    root, (first,) = grove(at, "make a")
    work(at, first, "aaa")
    at.cancel(root)
    assert at.states(root) == ["cancelled (cancelled)"]


def test_a_child_begins_where_the_nearest_job_above_has_a_branch(at: AtStore) -> None:
    root, (first,) = grove(at, "make a", kind=Kind.CLAUDE)
    fence = at.start(first)
    (child,) = at.spawn(fence, "a part")
    job = at.job(child)
    with at.store.write() as tx:
        of_tree = tree.get_tree(tx, root)
        assert workspaces.start_of(tx, job, of_tree) == "c0ffee"
        workspaces.note_made(tx, fence, "c0ffee", 100, at.now_ms)
        assert workspaces.start_of(tx, job, of_tree) == f"refs/heads/orch/{root}/{first}"


def test_notes_are_those_of_the_attempt_at_work(at: AtStore) -> None:
    _, (first,) = grove(at, "make a")
    old = at.start(first)
    at.release(old)
    at.start(first)
    with pytest.raises(StaleAttempt), at.store.write() as tx:
        workspaces.note_made(tx, old, "c0ffee", 1, at.now_ms)


def test_worktrees_on_disk_are_counted_until_they_are_removed(at: AtStore) -> None:
    _, (first, second) = grove(at, "make a", "make b")
    work(at, first, "aaa")
    work(at, second, "bbb")
    with at.store.write() as tx:
        assert workspaces.on_disk(tx) == workspaces.OnDisk(2, 240)
        workspaces.note_removed(tx, first, at.now_ms)
        assert workspaces.on_disk(tx) == workspaces.OnDisk(1, 120)


def test_where_a_trees_work_goes_never_changes(at: AtStore) -> None:
    root, _ = grove(at, "make a")
    with pytest.raises(Refused, match="never changes"), at.store.write() as tx:
        tx.run("UPDATE trees SET repository = '/elsewhere' WHERE root_id = ?", (root,))
    shared = at.tree()
    with pytest.raises(BadInput, match="workspace is shared"), at.store.write() as tx:
        tx.run("UPDATE trees SET workspace = 'both' WHERE root_id = ?", (shared,))


def test_branches_of_another_store_are_left_alone() -> None:
    assert submit.branch_prefix(3, "abcdef", frozenset()) == "orch/3"
    assert submit.branch_prefix(3, "abcdef", {"orch/31/1"}) == "orch/3"
    assert submit.branch_prefix(3, "abcdef", {"orch/3/7"}) == "orch/3-abcd"
    assert submit.branch_prefix(3, "abcdef", {"orch/3", "orch/3-abcd/9"}) == "orch/3-abcde"
    with pytest.raises(BadInput, match="rename or delete"):
        submit.branch_prefix(3, "abcd", {"orch/3/1", "orch/3-abcd/1"})
