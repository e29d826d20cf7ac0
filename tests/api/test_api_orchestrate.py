"""Handing in a request over HTTP: trees by a key, children by a token; depth and limits are the store's."""

import json
from typing import Any

import httpx
import pytest
from at_api import AtApi, problem

from store.needs import Needs
from store.states import Kind

BIG = "大規模プロジェクトを構築:\n1. バックエンド\n2. フロントエンド\n3. データベース"
PARTS = """
    バックエンドのサブタスク:
    1. ユーザー認証API
    2. データCRUD API
    3. WebSocket通信
    """


def hand_in(client: httpx.Client, request: str = "do it", name: str | None = None, **config: Any) -> httpx.Response:
    headers = {} if name is None else {"Idempotency-Key": name}
    return client.post("/orchestrate", json={"request": request, "config": config}, headers=headers)


def test_the_call_of_the_original_document_makes_a_tree(api: AtApi) -> None:
    """A list becomes a group of three at depth 1, under the limits that were asked for."""
    answer = hand_in(api.person, BIG, max_workers=3, max_recursion_depth=2)
    assert answer.status_code == 200
    assert answer.json() == {"job_id": "1", "status": "queued", "job_ids": ["2", "3", "4"], "notes": []}
    assert api.depths() == {1: 0, 2: 1, 3: 1, 4: 1}
    limits = api.person.get("/jobs/1/limits").json()["limits"]
    assert (limits["max_workers"], limits["max_depth"]) == (3, 2)
    assert api.job(2).request.endswith("バックエンド")


def test_a_request_without_a_list_is_one_job(api: AtApi) -> None:
    """And config may be left out, or be null."""
    for body in ({"request": "just this"}, {"request": "and this", "config": None}):
        assert api.person.post("/orchestrate", json=body).json()["job_ids"] == []
    assert [api.job(1).kind, api.job(1).parent_id, api.job(2).title] == [Kind.CLAUDE, None, "and this"]


def test_every_name_of_the_config_is_taken(api: AtApi) -> None:
    """The original's names and ours; retries are one fewer than attempts."""
    given = {"max_recursion_depth": 1, "current_depth": 0, "default_timeout": 60, "max_retries": 2, "budget": 1.5}
    more = {
        "split": "none",
        "kind": "command",
        "model": "opus",
        "workspace": "shared",
        "title": "a title",
        "priority": 3,
    }
    assert hand_in(api.person, "true", **given, **more).status_code == 200
    limits = api.person.get("/jobs/1/limits").json()["limits"]
    assert [limits[name] for name in ("max_depth", "timeouts_s", "max_attempts", "budget_usd")] == [1, [60.0], 3, 1.5]
    assert [api.job(1).kind, api.job(1).title, api.job(1).priority] == [Kind.COMMAND, "a title", 3]


def test_a_foreign_address_and_key_are_taken_and_kept_nowhere(api: AtApi) -> None:
    """The original's config may carry them; they are in no row."""
    secret = "orch_this-must-be-found-nowhere"
    answer = hand_in(api.person, "true", "a-name", orchestrator_api_url="http://x:1", orchestrator_api_key=secret)
    assert answer.status_code == 200
    files = [path for path in api.store.home.root.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if secret.encode() in path.read_bytes()]


def test_a_token_makes_children_of_its_job_as_one_batch(api: AtApi) -> None:
    """One level below the caller, whatever depth it says; each item of a list is a child."""
    fence, worker = api.worker(api.tree("sh outer"))
    told = hand_in(worker, PARTS, current_depth=0, max_recursion_depth=2, kind="command", timeout=30, priority=2).json()
    assert (told["job_id"], told["status"], told["job_ids"]) == ("1-1", "queued", ["2", "3", "4"])
    assert hand_in(worker, "one thing", title="the one").json()["job_ids"] == ["5"]
    assert api.depths() == {1: 0, 2: 1, 3: 1, 4: 1, 5: 1}
    child = api.job(3)
    assert (child.parent_id, child.batch, child.kind, child.timeout_s, child.priority) == (1, 1, Kind.COMMAND, 30, 2)
    assert (api.job(5).title, api.job(5).batch) == ("the one", 2)
    assert fence.job_id == 1


