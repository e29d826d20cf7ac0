"""What gets in while the rules are off, or changed, does not run: it is found where a process would start."""

import pytest
from at_store import AtStore

from store import claim, finish, queue
from store.errors import IllegalChange, NotFound
from store.states import Reason, Status

OFF = ".dbconfig enable_trigger off"


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"parent_id": 5, "depth": 1, "root_id": 1}, "job #11 says depth 1 in tree #1, its parents say 3 in #1"),
        ({"parent_id": 5, "depth": 3, "root_id": 1}, r"says depth 3 in tree #1, its parents say 3 in #1 \(max_depth 2\)"),
        ({"parent_id": 5, "depth": 1, "root_id": 6}, "its parents say 3 in #1"),
        ({"depth": 0, "root_id": 1}, "job #11 says depth 0 in tree #1, its parents say 0 in #11"),
        ({"parent_id": 2, "root_id": 1}, "job #11 says depth None in tree #1"),
        ({"parent_id": 2, "depth": -1, "root_id": 1}, "job #11 says depth -1"),
        ({"parent_id": 11, "depth": 0, "root_id": 1}, "job #11 says depth 0 in tree #1"),
        ({"parent_id": 12, "depth": 1, "root_id": 1}, "job #11 says depth 1 in tree #1"),
        ({"parent_id": 2, "depth": 2}, "there is no tree #None"),
        ({"depth": 0, "root_id": 11}, "there is no tree #11"),
    ],
    ids=str,
)  # fmt: skip
def test_rows_that_came_in_with_the_triggers_off_are_not_started(
    hit: AtStore, columns: dict[str, int], says: str
) -> None:
    """Where a process would start, depth and tree are derived once more from the parents, and a ring of them has an end."""
    names, values = ", ".join(columns), ", ".join(map(str, columns.values()))
    done = hit.shell(
        f"INSERT INTO jobs(id, request, {names}) VALUES (11, 'x', {values});"
        "INSERT INTO jobs(id, request, parent_id, depth, root_id) VALUES (12, 'x', 11, 2, 1);",
        OFF,
    )
    assert done.returncode == 0, done.stderr
    with pytest.raises((IllegalChange, NotFound), match=says), hit.store.write() as tx:
        claim.start_attempt(tx, 11, claim.token_hash("x"), hit.now_ms)
    assert hit.value("SELECT status FROM jobs WHERE id = 11") == "queued"


def test_a_misplaced_row_can_be_failed_and_its_parent_goes_on(hit: AtStore) -> None:
    """It is no reason to stop the tree into which someone put it."""
    hit.shell("INSERT INTO jobs(id, request, parent_id, depth, root_id) VALUES (11, 'x', 6, 5, 6)", OFF)
    with hit.store.write() as tx:
        assert finish.fail_unstarted(tx, 11, Reason.BAD_REQUEST, "misplaced", hit.now_ms) is Status.FAILED
    hit.run(8)
    assert hit.states(6, 11) == ["queued (resume)", "failed (bad_request)"]


def test_a_row_whose_bookkeeping_was_cut_off_belongs_to_no_tree(hit: AtStore) -> None:
    """A TEMP trigger can keep ours from running after it, in its own connection: then the row is never started."""
    done = hit.shell(
        "CREATE TEMP TRIGGER cut AFTER INSERT ON main.jobs BEGIN SELECT RAISE(IGNORE); END;"
        "INSERT INTO jobs(parent_id, request) VALUES (2, 'x');"
    )
    assert done.returncode == 0, done.stderr
    with hit.store.read() as reader:
        assert queue.rootless_jobs(reader) == [11]
        assert [job.id for found in queue.queued_trees(reader, hit.now_ms, 9) for job in found.queued] == [4, 8]
    with pytest.raises(NotFound), hit.store.write() as tx:
        claim.start_attempt(tx, 11, claim.token_hash("x"), hit.now_ms)


@pytest.mark.parametrize(
    ("ddl", "noticed"),
    [
        ("DROP TRIGGER jobs_guard_insert", ["trigger jobs_guard_insert is missing"]),
        ("DROP VIEW job_tree; CREATE VIEW job_tree AS SELECT 1 AS line", ["view job_tree is changed"]),
        (
            "DROP TRIGGER jobs_guard_delete; CREATE TRIGGER jobs_guard_delete BEFORE DELETE ON jobs BEGIN SELECT 1; END",
            ["trigger jobs_guard_delete is changed"],
        ),
        (
            "CREATE TRIGGER mine AFTER INSERT ON jobs BEGIN SELECT RAISE(IGNORE); END",
            ["trigger mine is not ours"],
        ),
        ("ALTER TABLE jobs ADD COLUMN mine TEXT", ["table jobs is changed"]),
        ("DROP INDEX jobs_queued", ["index jobs_queued is missing"]),
        ("DROP VIEW open_asks", ["view open_asks is missing"]),
        (
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'max_depth', 'max_jobs') WHERE name = 'jobs_guard_insert'",
            ["trigger jobs_guard_insert is changed"],
        ),
        ("CREATE VIEW mine AS SELECT 1; CREATE INDEX my_own ON jobs(title)", []),
    ],
)
def test_changed_rules_are_noticed(hit: AtStore, ddl: str, noticed: list[str]) -> None:
    """DDL can do what triggers forbid; it can not do so unseen, also by a store that is already open."""
    assert hit.store.schema_differences() == []
    version = hit.store.schema_version()
    done = hit.shell(ddl, ".dbconfig defensive off")
    assert done.returncode == 0, done.stderr
    assert hit.store.schema_differences() == noticed
    assert hit.store.schema_version() != version
