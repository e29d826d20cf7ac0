"""``GET /changes`` and what else a copy of the store elsewhere is kept up to date and steered with."""

import asyncio
import threading
import time
from typing import Any

import pytest
from at_api import AtApi, problem

from store import control, keys
from store.changed_rows import COLUMNS
from store.states import Status
from tui_orch.api.feed import Feed
from tui_orch.client.measures import now_ms


def changes(api: AtApi, **query: Any) -> dict[str, Any]:
    answer = api.person.get("/changes", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_page_holds_all_of_a_job(api: AtApi) -> None:
    """Every column, in the order of the store's own."""
    root, _ = api.group("a", "b")
    found = changes(api)
    names = COLUMNS["jobs"].split(", ")
    jobs = [dict(zip(names, row, strict=True)) for row in found["tables"]["jobs"]]
    assert {job["id"] for job in jobs} == {root, root + 1, root + 2}
    assert all(job["request"] in ("all", "a", "b") for job in jobs)
    assert found["seq"] == max(job["seq"] for job in jobs)
    assert not found["more"]


def test_a_number_that_json_can_not_say_breaks_nothing(api: AtApi) -> None:
    """Plain SQL can bring in infinity."""
    api.tree()
    with api.store.write() as tx:
        tx.run("UPDATE jobs SET timeout_s = 9e999")
    assert changes(api)["tables"]["jobs"]


def test_pages_follow_each_other(api: AtApi) -> None:
    for number in range(5):
        api.tree(f"tree {number}")
    seq, mark, seen = 0, "", set()
    while True:
        page = changes(api, since=seq, mark=mark, limit=2)
        seen |= {row[0] for row in page["tables"].get("jobs", ())}
        seq, mark = page["seq"], page["mark"]
        if not page["more"]:
            break
    assert seen == {1, 2, 3, 4, 5}
    assert changes(api, since=seq, mark=mark)["tables"] == {}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set whenever a call has looked, found nothing, and begins to wait."""
    began, after = threading.Event(), Feed.after

    async def telling(feed: Feed, moment: asyncio.Event, timeout_s: float) -> bool:
        began.set()
        return await after(feed, moment, timeout_s)

    monkeypatch.setattr(Feed, "after", telling)
    return began


def test_a_call_waits_for_news(api: AtApi, waits: threading.Event) -> None:
    """For a job, and for a pause that is no job's; without news it ends in time, and says so."""
    api.tree()
    page = changes(api)
    for news in (lambda: api.tree("another"), lambda: pause(api)):
        found: list[dict[str, Any]] = []
        known = {"since": page["seq"], "mark": page["mark"]}
        waiting = threading.Thread(
            target=lambda known=known, found=found: found.append(changes(api, **known, wait_s=20))
        )
        waiting.start()
        assert waits.wait(10), "the call does not wait"
        waits.clear()
        assert not found
        news()
        waiting.join(10)
        assert found
        assert found[0]["tables"]
        page = found[0]
    begun = time.monotonic()
    assert changes(api, since=page["seq"], mark=page["mark"], wait_s=0.3)["tables"] == {}
    assert time.monotonic() - begun >= 0.3


def pause(api: AtApi) -> None:
    with api.store.write() as tx:
        control.pause(tx, None, now_ms())


def test_a_number_from_beyond_the_newest_is_told_at_once(api: AtApi) -> None:
    """Another store may be here now: whoever has that number sees one that is lower."""
    api.tree()
    assert changes(api, since=10**9, wait_s=20)["seq"] < 10**9


def test_a_worker_gets_no_copy(api: AtApi) -> None:
    _, worker = api.worker(api.tree())
    problem(worker.get("/changes"), 403, "not_allowed")


def test_a_key_that_is_revoked_waits_for_nothing(api: AtApi, waits: threading.Event) -> None:
    page = changes(api)
    key_id, secret = api.new_key("another")
    client = api.client(secret)
    answers: list[Any] = []
    query = {"since": page["seq"], "mark": page["mark"], "wait_s": 20}
    waiting = threading.Thread(target=lambda: answers.append(client.get("/changes", params=query)))
    waiting.start()
    assert waits.wait(10), "the call does not wait"
    with api.store.write() as tx:
        keys.revoke_key(tx, key_id, now_ms())
    waiting.join(10)
    problem(answers[0], 401, "not_authenticated")


def test_the_failed_leaves_are_tried_again(api: AtApi) -> None:
    root, (first, second) = api.group("a", "b")
    api.run(first, Status.FAILED)
    api.run(second, Status.COMPLETED)
    answer = api.person.post(f"/jobs/{root}/retry", json={"leaves": True})
    assert answer.json()["queued"] == [str(first)]
    problem(api.person.post(f"/jobs/{second}/retry", json={"leaves": True}), 409, "not_now")


def test_a_raw_log_is_byte_for_byte(api: AtApi) -> None:
    job = api.tree()
    api.start(job)
    content = b"\xff\xfe caf\xc3\xa9 \xe6\x97"
    folder = api.store.home.attempt_dir(job, 1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "output").write_bytes(content)
    whole = api.person.get(f"/jobs/{job}/logs/raw")
    assert whole.content == content
    assert whole.headers["x-log-size"] == str(len(content))
    piece = api.person.get(f"/jobs/{job}/logs/raw", params={"offset": 3, "limit": 4})
    assert piece.content == content[3:7]
    nothing = api.person.get(f"/jobs/{job}/logs/raw", params={"limit": 0})
    assert (nothing.content, nothing.headers["x-log-size"]) == (b"", str(len(content)))
    group, _ = api.group("a")
    problem(api.person.get(f"/jobs/{group}/logs/raw"), 404, "not_found")
