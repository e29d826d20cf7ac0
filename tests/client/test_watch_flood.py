"""Waiting while changes come in a flood: one wake-up for many, no other task starved, the last change never missed."""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from watching import LONG_S, Database, FakeVersion, another_writer, touch_wal, until_events_come

from store.home import Home, create_home
from store.wake import poke
from tui_orch.client import watch as module
from tui_orch.client.inotify import Inotify
from tui_orch.client.watch import StoreWatch


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / ".orch")
    create_home(home)
    return home


async def test_in_a_flood_one_change_stands_for_many(home: Home) -> None:
    versions = count()
    async with StoreWatch(home, versions.__next__) as watch:
        for _ in range(module.BUSY_CHANGES):
            assert await watch.changed(LONG_S)
        begun = time.monotonic()
        for _ in range(4):
            assert await watch.changed(LONG_S)
        assert time.monotonic() - begun >= 3 * module.BUSY_S


async def test_a_flood_starves_no_other_task(home: Home) -> None:
    versions = count()
    turns = 0

    async def another() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with StoreWatch(home, versions.__next__) as watch:
        task = asyncio.create_task(another())
        for _ in range(module.BUSY_CHANGES):
            await watch.changed(LONG_S)
        task.cancel()
    assert turns >= module.BUSY_CHANGES - 1


async def test_a_poke_is_heard_in_a_flood_too(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_S", 1000.0)
    version = FakeVersion()
    async with StoreWatch(home, version, listen=True) as watch:
        for _ in range(module.BUSY_CHANGES + 5):
            version.value += 1
            poke(home.wake_socket)
            assert await watch.changed(LONG_S)


async def test_after_a_flood_file_events_wake_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    version = FakeVersion()
    async with StoreWatch(home, version) as watch:
        for _ in range(module.BUSY_CHANGES):
            version.value += 1
            assert await watch.changed(LONG_S)
        assert not await watch.changed(module.CALM_AFTER_S + 0.3)
        monkeypatch.setattr(module, "IDLE_S", 1000.0)
        waiting = asyncio.create_task(watch.changed(LONG_S))
        await until_events_come(home, version)
        version.value += 1
        touch_wal(home)
        assert await waiting


async def test_the_last_commit_of_a_flood_is_not_missed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_S", 1000.0)
    with closing(Database(home)) as database:
        async with StoreWatch(home, database.version) as watch:
            with another_writer(home, commits=300):
                rows = 0
                while rows < 300:
                    assert await watch.changed(LONG_S)
                    rows = database.reader.execute("SELECT count(*) FROM notes").fetchall()[0][0]


async def test_leaving_in_the_middle_of_a_flood_is_quick(home: Home) -> None:
    versions = count()
    async with StoreWatch(home, versions.__next__) as watch:
        for _ in range(module.BUSY_CHANGES):
            await watch.changed(LONG_S)
        touch_wal(home)
        begun = time.monotonic()
    assert time.monotonic() - begun < 10


async def test_file_events_are_heard_only_while_somebody_waits_and_it_is_calm(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taking each of them costs more than looking at the version 20 times a second."""
    heard = [0]

    def take(self: Inotify, real: Callable[[Inotify], bool] = Inotify.take) -> bool:
        heard[0] += 1
        return real(self)

    async def write(touches: int) -> int:
        before = heard[0]
        for _ in range(touches):
            touch_wal(home)
            await asyncio.sleep(0.001)
        return heard[0] - before

    monkeypatch.setattr(Inotify, "take", take)
    monkeypatch.setattr(module, "CALM_AFTER_S", 1.0)
    version = FakeVersion()
    async with StoreWatch(home, version) as watch:
        assert await write(20) == 0, "nobody waits"
        waiting = asyncio.create_task(watch.changed(LONG_S))
        await asyncio.sleep(0)
        assert await write(20) > 1, "somebody waits"
        version.value += 1
        assert await waiting
        for _ in range(module.BUSY_CHANGES):
            version.value += 1
            assert await watch.changed(LONG_S)
        waiting = asyncio.create_task(watch.changed(0.2))
        assert await write(20) == 0, "a flood"
        assert not await waiting
        await watch.changed(module.CALM_AFTER_S)
        waiting = asyncio.create_task(watch.changed(LONG_S))
        await asyncio.sleep(0)
        assert await write(20) > 0, "they are not taken up again"
        version.value += 1
        assert await waiting
