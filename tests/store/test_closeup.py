"""The reads of a close look, and those for a picture over time: bounded, and in need of no sound JSON."""

import pytest
from at_store import AtStore

from store.closeup import CHILD_CHARS, TEXT_CHARS, Excerpt, closeup, ledger, newest_attempts, newest_changes
from store.errors import NotFound
from store.states import Kind, Status
from store.timed import MOST_CHANGES, root_of, timed, timed_below


def test_a_job_comes_with_its_texts(at: AtStore) -> None:
    """JSON as text, NULL as None, the size of each in bytes."""
    root = at.tree("日本", Kind.COMMAND)
    at.finish(at.start(root), result="found", data={"a": [1]}, denials=("x",))
    with at.store.read() as reader:
        job = closeup(reader, root)
    assert (job.id, job.kind, job.status, job.attempt, job.depth) == (root, Kind.COMMAND, Status.COMPLETED, 1, 0)
    assert job.request == Excerpt("日本", 6)
    assert job.data == Excerpt('{"a":[1]}', 9)
    assert job.denials == Excerpt('["x"]', 5)
    assert job.error is None


def test_a_long_text_is_cut_and_tells_how_much_is_left_out(at: AtStore) -> None:
    """In bytes, whatever its characters are."""
    root = at.tree()
    fence = at.start(root)
    (child,) = at.spawn(fence, "below")
    at.finish(at.start(child), result="é" * (CHILD_CHARS + 10))
    at.finish(fence, result="é" * (TEXT_CHARS + 5))
    with at.store.read() as reader:
        result = closeup(reader, root).result
        (entry,) = ledger(reader, root)
    assert result is not None
    assert entry.result is not None
    assert (len(result.text), result.more) == (TEXT_CHARS, 10)
    assert (len(entry.result.text), entry.result.more) == (CHILD_CHARS, 20)


def test_data_that_is_nested_too_deep_is_read(at: AtStore) -> None:
    """Nobody takes it apart here."""
    fence = at.start(at.tree())
    deep = "[" * 990 + "]" * 990
    with at.store.write() as tx:
        tx.run("UPDATE jobs SET data = ? WHERE id = ?", (deep, fence.job_id))
    with at.store.read() as reader:
        assert closeup(reader, fence.job_id).data == Excerpt(deep, 1_980)


def test_lists_are_bounded(at: AtStore) -> None:
    """Children from the first on, attempts and changes from the last on."""
    root = at.tree(max_attempts=10, max_children=30)
    fence = at.start(root)
    children = at.spawn(fence, *(f"task {number}" for number in range(5)))
    at.finish(fence, Status.FAILED, retry=True)
    with at.store.read() as reader:
        assert [child.id for child in ledger(reader, root, 3)] == list(children[:3])
        assert [attempt.number for attempt in newest_attempts(reader, root)] == [1]
        changes = newest_changes(reader, root, 2)
        assert len(changes) == 2
        assert changes[0].seq > changes[1].seq


@pytest.mark.parametrize("read", [closeup, root_of])
def test_a_job_that_is_not_there_is_said_so(at: AtStore, read: object) -> None:
    """As everywhere in the store."""
    assert callable(read)
    with at.store.read() as reader, pytest.raises(NotFound, match="there is no job #7"):
        read(reader, 7)


def test_jobs_over_time_come_in_pages_with_their_changes(at: AtStore) -> None:
    """Children of several parents by id; the changes oldest first."""
    root = at.tree()
    fence = at.start(root)
    first, second, third = at.spawn(fence, "a", "b", "c")
    at.later(5)
    below = at.spawn(at.start(first), "d")
    with at.store.read() as reader:
        (job,) = timed(reader, [root, 99])
        assert [change.status for change in job.changes] == [Status.QUEUED, Status.RUNNING]
        assert [job.id for job in timed_below(reader, [root], 2)] == [first, second]
        assert [job.id for job in timed_below(reader, [root], 2, second)] == [third]
        assert [job.id for job in timed_below(reader, [root, first], 10)] == [first, second, third, *below]
        assert timed_below(reader, [], 10) == []
        assert root_of(reader, below[0]) == root
        started = timed(reader, [first])[0].changes[-1]
        assert (started.status, started.at_ms) == (Status.RUNNING, at.now_ms)


def test_of_a_long_history_the_newest_part_is_read(at: AtStore) -> None:
    """However often a job waited."""
    root = at.tree(max_jobs=500, max_children=500)
    for number in range(MOST_CHANGES // 2):
        fence = at.start(root)
        (child,) = at.spawn(fence, f"task {number}")
        at.suspend(fence)
        at.finish(at.start(child))
    with at.store.read() as reader:
        (job,) = timed(reader, [root])
    assert len(job.changes) == MOST_CHANGES
    assert job.changes[-1].status is Status.QUEUED
    assert job.changes == tuple(sorted(job.changes, key=lambda change: change.seq))
