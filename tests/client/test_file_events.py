"""Events of the files of a folder: by inotify, and by watchfiles where there is none."""

import asyncio
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from watching import until

from tui_orch.client import inotify
from tui_orch.client.file_events import FileEvents, file_events
from tui_orch.client.inotify import FolderGone, Inotify

NAMES = ("orch.db", "orch.db-wal")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "orch.db").touch()
    return tmp_path


class Heard:
    def __init__(self) -> None:
        self.times = 0
        self.errors: list[Exception] = []

    def touched(self) -> None:
        self.times += 1


@asynccontextmanager
async def hearing(folder: Path, heard: Heard) -> AsyncIterator[FileEvents]:
    events = file_events(folder, NAMES, heard.touched, heard.errors.append)
    try:
        yield events
    finally:
        await events.close()


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


@pytest.fixture(params=["inotify", "watchfiles"])
def by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "watchfiles":
        monkeypatch.setattr(Inotify, "is_available", lambda: False)
    elif not Inotify.is_available():
        pytest.skip("this system has no inotify")
    return str(request.param)


async def test_a_change_of_a_wanted_file_is_told(folder: Path, by: str) -> None:
    heard = Heard()
    async with hearing(folder, heard) as events:
        assert type(events).__name__.lower() == f"_by{by}"
        events.resume()
        for number in range(3):
            before = heard.times
            end = asyncio.get_running_loop().time() + 30
            while heard.times == before:
                append(folder / NAMES[number % 2])
                await asyncio.sleep(0.02)
                assert asyncio.get_running_loop().time() < end, "not told"
    assert heard.errors == []


async def test_after_a_pause_what_came_meanwhile_is_told(folder: Path, by: str) -> None:
    heard = Heard()
    async with hearing(folder, heard) as events:
        events.resume()
        while not heard.times:  # watchfiles takes a while to begin
            append(folder / "orch.db")
            await asyncio.sleep(0.02)
        events.pause()
        before = heard.times  # what is on its way is told once at most
        for _ in range(5):
            append(folder / "orch.db-wal")
            await asyncio.sleep(0.02)
        assert heard.times <= before + 1
        events.resume()
        await until(lambda: heard.times > before, "lost")


async def test_to_be_heard_or_closed_twice_is_no_harm(folder: Path, by: str) -> None:
    events = file_events(folder, NAMES, lambda: None, lambda _: None)
    for do in (events.resume, events.resume, events.pause, events.pause, events.resume):
        do()
    await events.close()
    await events.close()
    events.resume()
    events.pause()


async def test_a_folder_that_goes_away_ends_them_and_is_told(folder: Path) -> None:
    """By inotify; what becomes of the store, the look at its version tells."""
    heard = Heard()
    async with hearing(folder, heard) as events:
        events.resume()
        shutil.rmtree(folder)
        await until(lambda: heard.errors, "it goes on")
        assert isinstance(heard.errors[0], FolderGone)
        events.pause()
        events.resume()


async def test_where_nothing_can_be_watched_it_says_so_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        file_events(tmp_path / "nowhere", NAMES, lambda: None, lambda _: None)


# Inotify itself.


@pytest.mark.parametrize(
    ("do", "is_told"),
    [
        (lambda folder: append(folder / "orch.db"), True),
        (lambda folder: append(folder / "orch.db-wal"), True),
        (lambda folder: (folder / "new").rename(folder / "orch.db"), True),
        (lambda folder: os.truncate(folder / "orch.db", 0), True),
        (lambda folder: append(folder / "orch.db-shm"), False),
        (lambda folder: append(folder / "orch.db-wal2"), False),
        (lambda folder: (folder / "new").unlink(), False),
        (lambda folder: (folder / "orch.db").read_bytes(), False),
        (lambda folder: (folder / "sub" / "orch.db").touch(), False),
    ],
)
def test_what_counts(folder: Path, do: Callable[[Path], object], is_told: bool) -> None:
    (folder / "new").write_text("x")
    append(folder / "orch.db")
    (folder / "sub").mkdir()
    events = Inotify(folder, NAMES)
    do(folder)
    assert events.take() is is_told
    assert events.take() is False
    events.close()


def test_events_that_were_lost_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel keeps some thousand; of those after them it tells only that there were some."""
    events = Inotify(folder, NAMES)
    overflow = inotify._HEAD.pack(-1, 0x4000, 0, 0)
    monkeypatch.setattr(os, "read", lambda *_: overflow)
    assert events.take() is True
    monkeypatch.undo()
    events.close()


@pytest.mark.parametrize(("number", "said"), [(errno.EMFILE, "max_user_instances"), (errno.ENOSPC, "max_user_watches")])
def test_a_limit_of_the_system_is_named(number: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inotify.ctypes, "get_errno", lambda: number)
    with pytest.raises(OSError, match=said) as raised:
        inotify._checked(-1)
    assert raised.value.errno == number


def test_no_child_inherits_it_and_a_failure_leaves_nothing_open(folder: Path) -> None:
    events = Inotify(folder, NAMES)
    assert not os.get_inheritable(events.fileno())
    opened = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="No such file"):
        Inotify(folder / "nowhere", NAMES)
    assert len(os.listdir("/proc/self/fd")) == opened
    events.close()
    events.close()


def test_watchfiles_is_not_imported_where_there_is_inotify() -> None:
    if not Inotify.is_available():
        pytest.skip("this system has no inotify")
    script = """if True:
        import asyncio, sys, tempfile
        from pathlib import Path
        from tui_orch.client.file_events import file_events

        async def main():
            await file_events(Path(tempfile.gettempdir()), ("x",), print, print).close()

        asyncio.run(main())
        print({"watchfiles", "anyio"} & {*sys.modules})
        """
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert run.stdout == "set()\n"
