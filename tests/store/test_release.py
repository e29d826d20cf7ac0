"""An attempt that could not go on: back to the queue, unless that would do work twice."""

import pytest
from at_store import AtStore
from invariants import check

from store.claim import start_attempt, token_hash
from store.states import Kind, Status


def test_a_command_that_has_spawned_is_not_run_again_by_itself(at: AtStore) -> None:
    """Run again, it would spawn the same children once more; what they find is kept, and a person is told the way out."""
    root = at.tree(kind=Kind.COMMAND)
    fence = at.start(root)
    (child,) = at.spawn(fence, "leaf")
    assert at.release(fence, "shutdown") is Status.WAITING
    at.run(child, result="found")
    assert at.states(root, child) == ["failed (shutdown)", "completed"]
    assert "orch retry" in (at.job(root).error or "")
    with at.store.read() as reader:
        check(reader)


def test_a_command_whose_process_never_came_to_work_is_queued_again_with_its_children(at: AtStore) -> None:
    """A person had it run again; nobody did yet."""
    root = at.tree(kind=Kind.COMMAND)
    fence = at.start(root)
    (child,) = at.spawn(fence, "leaf")
    at.finish(fence, Status.FAILED)
    at.run(child)
    at.retry(root)
    with at.store.write() as tx:
        fence = start_attempt(tx, root, token_hash("never used"), at.now_ms)
    assert at.release(fence, "lost") is Status.QUEUED


@pytest.mark.parametrize("kind", [Kind.CLAUDE, Kind.COMMAND])
def test_whatever_has_spawned_nothing_goes_back_to_the_queue(at: AtStore, kind: Kind) -> None:
    """Without a try being used up."""
    root = at.tree(kind=kind)
    assert at.release(at.start(root), "shutdown") is Status.QUEUED
    assert at.job(root).tries == 0


def test_a_session_that_has_spawned_goes_on_with_its_children(at: AtStore) -> None:
    """It knows what it has done."""
    root = at.tree()
    fence = at.start(root)
    at.spawn(fence, "leaf")
    assert at.release(fence, "shutdown") is Status.QUEUED
