"""What is no store, or no longer a whole one, is refused and left as it is."""

from collections.abc import Callable
from pathlib import Path

import pytest
from at_store import sqlite3

from store.database import Store
from store.errors import StoreUnusable
from store.home import Home
from store.models import NewJob, NewTree
from store.submit import submit_tree


def link(home: Home) -> None:
    home.database.rename(home.root / "real.db")
    home.database.symlink_to(home.root / "real.db")


def dangling_link(home: Home) -> None:
    home.database.unlink()
    home.database.symlink_to(home.root / "nowhere.db")


def folder(home: Home) -> None:
    home.database.unlink()
    home.database.mkdir(mode=0o700)


def other_program(home: Home) -> None:
    home.database.unlink()
    sqlite3(home.database, "CREATE TABLE notes(text); INSERT INTO notes VALUES ('mine')")
    home.database.chmod(0o600)


def same_mark(home: Home) -> None:
    home.database.unlink()
    sqlite3(home.database, f"PRAGMA application_id = {0x6F726368}; PRAGMA user_version = 5; CREATE TABLE notes(text)")
    home.database.chmod(0o600)


def garbage(home: Home) -> None:
    home.database.write_bytes(b"no database " * 4096)


def torn_header(home: Home) -> None:
    data = bytearray(home.database.read_bytes())
    data[16:100] = bytes(84)
    home.database.write_bytes(data)


def torn_schema(home: Home) -> None:
    data = bytearray(home.database.read_bytes())
    data[100:4096] = b"\xff" * 3996
    home.database.write_bytes(data)


def half(home: Home) -> None:
    home.database.write_bytes(home.database.read_bytes()[:5000])


DAMAGE: list[tuple[Callable[[Home], object], str]] = [
    (lambda home: home.root.chmod(0o750), "can be entered by others; run: chmod 700 "),
    (lambda home: home.database.chmod(0o640), "orch.db can be read by others; run: chmod 600 "),
    (lambda home: home.database.chmod(0o602), "orch.db can be read by others; run: chmod 600 "),
    (link, "orch.db is not a plain file; move it away: a store is never made over it"),
    (dangling_link, "orch.db is gone, but other parts of the store are there|there is no store"),
    (folder, "orch.db is not a plain file"),
    (lambda home: home.database.write_bytes(b""), r"orch.db is empty \(0 bytes\), which a store never is"),
    (other_program, "orch.db is not a store of tui-orch; move it away or use --home"),
    (same_mark, "no such table: store"),
    (garbage, "orch.db is damaged .*; restore a copy, it is left as it is"),
    (torn_header, "orch.db is damaged|is not a store of tui-orch"),
    (torn_schema, "orch.db is damaged"),
    (half, "orch.db is damaged"),
    (
        lambda home: sqlite3(home.database, "PRAGMA user_version = 99"),
        "orch.db has schema version 99, this tui-orch knows 5; update tui-orch",
    ),
    (lambda home: sqlite3(home.database, "PRAGMA user_version = 1"), "already exists"),
]


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize(("damage", "says"), DAMAGE, ids=[says[:45] for _, says in DAMAGE])
def test_what_is_no_store_is_refused_and_left_as_it_is(
    made: Home, damage: Callable[[Home], object], says: str, create: bool
) -> None:
    """Never a fresh database over it: whatever it is, someone may want it back."""
    damage(made)
    before = contents(made)
    with pytest.raises(StoreUnusable, match=says):
        Store.open(made, create=create)
    assert contents(made) == before


def contents(home: Home) -> dict[str, object]:
    """Return every file of the store but those that SQLite makes and removes as it likes."""
    passing = {"orch.db-wal", "orch.db-shm"}
    return {
        path.name: (path.lstat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in sorted(home.root.iterdir())
        if path.name not in passing
    }


@pytest.mark.parametrize("left", ["jobs", "orch.db-wal"])
def test_no_fresh_database_beside_what_is_left_of_a_lost_one(made: Home, left: str) -> None:
    """A deleted database with its jobs' folders still there is a loss to notice, not a new beginning."""
    made.database.unlink()
    if left == "jobs":
        (made.root / left).mkdir()
    else:
        (made.root / left).write_bytes(b"what was not yet in the database")
    with pytest.raises(StoreUnusable, match="is gone, but other parts of the store are there; restore a copy or move"):
        Store.open(made, create=True)
    with pytest.raises(StoreUnusable, match="there is no store"):
        Store.open(made)
    assert not made.database.exists()


@pytest.mark.parametrize("end", ["-wal", "-shm"])
def test_files_beside_the_database_are_checked_too(made: Home, end: str) -> None:
    """What is not yet in the database stands in them."""
    beside = Path(f"{made.database}{end}")
    beside.touch(0o644)
    beside.chmod(0o644)
    with pytest.raises(StoreUnusable, match=f"orch.db{end} can be read by others"):
        Store.open(made)


def test_damage_in_the_middle_is_told_when_it_is_met(made: Home) -> None:
    """It need not show at the beginning of the file."""
    with Store.open(made) as store, store.write() as tx:
        for number in range(50):
            submit_tree(tx, NewTree(NewJob(f"job {number} " + "x" * 9000)), 1_000)
    data = bytearray(made.database.read_bytes())
    middle = len(data) * 3 // 4 // 4096 * 4096
    data[middle : middle + 8 * 4096] = b"\xff" * (8 * 4096)
    made.database.write_bytes(data)
    with Store.open(made) as store:
        with pytest.raises(StoreUnusable, match="is damaged"), store.read() as reader:
            reader.rows("SELECT * FROM jobs")
        with store.read() as reader:  # the connection is still of use for what is not damaged
            assert reader.value("SELECT one FROM store") == 1
