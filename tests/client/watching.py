"""What the tests of watching share: a store's database, a version that moves on command, and waits on conditions."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from store.home import Home

#: Seconds that a wait may take that is to end by itself.
LONG_S = 50.0


class Database:
    """A database as the store has it: in WAL mode, with one connection that reads for good."""

    def __init__(self, home: Home) -> None:
        self.writer = apsw.Connection(str(home.database))
        self.writer.pragma("journal_mode", "wal")
        self.writer.execute("CREATE TABLE notes (text)")
        self.reader = apsw.Connection(str(home.database))

    def version(self) -> int:
        found = self.reader.pragma("data_version")
        assert isinstance(found, int)
        return found

    def write(self) -> None:
        self.writer.execute("INSERT INTO notes VALUES ('x')")

    def close(self) -> None:
        self.reader.close()
        self.writer.close()


class FakeVersion:
    """A version that moves when the test says so, and counts how often it is looked at."""

    def __init__(self) -> None:
        self.value = 1
        self.looks = 0

    def __call__(self) -> int:
        self.looks += 1
        return self.value


def another_writer(home: Home, commits: int) -> "subprocess.Popen[bytes]":
    script = """if True:
        import sys, apsw
        writer = apsw.Connection(sys.argv[1])
        for _ in range(int(sys.argv[2])):
            writer.execute("INSERT INTO notes VALUES ('y')")
        """
    return subprocess.Popen([sys.executable, "-c", script, str(home.database), str(commits)])


async def until(condition: Callable[[], object], otherwise: str) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, otherwise
        await asyncio.sleep(0.005)


def touch_wal(home: Home) -> None:
    with Path(f"{home.database}-wal").open("ab") as file:
        file.write(b"x")


async def until_events_come(home: Home, version: FakeVersion) -> None:
    """Wait until file events arrive, and until the looks after them are over."""
    seen = version.looks
    end = time.monotonic() + 30
    while version.looks <= seen + 1:
        assert time.monotonic() < end, "no file events here"
        touch_wal(home)
        await asyncio.sleep(0.02)
    last = -1
    while version.looks != last:
        last = version.looks
        await asyncio.sleep(0.2)
