"""Both clients against a real `orch serve`: results, errors, events, and what is sent when."""

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from store.models import Limits
from store.states import Status
from tests.served import Served
from tui_orch.recursive_helper import (
    AuthenticationError,
    LimitExceeded,
    OrchestratorError,
    OrchestratorUnavailable,
    RecursiveOrchestratorClient,
    RequestRefused,
    StillRunning,
    SyncRecursiveOrchestratorClient,
)

ONE_OF_TWO = "1. echo good\n2. echo bad; exit 3"


def test_failures_are_part_of_the_result_whatever_became_of_the_whole(serving: Served) -> None:
    """completed, partial, failed and cancelled give the same object; only its status differs."""
    with serving.client() as client:
        partial = client.orchestrate_subtasks(ONE_OF_TWO, max_workers=2, kind="command", max_retries=0)
        failed = client.orchestrate_subtasks("1. exit 1\n2. exit 2", kind="command", max_retries=0)
        stopped = client.orchestrate_subtasks("sleep 300", wait=False, kind="command")
        assert (stopped["status"], client.status(stopped["job_id"])["status"] in ("queued", "running")) == (
            "queued",
            True,
        )
        client.cancel(stopped["job_id"])
        cancelled = client.wait(stopped["job_id"])
    found = (partial, failed, cancelled)
    assert [done["status"] for done in found] == ["partial", "failed", "cancelled"]
    assert len({tuple(sorted(done)) for done in found}) == 1
    assert [(part["status"], part["result"]) for part in partial["results"]] == [
        ("completed", "good\n"),
        ("failed", "bad\n"),
    ]
    assert [(done["summary"]["successful_tasks"], done["summary"]["failed_tasks"]) for done in found] == [
        (1, 1),
        (0, 2),
        (0, 1),
    ]


async def test_the_asynchronous_client_does_the_same(serving: Served) -> None:
    """And several calls of one client at once."""
    async with serving.async_client() as client:
        texts = [f"echo {n}" for n in range(3)]
        done = await asyncio.gather(*(client.orchestrate_subtasks(text, kind="command") for text in texts))
        assert [each["result"] for each in done] == ["0\n", "1\n", "2\n"]
        handed_in = await client.submit("sleep 300", kind="command")
        with pytest.raises(StillRunning) as still:
            await client.wait(handed_in["job_id"], timeout=0.3)
        assert still.value.status["status"] in ("queued", "running")
        with pytest.raises(RequestRefused) as refused:
            await client.results(handed_in["job_id"])
        assert (refused.value.http_status, isinstance(still.value, TimeoutError)) == (409, True)
        await client.cancel(handed_in["job_id"])
        assert (await client.wait(handed_in["job_id"]))["status"] == "cancelled"
        assert (await client.results(handed_in["job_id"], nested=True))["results"] == []


def test_one_asynchronous_client_serves_one_event_loop_after_the_other(serving: Served) -> None:
    client = serving.async_client()
    job_id = asyncio.run(client.submit("echo 1", kind="command"))["job_id"]
    assert asyncio.run(client.wait(job_id))["result"] == "1\n"


async def test_the_synchronous_client_works_inside_a_running_event_loop(serving: Served) -> None:
    """As in a notebook, whose cells run in one."""
    assert serving.client().orchestrate_subtasks("echo 1", kind="command")["result"] == "1\n"


def test_each_refusal_is_an_error_of_its_own(serving: Served) -> None:
    client = serving.client()
    with serving.store.read() as reader:
        before = reader.value("SELECT count(*) FROM jobs")
    with pytest.raises(AuthenticationError, match="orch key new") as unknown:
        serving.client(api_key="orch_none").status(1)
    assert unknown.value.http_status == 401
    assert "orch_none" not in f"{unknown.value} {serving.client(api_key='orch_none')!r}"
    with pytest.raises(LimitExceeded, match="max_children") as limit:
        client.submit("1. a\n2. b\n3. c", max_children=2)
    assert (limit.value.limit, limit.value.http_status) == ("max_children", 409)
    with pytest.raises(RequestRefused, match="there is no job 9999 here") as missing:
        client.results(9999)
    assert missing.value.http_status == 404
    with pytest.raises(RequestRefused) as wrong:
        client.submit("x", max_wokers=3)
    assert wrong.value.http_status == 422
    with pytest.raises(RequestRefused, match="unicode"):
        client.submit("half a pair: \ud800")
    with pytest.raises(RequestRefused, match="is no id"):
        client.status("../keys")
    assert all(isinstance(error.value, OrchestratorError) for error in (unknown, limit, missing, wrong))
    with serving.store.read() as reader:
        assert reader.value("SELECT count(*) FROM jobs") == before


def test_a_worker_sees_its_own_subtree_only_and_is_told_when_it_is_over(serving: Served) -> None:
    """Another tree's job is not there for it; the token of an ended attempt opens nothing."""
    other = serving.submit("echo other")
    script = serving.script(
        "nosy",
        f"""
        client = SyncRecursiveOrchestratorClient()
        own = os.environ["ORCH_JOB_ID"]
        said = [client.status(own)["depth"]]
        try:
            client.status({other})
        except RequestRefused as error:
            said.append(error.http_status)
        open("token", "w").write(os.environ["ORCHESTRATOR_API_KEY"])
        print(json.dumps(said))
        """,
    )
    worker = serving.submit(script)
    assert serving.result(worker) == [0, 404]
    token = (serving.project / "token").read_text()
    with pytest.raises(AuthenticationError) as over:
        serving.client(api_key=token).status(worker)
    assert over.value.http_status == 401
    assert token not in str(over.value)


