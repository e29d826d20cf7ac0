"""The feed tells everything that changes, at most 20 times a second, and outlives trouble with the store."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from textual.message import Message
from tree_stores import add_job, add_jobs, change, open_store

from store.database import Store
from store.errors import StoreBusy
from store.models import Job
from store.tree import StoreState
from tui_orch.client.watch import StoreWatch
from tui_orch.tui import feed as module
from tui_orch.tui.feed import Feed
from tui_orch.tui.messages import JobsChanged, StoreRecovered, StoreTroubled
from tui_orch.tui.source import StoreSource


class Inbox:
    """What was posted, and when."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.times: list[float] = []

    def __call__(self, message: Message) -> None:
        self.messages.append(message)
        self.times.append(time.monotonic())

    @property
    def jobs(self) -> list[int]:
        return [job.id for message in self.messages if isinstance(message, JobsChanged) for job in message.jobs]

    @property
    def changes(self) -> list[JobsChanged]:
        return [message for message in self.messages if isinstance(message, JobsChanged)]


class Bell:
    """A watch that wakes when the test says so."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    async def changed(self, timeout_s: float) -> bool:
        assert timeout_s == module.SLOW_POLL_S
        await self.event.wait()
        self.event.clear()
        return True

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator["Bell"]:
        yield self


async def until(condition: Callable[[], object], otherwise: str) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, otherwise
        await asyncio.sleep(0.005)


@asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[None]:
    task = asyncio.create_task(feed.run())
    try:
        yield
    finally:
        assert not task.done(), "the feed died"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as store:
        yield store


async def test_the_first_message_brings_the_totals_and_what_changed_since(store: Store) -> None:
    source, inbox = StoreSource(store), Inbox()
    add_job(store)
    feed = Feed(source, Bell(), inbox, since=source.newest_seq())
    second = add_job(store)
    async with running(feed):
        await until(lambda: inbox.messages, "nothing was posted")
    (message,) = inbox.changes
    assert [job.id for job in message.jobs] == [second]
    assert message.state == source.state()
    assert sum(message.state.counts.values()) == 2


async def test_another_process_s_commit_is_told(store: Store) -> None:
    """With the real watch on a real file, and a plain SQL writer."""
    source, inbox = StoreSource(store), Inbox()
    feed = Feed(source, lambda: StoreWatch(store.home, source.data_version), inbox, since=source.newest_seq())
    async with running(feed):
        await until(lambda: inbox.messages, "the totals did not come")
        script = "import sys, apsw; apsw.Connection(sys.argv[1]).execute(\"INSERT INTO jobs(request) VALUES ('x')\")"
        writer = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(store.home.database))
        await until(lambda: inbox.jobs, "the commit was not told")
        assert await writer.wait() == 0
    assert inbox.jobs == [1]


async def test_a_change_of_the_store_alone_is_told_without_jobs(store: Store) -> None:
    source, inbox, bell = StoreSource(store), Inbox(), Bell()
    async with running(Feed(source, bell, inbox, since=source.newest_seq())):
        await until(lambda: len(inbox.messages) == 1, "the totals did not come")
        change(store, "UPDATE store SET paused_ms = 7")
        bell.event.set()
        await until(lambda: len(inbox.messages) == 2, "the pause was not told")
        bell.event.set()
        await until(lambda: not bell.event.is_set(), "it did not look")
    assert [(message.jobs, message.state.paused_ms) for message in inbox.changes] == [((), None), ((), 7)]


async def test_a_flood_comes_in_pages_at_most_20_times_a_second_and_nothing_is_lost(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 7)
    source, inbox, bell = StoreSource(store), Inbox(), Bell()
    async with running(Feed(source, bell, inbox, since=source.newest_seq())):
        for _ in range(6):
            add_jobs(store, None, 10)
            bell.event.set()
            await asyncio.sleep(0)
        await until(lambda: len(set(inbox.jobs)) == 60, "jobs were lost")
    assert all(len(message.jobs) <= 7 for message in inbox.changes)
    gaps = [later - earlier for earlier, later in zip(inbox.times, inbox.times[1:], strict=False)]
    assert min(gaps) > module.PERIOD_S * 0.9
    seqs = [job.seq for message in inbox.changes for job in message.jobs]
    assert seqs == sorted(seqs)


async def test_a_store_that_can_not_be_read_is_told_and_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    source, inbox, bell = StoreSource(store), Inbox(), Bell()
    broken = True
    read = source.news

    def news(seq: int, limit: int, *, totals: bool) -> tuple[list[Job], StoreState | None]:
        if broken:
            raise StoreBusy("orch.db is locked by another program")
        return read(seq, limit, totals=totals)

    monkeypatch.setattr(source, "news", news)
    async with running(Feed(source, bell, inbox, since=source.newest_seq())):
        await until(lambda: len(inbox.messages) >= 2, "it was not tried again")
        told = [message.text for message in inbox.messages if isinstance(message, StoreTroubled)]
        assert set(told) == {"orch.db is locked by another program"}
        broken = False
        await until(lambda: isinstance(inbox.messages[-1], StoreRecovered), "the recovery was not told")
    assert inbox.changes


async def test_no_transaction_is_open_while_it_waits(store: Store) -> None:
    """A reader that stays in a transaction would let the WAL grow without end."""
    source, inbox, bell = StoreSource(store), Inbox(), Bell()
    add_jobs(store, None, 3)
    depth = 0
    read = store.read

    @contextmanager
    def counted() -> Iterator[object]:
        nonlocal depth
        depth += 1
        with read() as reader:
            yield reader
        depth -= 1

    store.read = counted  # type: ignore[method-assign, assignment]
    async with running(Feed(source, bell, inbox, since=0)):
        await until(lambda: inbox.messages, "nothing was posted")
        assert depth == 0
    assert inbox.jobs == [1, 2, 3]


async def test_with_a_taker_changes_go_there_and_only_trouble_is_posted(store: Store) -> None:
    source, inbox, taken = StoreSource(store), Inbox(), list[JobsChanged]()
    async with running(Feed(source, Bell(), inbox, take=taken.append, since=0)):
        await until(lambda: taken, "nothing came")
    assert inbox.messages == []


async def test_in_a_flood_the_totals_are_read_less_often_and_are_right_after_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOTALS_S", 1_000.0)
    source, inbox, bell = StoreSource(store), Inbox(), Bell()
    async with running(Feed(source, bell, inbox, since=source.newest_seq())):
        await until(lambda: len(inbox.messages) == 1, "the totals did not come")
        add_jobs(store, None, 3)
        bell.event.set()
        await until(lambda: len(inbox.messages) == 3, "the new totals were not told")
    _, flood, after = inbox.changes
    assert (len(flood.jobs), sum(flood.state.counts.values())) == (3, 0)
    assert (after.jobs, sum(after.state.counts.values())) == ((), 3)
