"""Plain SQL is a way in: what a person or a worker may write by hand gets its place and is booked like anything else."""

import pytest
from at_store import AtStore
from attacks import SWITCHES, assert_sound

from store import control, finish, queue, tree
from store.models import Fence, Limits
from store.states import Status


@pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES.keys())
@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO jobs(parent_id, request) VALUES (6, 'new')",
        "INSERT OR REPLACE INTO jobs(parent_id, request) VALUES (6, 'new')",
        "INSERT OR IGNORE INTO jobs(parent_id, request, priority) VALUES (6, 'new', NULL), (6, 'new', 0)",
        "INSERT OR FAIL INTO jobs(parent_id, request, kind) VALUES (6, 'new', 'command')",
        "INSERT INTO jobs(parent_id, request) VALUES (6, 'new') ON CONFLICT DO NOTHING RETURNING id",
        "INSERT INTO jobs(id, parent_id, request, depth, root_id) VALUES (11, '6', 'new', NULL, NULL)",
        "INSERT INTO jobs(parent_id, request) SELECT 6, 'new' FROM (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3)",
    ],
)
def test_a_plain_insert_gets_its_place_and_is_counted(hit: AtStore, sql: str, switches: str) -> None:
    """However it is written: depth, tree, counters, history and feed are the database's."""
    seen = hit.value("SELECT seq FROM store")
    done = hit.shell(f"{switches} {sql}")
    assert (done.stderr, done.returncode) == ("", 0)
    added = hit.rows("SELECT depth, root_id, status, title, seq > ? FROM jobs WHERE request = 'new'", seen)
    assert added
    assert set(added) == {(1, 6, "queued", "new", 1)}
    assert hit.job(6).open_children == 1 + len(added)
    assert_sound(hit)


@pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES.keys())
@pytest.mark.parametrize("verb", ["UPDATE", "UPDATE OR REPLACE", "UPDATE OR IGNORE", "UPDATE OR FAIL"])
def test_a_plain_change_of_state_is_booked(hit: AtStore, verb: str, switches: str) -> None:
    """A person may cancel a queued job by hand: its time, its asks, counters and history follow."""
    done = hit.shell(f"{switches} {verb} jobs SET status = 'cancelled', reason = 'by hand' WHERE id IN (4, 8)")
    assert (done.stderr, done.returncode) == ("", 0)
    assert hit.states(4, 8) == ["cancelled (by hand)"] * 2
    assert hit.job(1).open_children == 1
    assert_no_open_children_yet_waiting(hit, 6)
    with hit.store.write() as tx:
        assert finish.settle(tx, 6, hit.now_ms) is Status.QUEUED
    assert_sound(hit)


def assert_no_open_children_yet_waiting(at: AtStore, job_id: int) -> None:
    with at.store.read() as reader:
        assert queue.jobs_to_settle(reader) == [job_id]
    assert at.job(job_id).status is Status.WAITING


def test_a_batch_by_hand_leaves_room_for_the_next_one(hit: AtStore) -> None:
    """The number of a batch is bounded by the number of children, so there is always a next one."""
    with hit.store.write() as tx:
        control.set_limits(tx, 1, Limits(max_jobs=9))
    hit.shell("INSERT INTO jobs(parent_id, request, batch) VALUES (2, 'x', 2)")
    assert hit.spawn(Fence(2, 1), "y") == (12,)
    assert [hit.job(job_id).batch for job_id in (11, 12)] == [2, 3]


@pytest.mark.parametrize("data", ["[" * 999 + "]" * 999, f"[{'1' * 5000}]"])
def test_data_beyond_what_python_reads_does_not_stop_the_readers(hit: AtStore, data: str) -> None:
    """It is JSON for SQLite; whoever reads the job gets it as text."""
    done = hit.shell(f"UPDATE jobs SET data = '{data}' WHERE id = 5")
    assert (done.stderr, done.returncode) == ("", 0)
    assert hit.job(5).data == data


def test_text_that_is_not_unicode_does_not_stop_the_readers(hit: AtStore) -> None:
    """A shell in another encoding can bring it in; it is read with a mark in its place, in the same order."""
    hit.shell("INSERT INTO jobs(parent_id, request) VALUES (6, CAST(x'82b12078' AS TEXT)), (6, 'good')")
    broken = hit.job(11)
    assert (broken.request, broken.title[:2], broken.depth) == ("\ufffd\ufffd x", "\ufffd\ufffd", 1)
    with hit.store.read() as reader:
        assert [job.id for job in tree.children(reader, 6)] == [7, 8, 11, 12]
        assert [job.id for job in reversed(tree.roots(reader))] == [1, 6, 9, 10]
        assert [job.id for job in tree.subtree(reader, 6)] == [6, 7, 8, 11, 12]
