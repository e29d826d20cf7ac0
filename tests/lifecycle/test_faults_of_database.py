"""What can happen to the database while everything runs, or before anything starts. Never a fresh one over what is there."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from at_work import PATIENCE_S, AtWork

from store.home import Home
from store.states import Status
from tests.store.invariants import check
from tui_orch.supervisor.ownership import holder

PATIENT = "touch started; while [ ! -e go ]; do sleep 0.02; done; echo kept"


@contextmanager
def sqlite3_holding(home: Home, begin: str) -> Iterator[None]:
    """Let the system's `sqlite3` hold a transaction for the block."""
    process = subprocess.Popen(
        ["sqlite3", "-batch", str(home.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{begin}\nSELECT 'held';\n")
        process.stdin.flush()
        assert "held" in process.stdout.readline()
        yield
    finally:
        process.stdin.close()
        process.wait(PATIENCE_S)
        process.stdout.close()


def test_a_database_locked_by_another_program_holds_up_and_breaks_nothing(work: AtWork) -> None:
    """The command ends while the lock is held; the result waits with it, or beside its attempt. (Longer than anyone waits: see the supervisor's tests.)"""
    root = work.submit(PATIENT, max_attempts=1)
    supervisor = work.supervise()
    work.wait_for((work.project / "started").exists, "the command")
    pid = work.worker_pid(root)
    with sqlite3_holding(work.home, "BEGIN IMMEDIATE;"):
        (work.project / "go").touch()
        work.wait_for(lambda: work.processes() in ([pid], []), "the end of the command; its worker may live")
        assert work.job(root).status is Status.RUNNING
    ended = work.until_ended(root)
    assert (ended.status, ended.result, ended.attempt) == (Status.COMPLETED, "kept\n", 1)
    assert supervisor.poll() is None


def test_a_long_reader_holds_up_nobody(work: AtWork) -> None:
    """A person's query, or a backup, may take as long as it likes; what it pins is freed when it ends."""
    work.supervise()
    wal = Path(f"{work.home.database}-wal")
    with sqlite3_holding(work.home, "BEGIN; SELECT id FROM jobs WHERE id < 0;"):
        for number in range(3):
            assert work.until_ended(work.submit(f"echo {number}")).result == f"{number}\n"
        grown = wal.stat().st_size
        assert grown > 0
    assert work.until_ended(work.submit("echo after")).status is Status.COMPLETED
    work.orch("down")
    with work.store.read() as reader:
        check(reader)


def deleted(home: Home) -> None:
    home.database.unlink()


def replaced_by_a_folder(home: Home) -> None:
    home.database.unlink()
    home.database.mkdir(mode=0o700)


def replaced_by_nothing_in_it(home: Home) -> None:
    home.database.unlink()
    home.database.touch(0o600)


def replaced_by_a_copy(home: Home) -> None:
    shutil.copy2(home.database, home.root / "copy.db")
    (home.root / "copy.db").rename(home.database)


@pytest.mark.parametrize("fault", [deleted, replaced_by_a_folder, replaced_by_nothing_in_it, replaced_by_a_copy])
def test_a_database_that_is_taken_away_while_all_runs_is_noticed_and_the_outcome_is_kept(
    work: AtWork, fault: Callable[[Home], None]
) -> None:
    """The supervisor ends and says why, the worker leaves its outcome in a file, and put back, the store goes on."""
    root = work.submit(PATIENT, max_attempts=1)
    supervisor = work.supervise()
    work.wait_for((work.project / "started").exists, "the command")
    with work.store.write() as tx:
        tx.rows("PRAGMA user_version")
    before = work.home.root / "before.db"
    before.hardlink_to(work.home.database)
    fault(work.home)
    assert supervisor.wait(PATIENCE_S) != 0
    assert "is not the file that was opened: it was deleted, moved or replaced" in work.home.supervisor_log.read_text()
    (work.project / "go").touch()
    work.wait_for((work.home.attempt_dir(root, 1) / "outcome.json").exists, "the outcome beside the attempt")
    if fault is not replaced_by_a_copy:
        refused = work.orch("up", code=1)
        assert str(work.home.database) in refused.stderr or str(work.home.root) in refused.stderr
        assert holder(work.home) is None
    if fault is replaced_by_a_folder:
        work.home.database.rmdir()
    before.rename(work.home.database)
    work.supervise()
    ended = work.until_ended(root)
    assert (ended.status, ended.result, ended.attempt) == (Status.COMPLETED, "kept\n", 1)


def test_a_damaged_page_ends_the_supervisor_with_a_reason_and_is_left_as_it_is(work: AtWork) -> None:
    """Nothing is repaired, removed or made anew by itself: a person restores a copy."""
    for number in range(30):
        work.submit(f"echo {number} # {'x' * 4000}")
    with work.store.read() as reader:
        first = reader.value("SELECT rootpage FROM sqlite_schema WHERE name = 'jobs'")
    work.store.close()
    data = bytearray(work.home.database.read_bytes())
    data[(first - 1) * 4096 : first * 4096] = b"\xff" * 4096
    work.home.database.write_bytes(data)
    supervisor = subprocess.run(
        [sys.executable, "-P", "-m", "tui_orch.supervisor", str(work.home.root)],
        env=work.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert supervisor.returncode == 1
    assert "orch.db is damaged" in supervisor.stderr
    assert "restore a copy, it is left as it is" in work.home.supervisor_log.read_text()
    assert "Traceback" not in supervisor.stderr
    for command in (("list",), ("submit", "--request", "echo", "--kind", "command")):
        assert "is damaged" in work.orch(*command, code=1).stderr
    assert work.home.database.read_bytes() == bytes(data)
