"""Where a store lives, and that nobody else may look into it."""

import os
import stat
from pathlib import Path

import pytest

from store.errors import StoreUnusable
from store.home import Home, check_folder, create_home, find_home, private_dir, write_private


@pytest.fixture(autouse=True)
def _nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORCH_HOME", raising=False)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_store_is_found_upwards_like_git_finds_its_own(tmp_path: Path) -> None:
    """The nearest one, from anywhere below its project."""
    below = tmp_path / "project" / "src" / "deep"
    below.mkdir(parents=True)
    (tmp_path / ".orch").mkdir()
    assert find_home(start=below) == Home(tmp_path / ".orch")
    (tmp_path / "project" / ".orch").mkdir()
    assert find_home(start=below) == Home(tmp_path / "project" / ".orch")
    assert find_home(start=tmp_path / "project") == Home(tmp_path / "project" / ".orch")


def test_the_search_starts_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of that name is no store."""
    (tmp_path / ".orch").mkdir()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / ".orch").touch()
    monkeypatch.chdir(tmp_path / "sub")
    assert find_home() == Home(tmp_path / ".orch")


def test_a_named_store_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option before the variable, both before the search, whether it is there yet or not."""
    (tmp_path / ".orch").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORCH_HOME", "named")
    assert find_home() == Home(tmp_path / "named")
    assert find_home("other") == Home(tmp_path / "other")
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert find_home("~/mine") == Home(tmp_path / "me" / "mine")


def test_without_a_store_nothing_is_found(tmp_path: Path) -> None:
    """And nothing is made."""
    found = find_home(start=tmp_path)
    assert found is None or not found.root.is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_every_path_is_inside_the_folder(tmp_path: Path) -> None:
    """So that to move or remove a store is to move or remove one folder."""
    home = Home(tmp_path / ".orch")
    paths = [home.database, home.write_lock, home.supervisor_note, home.supervisor_log, home.wake_socket]
    paths += [home.job_dir(12), home.attempt_dir(12, 3)]
    assert all(path.is_relative_to(home.root) for path in paths)
    assert len(set(paths)) == len(paths)
    assert home.attempt_dir(12, 3) == home.root / "jobs" / "12" / "3"
    assert home.project == tmp_path


@pytest.mark.parametrize("umask", [0o022, 0o000, 0o077])
def test_a_new_folder_is_for_its_owner_alone_and_ignored_by_git(tmp_path: Path, umask: int) -> None:
    """Whatever the umask says; to make it again changes nothing."""
    home = Home(tmp_path / "a" / "project" / ".orch")
    before = os.umask(umask)
    try:
        create_home(home)
        create_home(home)
    finally:
        os.umask(before)
    assert mode(home.root) == 0o700
    assert mode(home.root / ".gitignore") == 0o600
    assert (home.root / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("bits", [0o710, 0o701, 0o770, 0o755, 0o777])
def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path, bits: int) -> None:
    """With the command that mends it."""
    home = Home(tmp_path / ".orch")
    home.root.mkdir()
    home.root.chmod(bits)
    for check in (check_folder, create_home):
        with pytest.raises(StoreUnusable, match="can be entered by others; run: chmod 700 "):
            check(home)
    assert list(home.root.iterdir()) == []


def test_a_link_or_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    """A link could lead to what someone else can change later."""
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").touch(0o600)
    for name in ("link", "file", "dangling"):
        with pytest.raises(StoreUnusable, match=r"is not a folder of its own|cannot make the store's folder"):
            create_home(Home(tmp_path / name))
    assert not (tmp_path / "nowhere").exists()
    assert list((tmp_path / "real").iterdir()) == []


def test_a_missing_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """It is not made by looking."""
    with pytest.raises(StoreUnusable, match=r"there is no store at .*; start one with: orch run"):
        check_folder(Home(tmp_path / ".orch"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_made_is_a_clear_error(tmp_path: Path) -> None:
    """A file stands in the way."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnusable, match="cannot make the store's folder"):
        create_home(Home(tmp_path / "file" / ".orch"))


def test_folders_inside_are_for_the_owner_alone(tmp_path: Path) -> None:
    """Each of them that was missing."""
    home = Home(tmp_path / ".orch")
    create_home(home)
    before = os.umask(0)
    try:
        folder = private_dir(home.attempt_dir(1, 2))
        assert private_dir(folder) == folder
    finally:
        os.umask(before)
    assert [mode(path) for path in (folder, folder.parent, folder.parent.parent)] == [0o700] * 3


def test_a_small_file_is_replaced_whole(tmp_path: Path) -> None:
    """A reader that had the old one open keeps it; nothing half written is left beside it."""
    path = tmp_path / "note"
    write_private(path, "old")
    with path.open() as reading:
        write_private(path, "new and longer, 日本語")
        assert reading.read() == "old"
    assert path.read_text("utf-8") == "new and longer, 日本語"
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]