def test_without_a_server_a_call_ends_when_its_patience_does(served: Served) -> None:
    """And says what to do."""
    process = served.serve()
    client = served.client(patience_s=0.4)
    served.kill(process)
    with pytest.raises(OrchestratorUnavailable, match=r"no orch server for 0.4 s: nothing answers at .*: orch serve"):
        client.submit("echo 1")
    with pytest.raises(OrchestratorUnavailable):
        next(client.events())
    with pytest.raises(OrchestratorUnavailable):
        asyncio.run(served.async_client(patience_s=0.1).status(1))


def test_events_are_told_as_they_happen_and_from_any_number_on(serving: Served) -> None:
    """Of one tree or of all; the numbers rise."""
    client = serving.client()
    other = client.submit("echo other", kind="command")["job_id"]
    client.wait(other)
    root = client.submit("1. echo a\n2. echo b", kind="command")["job_id"]

    def until_its_end(since: int, job_id: str | None) -> list[dict[str, Any]]:
        heard = []
        for event in client.events(since, job_id):
            heard.append(event)
            if event["job_id"] == root and event["status"] == "completed":
                break
        return heard

    everything, tree = until_its_end(0, None), until_its_end(0, root)
    assert [event["seq"] for event in tree] == sorted({event["seq"] for event in tree})
    assert other in {event["job_id"] for event in everything}
    assert other not in {event["job_id"] for event in tree}
    assert {event["root_id"] for event in tree} == {root}
    last = tree[-2]["seq"]
    assert [event["job_id"] for event in until_its_end(last, root)] == [root]


async def test_events_from_now_on_can_be_followed_and_left(serving: Served) -> None:
    """What happens from the connection on; leaving them closes it."""
    client = serving.async_client()
    heard = client.events()
    first = asyncio.ensure_future(anext(heard))
    job_ids = []
    while not first.done():
        job_ids.append((await client.submit("echo 1", kind="command"))["job_id"])
        await asyncio.wait([first], timeout=0.2)
    assert (await first)["job_id"] in job_ids
    await heard.aclose()


def test_the_same_name_is_handed_in_once_whoever_calls_again(serving: Served) -> None:
    """For a program that is started again itself."""
    first, second = serving.client(), serving.client()
    again = [client.submit("echo 1", kind="command", idempotency_key="nightly") for client in (first, second)]
    assert again[0]["job_id"] == again[1]["job_id"]
    with pytest.raises(RequestRefused, match="another request"):
        second.submit("echo 2", kind="command", idempotency_key="nightly")
    assert first.submit("echo 1", kind="command")["job_id"] != again[0]["job_id"]


def test_calls_to_this_machine_pass_no_proxy(serving: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker inherits the proxies of its person; the key must not go to one."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert serving.client(patience_s=1.0).orchestrate_subtasks("echo 1", kind="command")["status"] == "completed"


def test_what_each_child_may_take_is_what_timeout_says(serving: Served) -> None:
    script = serving.script(
        "bounded",
        """
        client = SyncRecursiveOrchestratorClient()
        done = client.orchestrate_subtasks("1. sleep 300\\n2. echo quick", timeout=1.5, kind="command")
        print(json.dumps([(part["status"], part["reason"]) for part in done["results"]]))
        """,
    )
    assert serving.result(serving.submit(script)) == [["failed", "timeout"], ["completed", None]]


def test_it_imports_httpx_and_nothing_heavier() -> None:
    """A worker's script starts fast, and works where the store's packages are not."""
    code = (
        "import sys, json; before = set(sys.modules); import httpx; with_httpx = set(sys.modules);"
        "import tui_orch.recursive_helper; print(json.dumps(sorted(set(sys.modules) - with_httpx)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    more = {name for name in json.loads(done.stdout) if not name.startswith("tui_orch")}
    assert {name.partition(".")[0] for name in more} <= sys.stdlib_module_names
    assert not {"store", "apsw", "sqlite3", "pydantic"} & {name.partition(".")[0] for name in more}


def test_the_constructor_takes_what_the_first_users_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    """Including None for a key that is not in the environment."""
    monkeypatch.setenv("ORCHESTRATOR_API_KEY", "of the environment")
    for kind in (SyncRecursiveOrchestratorClient, RecursiveOrchestratorClient):
        client = kind(api_url="http://localhost:8000", api_key=os.getenv("NOT_SET"), current_depth=1, max_depth=2)
        assert (client.api_url, client.current_depth, client.max_depth) == ("http://localhost:8000", 1, 2)
        assert "environment" not in repr(client)
    with pytest.raises(ValueError, match="api_url must be an address"):
        SyncRecursiveOrchestratorClient("localhost")


def test_limits_are_taken_as_they_are_given(serving: Served) -> None:
    job_id = int(serving.client(max_depth=2).submit("echo 1", max_workers=3, kind="command", budget_usd=1.5)["job_id"])
    with serving.store.read() as reader:
        row = reader.row("SELECT max_depth, max_workers, budget_usd FROM trees WHERE root_id = ?", (job_id,))
    assert row == (2, 3, 1.5)
    assert serving.until_ended(job_id).status is Status.COMPLETED
    assert Limits(max_depth=2).max_depth == row[0]