def test_what_is_the_trees_to_say_is_told_not_done(api: AtApi) -> None:
    """A worker's max_workers and budget change nothing, and the answer says so."""
    _, worker = api.worker(api.tree(max_workers=4))
    told = hand_in(worker, "a part", max_workers=9, budget_usd=99.0).json()
    assert [note.split()[0] for note in told["notes"]] == ["budget_usd", "max_workers"]
    limits = worker.get("/jobs/1/limits").json()["limits"]
    assert (limits["max_workers"], limits["budget_usd"]) == (4, None)


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        ({"current_depth": 2, "max_recursion_depth": 2}, (2, 2)),
        ({"max_recursion_depth": 0}, (0, 0)),
        ({"current_depth": 3}, (3, 3)),
    ],
)
def test_a_caller_can_only_be_stricter_about_depth(api: AtApi, said: dict[str, int], numbers: tuple[int, int]) -> None:
    """At its own limit a nested call is refused, with both numbers, and nothing is inserted."""
    _, worker = api.worker(api.tree())
    found = problem(hand_in(worker, "a part", **said), 400, "max_depth")
    assert found["detail"].startswith("Max recursion depth exceeded")
    assert (found["current_depth"], found["max_recursion_depth"]) == numbers
    assert found["limit"] == "max_depth"
    assert api.count("jobs") == 1


def test_one_level_too_deep_by_the_stores_own_count_is_refused(api: AtApi) -> None:
    """Whatever the caller says of itself."""
    outer, _ = api.worker(api.tree(max_depth=1))
    (child,) = api.spawn(outer, "sh inner")
    _, worker = api.worker(child)
    found = problem(hand_in(worker, "a part", current_depth=0, max_recursion_depth=5), 400, "max_depth")
    assert (found["current_depth"], found["max_recursion_depth"]) == (1, 1)
    assert "Max recursion depth exceeded" in found["detail"]
    assert "orch limits 1" in found["detail"]
    assert api.count("jobs") == 2


def test_a_program_with_a_key_that_says_it_is_too_deep_is_refused_too(api: AtApi) -> None:
    """Its own count is all there is; at depth 1 of 2 its tree may have one level."""
    problem(hand_in(api.person, current_depth=2, max_recursion_depth=2), 400, "max_depth")
    assert api.count("jobs") == 0
    hand_in(api.person, current_depth=1, max_recursion_depth=2)
    assert api.person.get("/jobs/1/limits").json()["limits"]["max_depth"] == 1


def test_another_limit_is_named(api: AtApi) -> None:
    """By the code, so that a program can tell it from the depth; the batch is all or nothing."""
    _, worker = api.worker(api.tree(max_children=2))
    found = problem(hand_in(worker, PARTS, kind="command"), 409, "max_children")
    assert found["limit"] == "max_children"
    assert api.count("jobs") == 1


def test_a_request_that_repeats_the_callers_is_refused(api: AtApi) -> None:
    """The store's rule, told as a problem."""
    _, worker = api.worker(api.tree("do it", Kind.CLAUDE))
    problem(hand_in(worker, "do it"), 409, "repeats")


def test_the_same_request_under_the_same_name_is_handed_in_once(api: AtApi) -> None:
    """By a key and by a token; each caller has names of its own."""
    _, worker = api.worker(api.tree())
    for client, job_id in ((api.person, "2"), (worker, "1-1")):
        first = hand_in(client, "a part", "n1").json()
        assert first["job_id"] == job_id
        assert hand_in(client, "a part", "n1").json() == first
    assert api.count("jobs") == 3
    problem(hand_in(api.person, "another part", "n1"), 409, "not_now")
    assert api.count("jobs") == 3


def test_a_name_that_is_sent_again_tells_how_it_stands_now(api: AtApi) -> None:
    """The status is that of the job, not of the first answer."""
    assert hand_in(api.person, "true", "n", kind="command").json()["status"] == "queued"
    api.run(1)
    assert hand_in(api.person, "true", "n", kind="command").json()["status"] == "completed"


