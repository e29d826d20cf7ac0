"""A copy is one moment of the store; what is removed is of trees that ended long ago, and of nobody else."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from at_store import AtStore

from store import handed_in, upkeep
from store.database import Store
from store.errors import BadInput
from store.handed_in import Handle
from store.home import Home, private_dir
from store.models import NewJob, NewTree
from store.states import Status
from store.submit import submit_tree


def test_a_copy_opens_as_a_store_and_is_ours_alone(at: AtStore, tmp_path: Path) -> None:
    root = at.tree()
    copy = tmp_path / "copy.db"
    size = upkeep.back_up(at.store, copy)
    assert (size, copy.stat().st_size, copy.stat().st_mode & 0o777) == (size, size, 0o600)
    assert not any(name.startswith(".copy") for name in os.listdir(tmp_path))
    home = Home(tmp_path / "again" / ".orch")
    private_dir(home.root)
    copy.rename(home.database)
    with Store.open(home) as again, again.write() as tx:
        assert again.store_id == at.store.store_id
        assert tx.value("SELECT title FROM jobs WHERE id = ?", (root,)) == "the whole thing"
        assert tx.value("PRAGMA integrity_check") == "ok"
        assert submit_tree(tx, NewTree(NewJob("more")), 1) == root + 1


def test_a_copy_is_one_moment_though_others_write_meanwhile(at: AtStore, tmp_path: Path) -> None:
    """Each commit of the other writer makes two jobs: no copy ever holds an odd number of them."""
    done = threading.Event()

    def write() -> None:
        with Store.open(at.home) as mine:
            while not done.is_set():
                with mine.write() as tx:
                    submit_tree(tx, NewTree(NewJob("one")), 1)
                    submit_tree(tx, NewTree(NewJob("two")), 1)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(10):
            copy = tmp_path / f"{number}.db"
            upkeep.back_up(at.store, copy)
            asked = "import apsw, sys; print(apsw.Connection(sys.argv[1]).execute('SELECT count(*) FROM jobs').fetchone()[0])"
            found = subprocess.run([sys.executable, "-c", asked, copy], capture_output=True, text=True, check=True)
            assert int(found.stdout) % 2 == 0
    finally:
        done.set()
        thread.join()


def test_a_copy_never_writes_over_anything(at: AtStore, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("mine")
    for path in (there, tmp_path / "no" / "folder"):
        with pytest.raises(BadInput, match=str(path)):
            upkeep.back_up(at.store, path)
    assert there.read_text() == "mine"
    assert os.listdir(tmp_path).count("there") == 1


def ended_tree(at: AtStore) -> int:
    root = at.tree()
    at.run(root, result="done")
    folder = private_dir(at.home.attempt_dir(root, 1))
    (folder / "output").write_bytes(b"x" * 1_000)
    return root


def test_what_ended_trees_left_is_found_and_removed_and_their_rows_stay(at: AtStore, tmp_path: Path) -> None:
    old = ended_tree(at)
    at.later(100)
    young = ended_tree(at)
    at_work = at.tree()
    at.start(at_work)
    private_dir(at.home.attempt_dir(at_work, 1))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "keep").write_text("mine")
    (at.home.attempt_dir(old, 1) / "link").symlink_to(elsewhere)
    with at.store.read() as reader:
        found = list(upkeep.waste(reader, at.home, at.now_ms))
    assert [(each.root_id, each.folders) for each in found] == [(old, (at.home.job_dir(old),))]
    assert found[0].size_bytes >= 1_000
    (at.home.root / "removed-before" / "7").mkdir(parents=True)  # of a removal that was killed
    assert upkeep.remove(at.store, found[0])
    assert not list(at.home.root.glob("removed-*"))
    assert not at.home.job_dir(old).exists()
    assert at.home.job_dir(young).exists()
    assert at.home.job_dir(at_work).exists()
    assert (elsewhere / "keep").read_text() == "mine"
    assert at.job(old).result == "done"
    with at.store.read() as reader:
        assert [each.root_id for each in upkeep.waste(reader, at.home, at.later(1_000))] == [young]


def test_a_tree_that_a_retry_has_opened_meanwhile_keeps_all(at: AtStore) -> None:
    root = at.tree()
    at.run(root, Status.FAILED)
    private_dir(at.home.attempt_dir(root, 1))
    at.later(100)
    with at.store.read() as reader:
        (found,) = upkeep.waste(reader, at.home, at.now_ms)
    at.retry(root)
    assert not upkeep.remove(at.store, found)
    assert at.home.attempt_dir(root, 1).is_dir()


def test_names_of_what_was_handed_in_long_ago_are_forgotten(at: AtStore) -> None:
    with at.store.write() as tx:
        for name, when in (("old", 1_000), ("young", 9_000)):
            handed_in.once(tx, "key:1", name, "the request", when, lambda: Handle(1))
        assert upkeep.forget_names(tx, 5_000) == 1
        assert tx.rows("SELECT name FROM handed_in") == [("young",)]
