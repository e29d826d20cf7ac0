"""Server-sent events over HTTP: from any number on, for whom they are meant, and no longer than one may listen."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from at_api import AtApi, Listener, problem

from store.keys import revoke_key
from store.states import Status
from tui_orch.api import events
from tui_orch.client.measures import now_ms


@contextmanager
def listening(client: httpx.Client, headers: dict[str, str] | None = None, **params: Any) -> Iterator[Listener]:
    with client.stream("GET", "/events", params=params, headers=headers) as answer:
        yield Listener(answer)


def test_events_begin_with_the_state_and_go_on_with_what_changes(api: AtApi) -> None:
    """Without a number, from now on."""
    api.tree()
    with listening(api.person) as events_:
        kind, seq, state = events_.next()
        assert (kind, state["seq"], state["counts"]["queued"]) == ("state", seq, 1)
        second = api.tree("the second")
        job = events_.until(job_id=str(second))
        assert (job["status"], job["title"], job["progress"]["total"]) == ("queued", "the second", 0)
        assert job["seq"] > seq
        api.run(second, result="done")
        assert events_.until(status="completed")["job_id"] == str(second)


def test_a_listener_that_comes_back_misses_nothing(api: AtApi) -> None:
    """By the number of the last event, in the address or in the header, which goes before it."""
    root, children = api.group("a", "b", "c")
    with listening(api.person, since=0) as events_:
        events_.next()
        seen = events_.until(job_id=str(root))["seq"]
    for child in children:
        api.run(child)
    for headers, since in (({"Last-Event-ID": str(seen)}, 0), ({}, seen)):
        with listening(api.person, headers, since=since) as events_:
            assert events_.next()[1] == seen
            found = {data["job_id"]: data for _, _, data in (events_.next() for _ in range(4))}
        assert {name: data["status"] for name, data in found.items()} == dict.fromkeys("1234", "completed")
        assert all(data["seq"] > seen for data in found.values())


def test_a_job_that_changed_often_comes_once(api: AtApi) -> None:
    """As it is now: a listener that was away catches up by what changed, not by how often."""
    root = api.tree()
    api.run(root)
    with listening(api.person, since=0) as events_:
        events_.next()
        assert events_.next()[2]["status"] == "completed"
        api.tree("next")
        assert events_.next()[2]["job_id"] == "2"


def test_a_number_from_beyond_the_newest_means_from_now(api: AtApi) -> None:
    """As after a copy of the store was put back: such a listener must not wait for ever."""
    api.tree()
    with listening(api.person, since=10**15) as events_:
        _, seq, state = events_.next()
        assert seq == state["seq"] < 100
        events_.until(job_id=str(api.tree("new")))


def test_a_flood_is_read_in_pages(api: AtApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it comes, in order."""
    monkeypatch.setattr(events, "PAGE", 7)
    wanted = [str(api.tree(f"tree {number}")) for number in range(30)]
    with listening(api.person, since=0) as events_:
        events_.next()
        assert [events_.next()[2]["job_id"] for _ in wanted] == wanted


def test_events_of_one_subtree_or_batch(api: AtApi) -> None:
    """Of the job and all below it, whoever asks; a token hears of its own subtree without asking."""
    fence, worker = api.worker(api.tree())
    first, second = api.spawn(fence, "first"), api.spawn(fence, "second")
    inner, below = api.worker(first[0])
    (leaf,) = api.spawn(inner, "leaf")
    with (
        listening(api.person, job_id=str(first[0])) as subtree,
        listening(api.person, job_id="1-2") as batch,
        listening(below) as own,
        listening(worker, job_id="1-1") as other,
    ):
        assert [each.next()[2]["counts"]["queued"] for each in (subtree, batch, own, other)] == [1, 1, 1, 1]
        api.tree("another tree")
        api.run(second[0])
        api.run(leaf)
        assert batch.until(status="completed")["job_id"] == str(second[0])
        for each in (subtree, own, other):
            kind, _, data = each.next()
            assert (kind, data["job_id"]) == ("job", str(leaf))


def test_a_token_hears_of_nothing_else(api: AtApi) -> None:
    """Another tree's events are not there for it."""
    other = api.tree("another tree")
    _, worker = api.worker(api.tree())
    problem(worker.get("/events", params={"job_id": str(other)}), 404, "not_found")
    problem(api.person.get("/events", params={"job_id": "../1"}), 404, "not_found")


def test_a_quiet_stream_says_that_it_lives(api: AtApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a comment with the number that it has come to."""
    monkeypatch.setattr(events, "QUIET_S", 0.1)
    api.tree()
    with listening(api.person) as events_:
        _, seq, _ = events_.next()
        assert [events_.next() for _ in range(3)] == [(":", seq, None)] * 3


def test_the_stream_of_a_key_ends_when_it_is_revoked(api: AtApi) -> None:
    """With the next change."""
    key_id, secret = api.new_key("another")
    with listening(api.client(secret)) as events_:
        events_.next()
        with api.store.write() as tx:
            revoke_key(tx, key_id, now_ms())
        api.tree()
        assert list(events_) == []


def test_the_stream_of_a_token_ends_with_its_attempt(api: AtApi) -> None:
    """Whoever comes again is told why."""
    fence, worker = api.worker(api.tree())
    with listening(worker) as events_:
        events_.next()
        api.finish(fence, Status.COMPLETED)
        assert list(events_) == []
    problem(worker.get("/events"), 401, "not_authenticated")


def test_listeners_that_go_leave_nothing_behind(api: AtApi) -> None:
    """Nor can so many come that the server has no room."""
    feed = api.server._feed
    assert feed is not None
    for _ in range(3):
        with listening(api.person) as events_:
            events_.next()
            assert feed.streams == 1
        api.wait_for(lambda: feed.streams == 0, "the stream to end")


def test_too_many_listeners_are_asked_to_come_later(api: AtApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """503, with a time."""
    monkeypatch.setattr(events, "MOST_STREAMS", 1)
    with listening(api.person) as events_:
        events_.next()
        answer = api.client(api.key).get("/events")
        problem(answer, 503, "too_many_streams")
        assert answer.headers["retry-after"]


def test_the_end_of_the_server_ends_the_streams(api: AtApi) -> None:
    """Soon, and in order."""
    with listening(api.person) as events_:
        events_.next()
        api.server.__exit__(None, None, None)
        assert list(events_) == []


@pytest.mark.parametrize("since", ["-1", "x", "1.5", "9" * 30])
def test_since_is_a_number(api: AtApi, since: str) -> None:
    """422 for anything else."""
    problem(api.person.get("/events", params={"since": since}), 422, "wrong_form")
