"""A copy of a store that was filled page by page holds what the store holds, whatever happened in between."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from at_store import AtStore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import asks, control
from store.changed_rows import COLUMNS, changed_rows, finite
from store.errors import BadInput, IllegalChange, LimitExceeded
from store.models import Fence, Job, Limits
from store.replica import Replica
from store.rules import add_rule, remove_rule, rules_in_force
from store.settings import set_setting
from store.states import FINAL, RETRYABLE, Kind, Status
from store.tree import get_job

OPS = (
    "tree",
    "group",
    "start",
    "spawn",
    "finish",
    "fail",
    "suspend",
    "cancel",
    "retry",
    "ask",
    "answer",
    "pause",
    "limits",
    "rule",
)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[AtStore]:
    at = AtStore.create(tmp_path)
    yield at
    at.store.close()


@pytest.fixture
def copy() -> Iterator[Replica]:
    made = Replica()
    yield made
    made.close()


def pull(at: AtStore, copy: Replica, limit: int = 500) -> bool:
    """Bring one page over, as JSON; tell whether there are more."""
    with at.store.read() as reader:
        page = changed_rows(reader, copy.seq, limit=limit, mark=copy.mark)
    copy.take(page.store_id, page.seq, page.mark, json.loads(json.dumps(page.tables)))
    return page.more


def pull_all(at: AtStore, copy: Replica) -> None:
    while pull(at, copy, 7):
        pass


def rows_of(reads: Any, table: str) -> list[tuple[Any, ...]]:
    with reads.read() as reader:
        where = {
            "status_counts": " WHERE root_id = 0",
            "asks": " WHERE answer IS NULL",
            "rules": " WHERE removed_ms IS NULL",
        }
        return sorted(reader.rows(f"SELECT {COLUMNS[table]} FROM {table}{where.get(table, '')}"), key=repr)


def assert_same(at: AtStore, copy: Replica, *tables: str) -> None:
    for table in tables or COLUMNS:
        assert rows_of(copy, table) == rows_of(at.store, table), table


class Doer:
    """Does something of ``OPS`` to a job that ``pick`` chooses; nothing where there is none to do it to."""

    def __init__(self, at: AtStore) -> None:
        self.at = at

    def do(self, op: str, pick: int) -> None:
        self.at.later(1)
        with suppress(IllegalChange, LimitExceeded):
            getattr(self, op)(pick)

    def jobs(self, wanted: Callable[[Job], bool]) -> list[Job]:
        with self.at.store.read() as reader:
            every = [get_job(reader, row[0]) for row in reader.rows("SELECT id FROM jobs ORDER BY id")]
        return [job for job in every if wanted(job)]

    def one(self, pick: int, *states: Status, group: bool = True) -> Job | None:
        found = self.jobs(lambda job: job.status in states and (group or job.kind is not Kind.GROUP))
        return found[pick % len(found)] if found else None

    def running(self, pick: int) -> Fence | None:
        job = self.one(pick, Status.RUNNING)
        return None if job is None else job.fence

    def tree(self, pick: int) -> None:
        self.at.tree(f"tree {pick}", max_workers=8)

    def group(self, pick: int) -> None:
        self.at.group(*(f"echo {number}" for number in range(1 + pick % 4)))

    def start(self, pick: int) -> None:
        if job := self.one(pick, Status.QUEUED, group=False):
            self.at.start(job.id)

    def spawn(self, pick: int) -> None:
        if fence := self.running(pick):
            self.at.spawn(fence, *(f"part {number}" for number in range(1 + pick % 3)))

    def finish(self, pick: int) -> None:
        if fence := self.running(pick):
            self.at.finish(fence, result=f"日本語 {pick}")

    def fail(self, pick: int) -> None:
        if fence := self.running(pick):
            self.at.finish(fence, Status.FAILED, error="no", retry=bool(pick % 2))

    def suspend(self, pick: int) -> None:
        if fence := self.running(pick):
            self.at.suspend(fence)

    def cancel(self, pick: int) -> None:
        if job := self.one(pick, *(set(Status) - FINAL)):
            with self.at.store.write() as tx:
                control.cancel(tx, job.id, self.at.now_ms)

    def retry(self, pick: int) -> None:
        if job := self.one(pick, *RETRYABLE):
            with self.at.store.write() as tx:
                control.retry(tx, job.id, self.at.now_ms)

    def ask(self, pick: int) -> None:
        if fence := self.running(pick):
            with self.at.store.write() as tx:
                asks.ask(tx, fence, kind="permission", tool="Bash", input={"command": f"ls {pick}"}, question="?", now_ms=self.at.now_ms)  # fmt: skip

    def answer(self, pick: int) -> None:
        with self.at.store.write() as tx:
            if found := asks.open_asks(tx):
                asks.answer(tx, found[pick % len(found)].id, "deny", None, self.at.now_ms)

    def pause(self, pick: int) -> None:
        roots = self.jobs(lambda job: job.parent_id is None)
        with self.at.store.write() as tx:
            (control.pause(tx, None, self.at.now_ms) if pick % 2 else control.resume(tx, None))
            if roots:
                control.pause(tx, roots[pick % len(roots)].id, self.at.now_ms)

    def rule(self, pick: int) -> None:
        if jobs := self.jobs(lambda job: True):
            with self.at.store.write() as tx:
                add_rule(tx, jobs[pick % len(jobs)].id, "deny", f"Bash(rm {pick}:*)", self.at.now_ms)
                if pick % 3 == 0 and (found := rules_in_force(tx)):
                    remove_rule(tx, found[pick % len(found)].id, self.at.now_ms)

    def limits(self, pick: int) -> None:
        roots = self.jobs(lambda job: job.parent_id is None)
        with self.at.store.write() as tx:
            set_setting(tx, "slots", 1 + pick % 9)
            if roots:
                control.set_limits(tx, roots[pick % len(roots)].id, Limits(max_jobs=100 + pick))


STEPS = st.lists(st.tuples(st.sampled_from(OPS), st.integers(0, 50), st.integers(0, 4)), min_size=15, max_size=60)


@given(steps=STEPS)
@settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_after_random_changes_the_copy_is_the_store(steps: list[tuple[str, int, int]]) -> None:
    """Pages of a few jobs are brought over between the changes, and at the end all that is left."""
    with tempfile.TemporaryDirectory() as folder:
        at, copy = AtStore.create(Path(folder)), Replica()
        doer = Doer(at)
        for op, pick, limit in steps:
            doer.do(op, pick)
            if limit:
                pull(at, copy, limit)
                with copy.read() as reader:
                    orphans = "SELECT count(*) FROM jobs WHERE parent_id IS NOT NULL AND parent_id NOT IN (SELECT id FROM jobs)"
                    assert reader.value(orphans) == 0, "a job came before the one above it"
        pull_all(at, copy)
        assert_same(at, copy)
        copy.close()
        at.store.close()


def test_a_pause_of_the_store_comes_without_any_job(at: AtStore, copy: Replica) -> None:
    """It has no number in the change feed: the mark tells that it is another."""
    at.tree()
    pull_all(at, copy)
    with at.store.write() as tx:
        control.pause(tx, None, at.now_ms)
    with at.store.read() as reader:
        page = changed_rows(reader, copy.seq, mark=copy.mark)
        again = changed_rows(reader, page.seq, mark=page.mark)
    assert page.is_new
    assert "jobs" not in page.tables
    assert not again.is_new
    copy.take(page.store_id, page.seq, page.mark, page.tables)
    assert_same(at, copy)


def test_a_rule_comes_and_goes_with_its_job(at: AtStore, copy: Replica) -> None:
    root_id = at.tree()
    pull_all(at, copy)
    with at.store.write() as tx:
        rule_id = add_rule(tx, root_id, "allow", "Bash(ls:*)", at.now_ms)
    pull_all(at, copy)
    assert len(rows_of(copy, "rules")) == 1
    with at.store.write() as tx:
        remove_rule(tx, rule_id, at.now_ms)
    pull_all(at, copy)
    assert rows_of(copy, "rules") == []
    assert_same(at, copy)


def test_a_page_ends_early_where_the_texts_are_long(
    at: AtStore, copy: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.changed_rows.PAGE_BYTES", 1_000)
    for number in range(4):
        at.tree("x" * 600 + str(number))
    pages = 1
    while pull(at, copy):
        pages += 1
    assert pages == 2
    assert_same(at, copy)


def test_one_text_that_is_longer_than_a_page_is_a_page(
    at: AtStore, copy: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.changed_rows.PAGE_BYTES", 10)
    at.tree("x" * 600)
    at.tree("y" * 600)
    pull_all(at, copy)
    assert_same(at, copy)


def test_no_token_and_no_key_leaves_the_store(at: AtStore) -> None:
    at.start(at.tree())
    with at.store.read() as reader:
        told = json.dumps(changed_rows(reader, 0).tables)
        tokens = [row[0] for row in reader.rows("SELECT token_sha256 FROM attempts")]
    assert tokens
    assert not any(token in told for token in tokens)
    assert "keys" not in COLUMNS


def test_what_is_infinite_can_be_said_in_json(at: AtStore, copy: Replica) -> None:
    """Plain SQL can bring it in."""
    at.tree()
    with at.store.write() as tx:
        tx.run("UPDATE jobs SET timeout_s = 9e999")
    with at.store.read() as reader:
        page = changed_rows(reader, 0)
    copy.take(page.store_id, page.seq, page.mark, json.loads(json.dumps(finite(page.tables), allow_nan=False)))
    with copy.read() as reader:
        assert get_job(reader, 1).timeout_s == pytest.approx(1.797e308, rel=0.01)


def test_a_page_of_another_store_is_refused(at: AtStore, copy: Replica) -> None:
    """And after it is cleared, the copy takes it."""
    at.tree()
    pull_all(at, copy)
    with tempfile.TemporaryDirectory() as folder:
        other = AtStore.create(Path(folder))
        other.tree("another")
        with other.store.read() as reader:
            page = changed_rows(reader, 0)
        assert not copy.follows(page.store_id, page.seq)
        with pytest.raises(BadInput, match="another store"):
            copy.take(page.store_id, page.seq, page.mark, page.tables)
        copy.clear()
        copy.take(page.store_id, page.seq, page.mark, page.tables)
        assert_same(other, copy)
        other.store.close()
