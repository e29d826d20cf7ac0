"""Waiting in an event loop until the store changes.

Most tests take the look of every second away (``IDLE_S``): what wakes them then is what they are about.
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from watching import LONG_S, Database, FakeVersion, another_writer, touch_wal, until, until_events_come

from store.home import Home, create_home
from store.wake import poke
from tui_orch.client import watch as module
from tui_orch.client.watch import StoreWatch, pause


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / ".orch")
    create_home(home)
    return home


@pytest.fixture
def only_when_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_S", 1000.0)


@pytest.fixture
def database(home: Home) -> Iterator[Database]:
    database = Database(home)
    yield database
    database.close()


@pytest.fixture
def version() -> FakeVersion:
    return FakeVersion()


# When to look: a pure decision.


def test_after_a_file_event_it_looks_ever_less_often_for_half_a_second() -> None:
    age, looks = 0.0, []
    while age < module.RECHECK_FOR_S:
        age += pause(age, busy=False, blind=False)
        looks.append(round(age * 1000))
    assert looks[:6] == [2, 4, 8, 16, 32, 64]
    assert looks[6] == 64 + 33
    assert looks[-2] < 500 <= looks[-1]
    assert len(looks) < 25


@pytest.mark.parametrize(
    ("age_s", "busy", "blind", "expected"),
    [
        (float("inf"), False, False, 1.0),
        (0.5, False, False, 1.0),
        (0.499, False, False, 0.033),
        (float("inf"), True, False, 0.05),
        (0.0, True, False, 0.05),
        (float("inf"), False, True, 0.05),
        (0.0, False, True, 0.05),
    ],
)
def test_how_long_to_the_next_look(age_s: float, busy: bool, blind: bool, expected: float) -> None:
    assert pause(age_s, busy=busy, blind=blind) == expected


# What counts as a change.


async def test_nothing_new_is_false_in_time(home: Home, database: Database) -> None:
    async with StoreWatch(home, database.version) as watch:
        begun = time.monotonic()
        assert not await watch.changed(0.1)
        assert time.monotonic() - begun >= 0.1
        assert not await watch.changed(0)


async def test_a_commit_since_the_watch_was_made_is_told_once(home: Home, database: Database) -> None:
    async with StoreWatch(home, database.version) as watch:
        database.write()
        database.write()
        assert await watch.changed(0)
        assert not await watch.changed(0)
        database.write()
        assert await watch.changed(LONG_S)


async def test_an_interruption_ends_the_wait_now_or_the_next_one_and_hides_no_change(
    home: Home, database: Database, only_when_woken: None
) -> None:
    async with StoreWatch(home, database.version) as watch:
        waiting = asyncio.create_task(watch.changed(30))
        await asyncio.sleep(0)
        watch.interrupt()
        assert not await asyncio.wait_for(waiting, 10)
        watch.interrupt()
        assert not await asyncio.wait_for(watch.changed(30), 10)
        watch.interrupt()
        database.write()
        assert await watch.changed(0)
        assert not await watch.changed(0)


async def test_a_commit_of_another_process_wakes(home: Home, database: Database, only_when_woken: None) -> None:
    async with StoreWatch(home, database.version) as watch:
        assert not await watch.changed(0.05)
        with another_writer(home, commits=1):
            assert await watch.changed(LONG_S)


async def test_every_one_of_many_sporadic_commits_wakes(home: Home, database: Database, only_when_woken: None) -> None:
    async with StoreWatch(home, database.version) as watch:
        for pause_s in (0, 0.001, 0.003, 0.01, 0.02, 0.04) * 3:
            waiting = asyncio.create_task(watch.changed(LONG_S))
            await asyncio.sleep(pause_s)
            database.write()
            assert await waiting


async def test_an_event_that_comes_before_its_commit_can_be_seen_is_not_lost(
    home: Home, version: FakeVersion, only_when_woken: None
) -> None:
    async with StoreWatch(home, version) as watch:
        waiting = asyncio.create_task(watch.changed(LONG_S))
        await until_events_come(home, version)
        touch_wal(home)
        seen = version.looks
        await until(lambda: version.looks > seen + 3, "the event did not wake it")
        version.value += 1  # the commit becomes visible only now
        assert await waiting


async def test_with_no_event_at_all_it_looks_every_second(home: Home, version: FakeVersion) -> None:
    async with StoreWatch(home, version) as watch:
        waiting = asyncio.create_task(watch.changed(LONG_S))
        await until(lambda: version.looks > 1, "it never looked")
        version.value += 1
        assert await waiting


async def test_other_files_of_the_folder_wake_nobody(home: Home, version: FakeVersion, only_when_woken: None) -> None:
    async with StoreWatch(home, version) as watch:
        waiting = asyncio.create_task(watch.changed(LONG_S))
        await until_events_come(home, version)
        seen = version.looks
        for name in ("supervisor.log", "write.lock", "orch.db-shm", "orch.db-wal2"):
            (home.root / name).write_text("x")
        await asyncio.sleep(0.1)
        assert version.looks == seen
        touch_wal(home)
        await until(lambda: version.looks > seen, "this one should")
        version.value += 1
        assert await waiting


# The wake-up socket.


async def test_a_poke_wakes_the_one_that_listens(home: Home, version: FakeVersion, only_when_woken: None) -> None:
    async with StoreWatch(home, version, listen=True) as watch:
        assert watch.deaf is None
        for _ in range(5):
            waiting = asyncio.create_task(watch.changed(LONG_S))
            await asyncio.sleep(0)
            version.value += 1
            poke(home.wake_socket)
            assert await waiting
    assert not home.wake_socket.exists()


async def test_only_the_one_that_asks_for_it_takes_the_socket(home: Home, version: FakeVersion) -> None:
    async with StoreWatch(home, version):
        assert not home.wake_socket.exists()


async def test_a_store_deep_down_can_listen_too(tmp_path: Path, version: FakeVersion, only_when_woken: None) -> None:
    deep = Home(tmp_path / ("d" * 100) / ".orch")
    create_home(deep)
    async with StoreWatch(deep, version, listen=True) as watch:
        waiting = asyncio.create_task(watch.changed(LONG_S))
        await asyncio.sleep(0)
        version.value += 1
        poke(deep.wake_socket)
        assert await waiting


async def test_without_a_socket_the_files_still_wake(home: Home, database: Database, only_when_woken: None) -> None:
    home.wake_socket.mkdir()  # in the way
    async with StoreWatch(home, database.version, listen=True) as watch:
        assert watch.deaf
        waiting = asyncio.create_task(watch.changed(LONG_S))
        await asyncio.sleep(0)
        database.write()
        assert await waiting


# What goes wrong.


async def test_without_file_events_the_version_is_polled(
    home: Home, database: Database, only_when_woken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def file_events(*_: object) -> object:
        raise OSError(28, "out of inotify watches")

    monkeypatch.setattr(module, "file_events", file_events)
    async with StoreWatch(home, database.version) as watch:
        assert watch.blind == "[Errno 28] out of inotify watches"
        waiting = asyncio.create_task(watch.changed(LONG_S))
        database.write()
        assert await waiting


async def test_when_file_events_end_the_version_is_polled(
    home: Home, database: Database, only_when_woken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They end with the folder, or, by watchfiles, some time after it was asked for them."""
    given: list[Any] = []
    real = module.file_events
    monkeypatch.setattr(module, "file_events", lambda *wanted: given.extend(wanted) or real(*wanted))
    async with StoreWatch(home, database.version) as watch:
        waiting = asyncio.create_task(watch.changed(LONG_S))
        await asyncio.sleep(0.01)
        assert watch.blind is None
        given[3](RuntimeError("no space left"))
        assert watch.blind == "no space left"
        database.write()
        assert await waiting


async def test_a_wait_that_is_cancelled_leaves_a_good_watch(home: Home, database: Database) -> None:
    async with StoreWatch(home, database.version) as watch:
        waiting = asyncio.create_task(watch.changed(LONG_S))
        await asyncio.sleep(0.02)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        database.write()
        assert await watch.changed(LONG_S)


async def test_an_error_of_the_store_is_the_waiters(home: Home) -> None:
    versions = iter([1, 1])
    async with StoreWatch(home, lambda: next(versions)) as watch:
        assert not await watch.changed(0)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await watch.changed(LONG_S)
