"""Orchestration from inside a worker, as its first users met it: one level deeper, too deep, and with failures below.

A real `orch serve`, real command workers, real HTTP.
"""

import pytest

from store.states import Status
from tests.served import Served
from tui_orch.recursive_helper import RecursionDepthError, SubtasksFailed

SUBTASKS = """
    with SyncRecursiveOrchestratorClient() as client:
        done = client.orchestrate_subtasks("Backend:\\n1. echo users\\n2. echo data\\n3. echo socket", kind="command")
    print(json.dumps(done))
"""


def test_simple_recursion(served: Served) -> None:
    """A worker at depth 1 hands in a list: its items run at depth 2 as its children, and it gets their results."""
    served.serve()
    root = served.group(served.script("backend", SUBTASKS), "echo frontend")
    assert served.until_ended(root).status is Status.COMPLETED
    _, backend, frontend, *below = served.jobs(root)
    done = served.result(backend.id)
    assert done["job_id"] == f"{backend.id}-1"
    assert (done["status"], [part["result"] for part in done["results"]]) == (
        "completed",
        ["users\n", "data\n", "socket\n"],
    )
    assert {name: done["summary"][name] for name in ("total_tasks", "successful_tasks", "failed_tasks")} == {
        "total_tasks": 3,
        "successful_tasks": 3,
        "failed_tasks": 0,
    }
    assert [(job.parent_id, job.depth, job.root_id) for job in (backend, frontend)] == [(root, 1, root)] * 2
    assert [(job.parent_id, job.depth, job.root_id, job.result) for job in below] == [
        (backend.id, 2, root, "users\n"),
        (backend.id, 2, root, "data\n"),
        (backend.id, 2, root, "socket\n"),
    ]
    assert backend.attempt == 1


def test_max_depth_validation(served: Served) -> None:
    """Too deep is refused by the caller's own count before any call, by the server's, and by the tree's limit."""
    client = served.client(current_depth=3, max_depth=3)
    with pytest.raises(RecursionDepthError, match="Max recursion depth exceeded") as unasked:
        client.orchestrate_subtasks("too deep")
    assert (unasked.value.current_depth, unasked.value.max_depth, unasked.value.http_status) == (3, 3, None)
    served.serve()
    refused = served.script(
        "refused",
        """
        said = []
        for given in ({"max_depth": 1}, {"current_depth": 5, "max_recursion_depth": 5}, {}):
            try:
                SyncRecursiveOrchestratorClient(max_depth=given.pop("max_depth", None)).orchestrate_subtasks("x", **given)
            except ValueError as error:
                told = (type(error).__name__, error.http_status, error.current_depth, error.max_depth)
                said.append([*told, "Max recursion depth exceeded" in str(error)])
        print(json.dumps(said))
        """,
    )
    root = served.group(refused, max_depth=1)
    assert served.until_ended(root).status is Status.COMPLETED
    (worker,) = served.below(root)
    assert served.result(worker.id) == [
        ["RecursionDepthError", 400, 1, 1, True],
        ["RecursionDepthError", None, 5, 5, True],
        ["RecursionDepthError", 400, 1, 1, True],
    ]


def test_recursive_error_propagation(served: Served) -> None:
    """What fails at depth 2 and 3 comes up as data beside what succeeded; as an exception only for who asks for it."""
    served.serve()
    deeper = served.script(
        "deeper",
        """
        done = SyncRecursiveOrchestratorClient().orchestrate_subtasks("1. echo good\\n2. echo bad; exit 7", kind="command")
        print(json.dumps(done["summary"]))
        """,
    )
    middle = served.script(
        "middle",
        f"""
        client = SyncRecursiveOrchestratorClient()
        try:
            client.orchestrate_subtasks("1. `{deeper}`\\n2. echo fine", kind="command", raise_on_failure=True)
        except SubtasksFailed as error:
            results = client.results(error.results["job_id"], nested=True)
            print(json.dumps([str(error), error.results == client.results(results["job_id"]), results]))
        """,
    )
    root = served.group(middle, max_attempts=1)
    assert served.until_ended(root).status is Status.PARTIAL
    _, at_1, at_2, fine, good, bad = served.jobs(root)
    message, is_same, results = served.result(at_1.id)
    assert is_same
    assert message.startswith(f"1 of 2 subtasks of {at_1.id}-1 did not succeed (#{at_2.id} partial: ")
    first, second = results["results"]
    assert (results["status"], first["status"], second["status"]) == ("partial", "partial", "completed")
    assert (second["result"], fine.depth) == ("fine\n", 2)
    assert [(entry["status"], entry["reason"]) for entry in first["results"]] == [
        ("completed", None),
        ("failed", "exit_code"),
    ]
    assert first["results"][1]["error"].startswith("exit code 7")
    assert [(job.depth, job.status) for job in (at_1, at_2, good, bad)] == [
        (1, Status.PARTIAL),
        (2, Status.PARTIAL),
        (3, Status.COMPLETED),
        (3, Status.FAILED),
    ]
    with pytest.raises(SubtasksFailed) as whole:
        served.client().orchestrate_subtasks("exit 3", kind="command", max_retries=0, raise_on_failure=True)
    assert whole.value.results["error"].startswith("exit code 3")