def test_a_name_ends_with_the_request_that_was_refused(api: AtApi) -> None:
    """Nothing is kept of it, so the repaired request may have the same name."""
    problem(hand_in(api.person, "no list", "n", split="list"), 400, "bad_input")
    assert hand_in(api.person, "a list\n1. a\n2. b", "n", split="list").status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code", "where"),
    [
        ({}, 422, "wrong_form", "body.request"),
        ({"request": 7}, 422, "wrong_form", "body.request"),
        ({"request": "x", "more": 1}, 422, "wrong_form", "body.more"),
        ({"request": "x", "config": {"max_wrokers": 3}}, 422, "wrong_form", "body.config.max_wrokers"),
        ({"request": "x", "config": {"max_workers": "3"}}, 422, "wrong_form", "body.config.max_workers"),
        ({"request": "x", "config": {"max_recursion_depth": 6}}, 422, "wrong_form", "body.config.max_depth"),
        ({"request": "x", "config": {"max_retries": True}}, 422, "wrong_form", "body.config.max_attempts"),
        ({"request": "x", "config": {"workspace": "elsewhere"}}, 422, "wrong_form", "body.config.workspace"),
        ({"request": "x", "config": []}, 422, "wrong_form", "body.config"),
        ({"request": "a\0b"}, 422, "wrong_form", "body.request"),
        ({"request": "\ud800"}, 422, "wrong_form", "body.request"),
        ({"request": "x", "\ud800": 1}, 422, "wrong_form", "unicode"),
        ({"request": "x" * 262_145}, 422, "wrong_form", "body.request"),
        ({"request": "あ" * 100_000}, 400, "bad_input", "bytes"),
        ({"request": " \n "}, 400, "bad_input", "empty"),
        ({"request": "x", "config": {"work_dir": "no/such/folder"}}, 400, "bad_input", "no folder"),
        ([], 422, "wrong_form", "body"),
        ("text", 422, "wrong_form", "body"),
        (None, 422, "wrong_form", "body"),
    ],
)
def test_a_wrong_request_is_refused_and_leaves_nothing(
    api: AtApi, body: Any, status: int, code: str, where: str
) -> None:
    """The answer says where and what; no row is written."""
    sent = api.person.post("/orchestrate", content=json.dumps(body), headers={"Content-Type": "application/json"})
    found = problem(sent, status, code)
    assert where in found["detail"]
    assert api.count("jobs") == api.count("handed_in") == 0


@pytest.mark.parametrize("name", ["", "a b", "x" * 201, "é"])
def test_a_name_must_be_printable_and_short(api: AtApi, name: str) -> None:
    """1 to 200 characters without spaces."""
    sent = api.person.post("/orchestrate", json={"request": "x"}, headers={"Idempotency-Key": name.encode()})
    assert "Idempotency-Key".lower() in problem(sent, 422, "wrong_form")["detail"].lower()
    assert api.count("jobs") == 0


def test_needs_are_the_trees_by_a_key_and_the_childrens_by_a_token(api: AtApi) -> None:
    """A job's detail shows those in force: its own over its tree's."""
    assert hand_in(api.person, "sh outer", kind="command", needs={"cpus": 2, "memory_mb": 500.0}).status_code == 200
    _, worker = api.worker(1)
    assert hand_in(worker, "1. one\n2. two", needs={"cpus": 4, "labels": {"zone": "a"}}).json()["notes"] == []
    assert [api.job(each).needs for each in (1, 2, 3)] == [None, *(2 * [Needs(4.0, labels={"zone": "a"})])]
    assert api.person.get("/jobs/1").json()["needs"] == {"cpus": 2.0, "memory_mb": 500}
    assert worker.get("/jobs/2").json()["needs"] == {"cpus": 4.0, "memory_mb": 500, "labels": {"zone": "a"}}
    (attempt,) = worker.get("/jobs/1").json()["attempt_list"]
    assert (attempt["host"], attempt["lease_until_ms"]) == (None, None)


def test_needs_that_are_not_right_are_refused(api: AtApi) -> None:
    answer = hand_in(api.person, needs={"gpus": 1})
    assert answer.status_code == 422
    assert "needs has the unknown key 'gpus'; allowed: cpus, memory_mb, resources, labels" in answer.json()["detail"]
