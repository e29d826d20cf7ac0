"""Where J goes, and that the number of jobs does not count."""

import random
from pathlib import Path

import pytest
from app_stage import garden
from detail_stores import Made, at

from store import asks
from store.database import Store
from store.home import Home
from store.states import Kind, Status
from tui_orch.tui.jumping import QUERIES, next_job


def test_it_goes_round_what_failed_asks_or_runs_by_id(tmp_path: Path) -> None:
    stage = garden(tmp_path)
    calls = {Status.FAILED, Status.PARTIAL, Status.RUNNING}
    with stage.made.store as store, store.read() as reader:
        found, at_job = [], 0
        for _ in range(20):
            at_job = next_job(reader, at_job) or 0
            found.append(at_job)
        jobs = reader.rows("SELECT id, status, open_asks FROM jobs ORDER BY id")
        wanted = [job_id for job_id, status, open_asks in jobs if Status(status) in calls or open_asks]
    assert stage.asking in wanted
    assert found == [wanted[number % len(wanted)] for number in range(20)]


def test_a_waiting_job_that_asks_calls_too(tmp_path: Path) -> None:
    """It does not run, so only its ask says so."""
    made = Made(tmp_path)
    root = made.start(made.root(kind=Kind.CLAUDE))
    with made.store.write() as tx:
        asks.ask(tx, root, kind="question", question="which?", now_ms=at(2))
    made.suspend(root, 3, "ask")
    with made.store as store, store.read() as reader:
        assert reader.value("SELECT status FROM jobs") == Status.WAITING
        assert next_job(reader, 0) == root.job_id


def test_an_empty_store_has_nowhere_to_go(tmp_path: Path) -> None:
    with Store.open(Home(tmp_path / ".orch"), create=True) as store, store.read() as reader:
        assert next_job(reader, 0) is None
        assert next_job(reader, 5) is None


@pytest.mark.parametrize(("sql", "index"), zip(QUERIES, ("jobs_failed", "jobs_running", "asks_open"), strict=True))
def test_each_query_reads_an_index_that_holds_what_it_is_for_alone(tmp_path: Path, sql: str, index: str) -> None:
    """Never all jobs, and never all asks."""
    with Store.open(Home(tmp_path / ".orch"), create=True) as store, store.read() as reader:
        plan = [row[3] for row in reader.rows(f"EXPLAIN QUERY PLAN {sql}", (random.randrange(99),))]
    assert len(plan) == 1, plan
    assert f"INDEX {index}" in plan[0]
