"""What a job's token opens: its own subtree. The rest is not there; what is a person's is refused."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from at_api import AtApi, problem

from store.states import Status

Send = Callable[[httpx.Client, str], httpx.Response]

OF_A_JOB: dict[str, Send] = {
    "status": lambda client, name: client.get(f"/jobs/{name}/status"),
    "results": lambda client, name: client.get(f"/jobs/{name}/results"),
    "tree": lambda client, name: client.get(f"/jobs/{name}/tree"),
    "detail": lambda client, name: client.get(f"/jobs/{name}"),
    "logs": lambda client, name: client.get(f"/jobs/{name}/logs"),
    "limits": lambda client, name: client.get(f"/jobs/{name}/limits"),
    "cancel": lambda client, name: client.post(f"/jobs/{name}/cancel"),
    "events": lambda client, name: client.get("/events", params={"job_id": name}),
}
OF_A_PERSON: dict[str, tuple[str, str, Any]] = {
    "retry": ("POST", "/jobs/{own}/retry", None),
    "pause": ("POST", "/jobs/{own}/pause", None),
    "resume": ("POST", "/jobs/{own}/resume", None),
    "pause the store": ("POST", "/pause", None),
    "resume the store": ("POST", "/resume", None),
    "limits": ("PATCH", "/jobs/{own}/limits", {"max_workers": 9}),
    "permissions": ("PATCH", "/jobs/{own}/permissions", {"permission_mode": "bypassPermissions"}),
    "asks": ("GET", "/asks", None),
    "ask": ("GET", "/asks/1", None),
    "answer": ("POST", "/asks/1/answer", {"answer": "allow"}),
    "rules": ("GET", "/rules", None),
    "new rule": ("POST", "/rules", {"job_id": "1", "verdict": "allow", "rule": "Bash"}),
    "remove rule": ("DELETE", "/rules/1", None),
    "state": ("GET", "/state", None),
}


@pytest.fixture
def forest(api: AtApi) -> tuple[AtApi, httpx.Client]:
    """Tree 1: a root with the child 2, which runs and has the child 4; and its sibling 3. Tree 5: another."""
    outer, _ = api.worker(api.tree("top"))
    own, _ = api.spawn(outer, "own", "sibling")
    fence, worker = api.worker(own)
    api.spawn(fence, "below")
    assert api.tree("another tree") == 5
    return api, worker


@pytest.mark.parametrize("verb", OF_A_JOB)
def test_other_jobs_are_not_there_for_a_token(forest: tuple[AtApi, httpx.Client], verb: str) -> None:
    """Another tree's, a job above, a sibling, and one that does not exist are answered alike."""
    api, worker = forest
    said = []
    for name in ("5", "1", "3", "99", "1-1", "5-1"):
        if "-" in name and verb in ("detail", "logs", "limits"):
            continue
        found = problem(OF_A_JOB[verb](worker, name), 404, "not_found")
        said.append(found["detail"].replace(name, "N"))
    assert len(set(said)) == 1
    assert [api.job(number).status for number in (1, 3, 5)] == [Status.RUNNING, Status.QUEUED, Status.QUEUED]


def test_its_own_and_what_is_below_are_there(forest: tuple[AtApi, httpx.Client]) -> None:
    """To read and to cancel; a list shows its own job alone."""
    _, worker = forest
    assert [worker.get(f"/jobs/{name}/status").status_code for name in ("2", "4", "2-1")] == [200] * 3
    assert [job["job_id"] for job in worker.get("/jobs/2/tree").json()["jobs"]] == ["2", "4"]
    assert [job["job_id"] for job in worker.get("/jobs").json()["jobs"]] == ["2"]
    assert worker.get("/jobs/4").json()["batch"] == "2-1"
    assert worker.get("/jobs/2/limits").json()["root_id"] == "1"
    assert worker.post("/jobs/4/cancel").json()["ended"] == 1


@pytest.mark.parametrize("verb", OF_A_PERSON)
def test_what_is_a_persons_is_refused(forest: tuple[AtApi, httpx.Client], verb: str) -> None:
    """403, whatever it names, and nothing is changed."""
    api, worker = forest
    method, path, body = OF_A_PERSON[verb]
    found = problem(worker.request(method, path.format(own=2), json=body), 403, "not_allowed")
    assert "person" in found["detail"]
    with api.store.read() as reader:
        assert reader.value("SELECT paused_ms FROM store") is None
        assert reader.row("SELECT max_workers, paused_ms, permission_mode FROM trees WHERE root_id = 1") == (
            5, None, "acceptEdits"
        )  # fmt: skip
    assert api.count("rules") == 0


def test_a_token_ends_with_its_attempt(api: AtApi) -> None:
    """And with the job's next attempt nothing of the old one opens."""
    root = api.tree()
    fence, worker = api.worker(root)
    assert worker.get(f"/jobs/{root}/status").status_code == 200
    api.finish(fence, Status.FAILED, error="no")
    problem(worker.get(f"/jobs/{root}/status"), 401, "not_authenticated")
    problem(worker.post("/orchestrate", json={"request": "late"}), 401, "not_authenticated")
    api.person.post(f"/jobs/{root}/retry")
    api.start(root)
    problem(worker.post("/slot", json={"name": "a", "lend": True}), 401, "not_authenticated")
    assert api.count("jobs") == 1


def test_a_key_makes_trees_of_its_own_only(api: AtApi) -> None:
    """A body can not say whose child it is to be."""
    api.worker(api.tree())
    for name in ("parent_id", "depth", "root_id", "job_id"):
        problem(api.person.post("/orchestrate", json={"request": "x", name: 1}), 422, "wrong_form")
        problem(api.person.post("/orchestrate", json={"request": "x", "config": {name: 1}}), 422, "wrong_form")
    assert api.count("jobs") == 1
