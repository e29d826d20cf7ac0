"""Opening a store and its transactions: what is refused, and that nothing is ever half written."""

import os
import shutil
import stat
from pathlib import Path

import apsw
import pytest
from at_store import AtStore, sqlite3

from store.database import Store
from store.errors import BadInput, StoreUnusable
from store.home import Home
from store.models import NewJob, NewTree
from store.submit import submit_tree


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -- making and opening ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_every_file_of_a_store_is_for_its_owner_alone(home: Home, umask: int) -> None:
    """Also the ones that SQLite makes beside the database."""
    before = os.umask(umask)
    try:
        with Store.open(home, create=True) as store:
            with store.write() as tx:
                submit_tree(tx, NewTree(NewJob("x")), 1_000)
            names = {path.name: mode(path) for path in home.root.iterdir()}
    finally:
        os.umask(before)
    assert names == dict.fromkeys(["orch.db", "orch.db-wal", "orch.db-shm", "write.lock", ".gitignore"], 0o600)
    assert mode(home.root) == 0o700


def test_a_new_store_is_in_wal_mode_durable_and_marked_as_ours(made: Home) -> None:
    """So that readers never block, a commit survives a power cut, and nobody takes the file for another."""
    with Store.open(made) as store:
        pragmas = {name: store._connection.pragma(name) for name in ("journal_mode", "synchronous", "foreign_keys")}
        assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        assert store.schema_differences() == []
    marks = sqlite3(made.database, "PRAGMA application_id; PRAGMA user_version; PRAGMA integrity_check").stdout.split()
    assert marks == [str(0x6F726368), "5", "ok"]


def test_every_store_has_an_identity_that_stays(made: Home, tmp_path: Path) -> None:
    """It marks its processes."""
    with Store.open(made) as first, Store.open(Home(tmp_path / "other" / ".orch"), create=True) as other:
        assert first.store_id != other.store_id
        kept = first.store_id
    with Store.open(made, create=True) as again:
        assert again.store_id == kept


def test_without_create_nothing_is_made(home: Home) -> None:
    """A wrong folder is an error, not a new store."""
    with pytest.raises(StoreUnusable, match=r"there is no store at .*; start one with: orch run"):
        Store.open(home)
    assert not home.root.exists()
    home.root.mkdir(parents=True, mode=0o700)
    with pytest.raises(StoreUnusable, match="there is no store at"):
        Store.open(home)
    assert not home.database.exists()


def test_an_unfinished_new_store_is_made_anew(home: Home) -> None:
    """A process died while it made one: that was never a store."""
    home.root.mkdir(parents=True, mode=0o700)
    (home.root / "orch.db.new").write_bytes(b"half a database")
    with Store.open(home, create=True) as store:
        assert store.schema_differences() == []
    assert not (home.root / "orch.db.new").exists()


def test_a_copy_made_by_vacuum_into_is_a_store_in_wal_mode_again(made: Home, tmp_path: Path) -> None:
    """It is the way to back up a store that is at work."""
    copy = Home(tmp_path / "copy" / ".orch")
    copy.root.mkdir(parents=True, mode=0o700)
    assert sqlite3(made.database, f"VACUUM INTO '{copy.database}'").returncode == 0
    copy.database.chmod(0o600)
    with Store.open(copy) as store:
        assert AtStore(store).job(1).request == "remember me"
        assert store._connection.pragma("journal_mode") == "wal"


def test_a_store_that_was_moved_is_the_same_store(made: Home, tmp_path: Path) -> None:
    """Nothing in it knows where it lies."""
    moved = Home(tmp_path / "moved" / ".orch")
    shutil.move(made.root.parent, moved.root.parent)
    with Store.open(moved) as store:
        assert AtStore(store).job(1).request == "remember me"


# -- transactions ------------------------------------------------------------------------------------------------------


def write_and_raise(at: AtStore, error: BaseException) -> None:
    with at.store.write() as tx:
        submit_tree(tx, NewTree(NewJob("x")), 1_000)
        raise error


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), GeneratorExit()])
def test_an_exception_in_a_write_takes_all_of_it_back(at: AtStore, error: BaseException) -> None:
    """Whatever it is; the store can be used at once again, by others too."""
    with pytest.raises(type(error)):
        write_and_raise(at, error)
    assert at.rows("SELECT * FROM jobs") == []
    assert at.shell("INSERT INTO jobs(request) VALUES ('y')").returncode == 0
    assert at.tree() == 2


def write_all(at: AtStore, *requests: str) -> None:
    with at.store.write() as tx:
        for request in requests:
            submit_tree(tx, NewTree(NewJob(request)), 1_000)


def test_a_refused_statement_ends_the_whole_write(at: AtStore) -> None:
    """What came before it in the same block is gone too."""
    with pytest.raises(BadInput, match="the request is empty"):
        write_all(at, "fine", "")
    assert at.rows("SELECT * FROM jobs") == []


def test_a_refusal_that_is_caught_within_a_write_costs_only_its_statement(at: AtStore) -> None:
    """So a caller may try, and do something else instead."""
    with at.store.write() as tx:
        submit_tree(tx, NewTree(NewJob("fine")), 1_000)
        with pytest.raises(apsw.Error):
            tx.run("INSERT INTO jobs(request) VALUES ('a'), ('')")
    assert at.rows("SELECT request FROM jobs") == [("fine",)]


def test_a_read_is_one_moment(at: AtStore) -> None:
    """What others commit meanwhile is seen by the next one."""
    at.tree()
    with at.store.read() as reader:
        assert reader.value("SELECT count(*) FROM jobs") == 1
        assert at.shell("INSERT INTO jobs(request) VALUES ('y')").returncode == 0
        assert reader.value("SELECT count(*) FROM jobs") == 1
    assert at.value("SELECT count(*) FROM jobs") == 2


def test_a_read_can_not_write(at: AtStore) -> None:
    """A reader has no such method, and holds no lock that would keep writers out."""
    with at.store.read() as reader:
        assert not hasattr(reader, "run")
        assert at.shell("INSERT INTO jobs(request) VALUES ('y')").returncode == 0


def test_the_data_version_tells_of_others_commits_only(at: AtStore) -> None:
    """It is what a watcher looks at: cheap, and never wrong."""
    seen = at.store.data_version()
    at.tree()
    assert at.store.data_version() == seen
    at.shell("SELECT count(*) FROM jobs; BEGIN IMMEDIATE; INSERT INTO jobs(request) VALUES ('y'); ROLLBACK")
    assert at.store.data_version() == seen
    at.shell("INSERT INTO jobs(request) VALUES ('y')")
    assert at.store.data_version() != seen
