"""Status and results over HTTP: of jobs, of batches, of whatever way they ended."""

import pytest
from at_api import AtApi, problem

from store.models import Usage
from store.states import Status
from tui_orch.api import views


def test_a_group_of_three_one_of_which_failed(api: AtApi) -> None:
    """Partial is an answer like any other: those that succeeded are in it, and so is the one that failed."""
    root, (one, two, three) = api.group("a", "b", "c")
    progress = api.person.get(f"/jobs/{root}/status").json()["progress"]
    assert (progress["total"], progress["queued"]) == (3, 3)
    api.run(one, result="found a", data={"n": 1})
    api.run(two, Status.FAILED, error="broke", denials=({"tool": "Bash"},))
    fence, _ = api.start(three)
    status = api.person.get(f"/jobs/{root}/status").json()
    assert status["status"] == "waiting"
    assert status["progress"] == {
        "total": 3, "completed": 1, "running": 1, "waiting": 0, "queued": 0, "failed": 1, "partial": 0, "cancelled": 0
    }  # fmt: skip
    api.finish(fence, result="found c")
    found = api.person.get(f"/jobs/{root}/results").json()
    assert (found["job_id"], found["status"], found["reason"]) == ("1", "partial", "children_failed")
    assert [(each["job_id"], each["status"], each["result"]) for each in found["results"]] == [
        ("2", "completed", "found a"),
        ("3", "failed", None),
        ("4", "completed", "found c"),
    ]
    assert (found["results"][0]["data"], found["results"][1]["error"]) == ({"n": 1}, "broke")
    assert found["results"][1]["denials"] == [{"tool": "Bash"}]
    summary = found["summary"]
    assert [summary[f"{name}_tasks"] for name in ("total", "successful", "failed", "partial")] == [3, 2, 1, 0]
    assert summary["duration_s"] >= 0


def test_all_failed(api: AtApi) -> None:
    """200 as well: the results tell."""
    root, children = api.group("a", "b")
    for child in children:
        api.run(child, Status.FAILED, error="no")
    found = api.person.get(f"/jobs/{root}/results").json()
    assert (found["status"], found["summary"]["failed_tasks"], found["summary"]["successful_tasks"]) == ("failed", 2, 0)


def test_a_job_without_children_is_one_task(api: AtApi) -> None:
    """Completed or cancelled."""
    done, cancelled = api.tree("a"), api.tree("b")
    api.run(done, result="text")
    api.person.post(f"/jobs/{cancelled}/cancel")
    found = api.person.get(f"/jobs/{done}/results").json()
    assert (found["result"], found["results"], found["summary"]["total_tasks"]) == ("text", [], 1)
    assert found["summary"]["successful_tasks"] == 1
    found = api.person.get(f"/jobs/{cancelled}/results").json()
    assert (found["status"], found["summary"]["failed_tasks"]) == ("cancelled", 1)


def test_what_runs_has_no_results_yet(api: AtApi) -> None:
    """409, queued, running or waiting alike; of a batch until its last job has ended."""
    root = api.tree()
    problem(api.person.get(f"/jobs/{root}/results"), 409, "not_now")
    fence, worker = api.worker(root)
    problem(worker.get(f"/jobs/{root}/results"), 409, "not_now")
    first, second = api.spawn(fence, "a", "b")
    api.run(first)
    problem(worker.get("/jobs/1-1/results"), 409, "not_now")
    api.suspend(fence)
    found = problem(api.person.get(f"/jobs/{root}/results"), 409, "not_now")
    assert "waiting" in found["detail"]
    assert "events" in found["detail"]
    assert api.job(second).status is Status.QUEUED


def test_nested_ledgers_on_request(api: AtApi) -> None:
    """Each child with its own; without asking, one level."""
    root = api.tree("top")
    outer, _ = api.worker(root)
    (middle,) = api.spawn(outer, "middle")
    inner, _ = api.worker(middle)
    (leaf,) = api.spawn(inner, "leaf")
    api.run(leaf, Status.FAILED, error="deep down")
    api.finish(inner, result="middle did")
    api.finish(outer, result="top did")
    flat = api.person.get(f"/jobs/{root}/results").json()
    assert flat["results"][0]["results"] is None
    assert (flat["status"], flat["summary"]["partial_tasks"], flat["summary"]["failed_tasks"]) == ("partial", 1, 0)
    nested = api.person.get(f"/jobs/{root}/results", params={"nested": "true"}).json()
    (below,) = nested["results"]
    assert below["job_id"] == str(middle)
    assert [(each["job_id"], each["error"], each["results"]) for each in below["results"]] == [
        (str(leaf), "deep down", [])
    ]
    assert nested["truncated"] is False


