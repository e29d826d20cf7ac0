"""A store that can not be used for a while does not end the supervisor, and what it was about to do is done once."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from store import database
from store.errors import StoreDamaged
from store.states import Status
from tests.store.faulty import make_faulty
from tests.store.invariants import check
from tests.supervisor.in_process import Watched
from tui_orch.supervisor import loop


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr(loop, "TROUBLE_LOOK_S", 0.005)
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    found = Watched(tmp_path)
    yield found
    found.close()


@pytest.mark.parametrize("error", [apsw.FullError, apsw.BusyError, apsw.IOError])
async def test_a_fault_at_any_call_costs_a_moment(watched: Watched, error: type[apsw.Error]) -> None:
    """At its N-th statement for N = 1, 2, ... until a job has run without meeting it: each job runs exactly once."""
    faulty = make_faulty(watched.supervised, error)
    async with watched.supervisor() as running:
        number = 0
        met = True
        while met:
            number += 1
            faulty.failed, faulty.fail_at = False, number
            job_id = watched.submit(f"job {number}")
            assert (await watched.until_ended(job_id)).status is Status.COMPLETED
            met, faulty.fail_at = faulty.failed, 0
            assert not running.done()
            assert [fence.job_id for fence in watched.launcher.started].count(job_id) == 1
    assert number > 20, "there are more statements than that to the start of a job"
    with watched.store.read() as reader:
        check(reader)


async def test_a_database_that_is_locked_for_longer_than_anyone_waits(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    """It says so once, and once the database is free again everything goes on by itself."""
    caplog.set_level("INFO", "tui_orch.supervisor")
    other = apsw.Connection(str(watched.store.home.database))
    async with watched.supervisor() as running:
        job_id = watched.submit("while it is locked")
        other.execute("BEGIN IMMEDIATE").fetchall()
        await watched.until(lambda _: "waiting for the store: " in caplog.text, "a look")
        assert "is locked by another program" in caplog.text
        assert watched.job(job_id).status is Status.QUEUED
        other.execute("ROLLBACK").fetchall()
        assert (await watched.until_ended(job_id)).status is Status.COMPLETED
        assert not running.done()
    other.close()
    assert caplog.text.count("waiting for the store: ") == caplog.text.count("the store can be used again") == 1


async def test_a_store_that_is_gone_ends_the_supervisor_with_a_reason(watched: Watched) -> None:
    """What is written into a deleted file is lost, so nothing is; and never is a fresh one made in its place."""
    home = watched.store.home
    async with watched.supervisor() as running:
        await watched.until_ended(watched.submit("before"))
        home.database.rename(home.root / "away.db")
        with pytest.raises(StoreDamaged, match=r"orch.db is not the file that was opened: it was deleted, moved"):
            await running
    assert not home.database.exists()
    (home.root / "away.db").rename(home.database)