def test_a_huge_tree_gives_nested_results_of_bounded_size(api: AtApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says that they are not all."""
    root = api.tree(max_children=50)
    fence, _ = api.worker(root)
    children = api.spawn(fence, *(f"part {number}" for number in range(5)))
    inner, _ = api.worker(children[-1])
    (leaf,) = api.spawn(inner, "leaf")
    api.run(leaf)
    api.finish(inner)
    for child in children[:-1]:
        api.run(child)
    api.finish(fence)
    monkeypatch.setattr(views, "MOST_ENTRIES", 5)
    found = api.person.get(f"/jobs/{root}/results", params={"nested": "true"}).json()
    assert (len(found["results"]), found["truncated"], found["results"][-1]["results"]) == (5, True, [])


def test_a_batch_has_a_state_of_its_own(api: AtApi) -> None:
    """Queued, running, then what became of all of it; its results are those of its own jobs."""
    root = api.tree()
    fence, worker = api.worker(root)
    first = api.spawn(fence, "a", "b")
    second = api.spawn(fence, "c")
    states = []

    def state(batch: str) -> str:
        found = worker.get(f"/jobs/{batch}/status").json()
        assert (found["job_id"], found["depth"], found["parent_id"], found["root_id"]) == (batch, 1, "1", "1")
        return str(found["status"])

    states.append(state("1-1"))
    api.run(first[0])
    states.append(state("1-1"))
    api.run(first[1], Status.FAILED)
    states.append(state("1-1"))
    assert states == ["queued", "running", "partial"]
    assert state("1-2") == "queued"
    api.run(second[0])
    assert state("1-2") == "completed"
    found = worker.get("/jobs/1-1/results").json()
    assert [each["job_id"] for each in found["results"]] == [str(each) for each in first]
    assert [found["summary"][f"{name}_tasks"] for name in ("total", "successful", "failed")] == [2, 1, 1]
    assert (found["result"], found["status"]) == (None, "partial")


def test_a_batch_that_failed_or_was_cancelled(api: AtApi) -> None:
    """Cancelled only if all of it was."""
    fence, worker = api.worker(api.tree())
    api.spawn(fence, "a", "b")
    other = api.spawn(fence, "c", "d")
    told = worker.post("/jobs/1-1/cancel").json()
    assert told == {"job_id": "1-1", "ended": 2, "stopping": 0}
    assert worker.get("/jobs/1-1/status").json()["status"] == "cancelled"
    problem(worker.post("/jobs/1-1/cancel"), 409, "not_now")
    api.run(other[0], Status.FAILED)
    assert worker.post("/jobs/1-2/cancel").json()["ended"] == 1
    assert worker.get("/jobs/1-2/status").json()["status"] == "failed"


def test_time_and_cost_are_told(api: AtApi) -> None:
    """Elapsed counts while it runs and stands still after its end."""
    root = api.tree()
    assert api.person.get(f"/jobs/{root}/status").json()["elapsed_s"] == 0
    fence, _ = api.start(root)
    api.wait_for(lambda: api.person.get(f"/jobs/{root}/status").json()["elapsed_s"] > 0.01, "time to pass")
    api.finish(fence, usage=Usage(cost_usd=0.25))
    status = api.person.get(f"/jobs/{root}/status").json()
    assert status["cost_usd"] == 0.25
    summary = api.person.get(f"/jobs/{root}/results").json()["summary"]
    assert (summary["cost_usd"], summary["duration_s"]) == (0.25, status["elapsed_s"])


def test_what_json_can_not_say_is_no_end_of_an_answer(api: AtApi) -> None:
    """Half a UTF-16 pair and a number beyond all, as plain SQL can bring them in."""
    root = api.tree()
    fence, _ = api.start(root)
    with api.store.write() as tx:
        tx.run("UPDATE jobs SET data = ? WHERE id = ?", ('{"half": "\\ud800", "huge": 1e999}', root))
        tx.run("UPDATE jobs SET own_status = 'completed' WHERE id = ?", (root,))
    assert api.person.get(f"/jobs/{root}").json()["data"] == {"half": "?", "huge": None}
    assert fence.job_id == root
