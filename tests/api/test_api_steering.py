"""What a person does over HTTP: look, cancel, try again, pause, limits, asks, rules, logs."""

import pytest
from at_api import AtApi, problem

from store.home import private_dir
from store.states import Kind, Status


def test_trees_are_listed_in_pages(api: AtApi) -> None:
    """Newest first."""
    for number in range(5):
        api.tree(f"tree {number}")
    page = api.person.get("/jobs", params={"limit": 2}).json()
    assert ([job["job_id"] for job in page["jobs"]], page["next_before"]) == (["5", "4"], "4")
    page = api.person.get("/jobs", params={"limit": 2, "before": page["next_before"]}).json()
    page = api.person.get("/jobs", params={"limit": 2, "before": page["next_before"]}).json()
    assert ([job["job_id"] for job in page["jobs"]], page["next_before"]) == (["1"], None)
    for params in ({"limit": 0}, {"limit": "x"}, {"before": -1}):
        problem(api.person.get("/jobs", params=params), 422, "wrong_form")


def test_a_tree_is_listed_parents_first_and_cut_where_asked(api: AtApi) -> None:
    """The answer says whether it is all."""
    root, children = api.group("a", "b")
    found = api.person.get(f"/jobs/{root}/tree").json()
    assert [job["job_id"] for job in found["jobs"]] == [str(each) for each in (root, *children)]
    assert (found["truncated"], found["jobs"][1]["batch"]) == (False, "1-1")
    found = api.person.get(f"/jobs/{root}/tree", params={"limit": 2}).json()
    assert (len(found["jobs"]), found["truncated"]) == (2, True)
    found = api.person.get("/jobs/1-1/tree").json()
    assert [job["job_id"] for job in found["jobs"]] == [str(each) for each in children]


def test_all_of_a_job_is_shown(api: AtApi) -> None:
    """Its attempts, too; a batch has no such page."""
    root = api.tree("exit 3")
    api.run(root, Status.FAILED, error="code 3", exit_code=3, reason="exit_code")
    found = api.person.get(f"/jobs/{root}").json()
    assert (found["request"], found["status"], found["reason"], found["kind"]) == (
        "exit 3", "failed", "exit_code", "command"
    )  # fmt: skip
    assert [(each["number"], each["exit_code"], each["outcome"]) for each in found["attempt_list"]] == [
        (1, 3, "failed")
    ]
    problem(api.person.get("/jobs/1-1"), 404, "not_found")


def test_a_job_is_cancelled_once(api: AtApi) -> None:
    """With all below it; what runs is asked to stop."""
    root, (first, _) = api.group("a", "b")
    api.start(first)
    assert api.person.post(f"/jobs/{root}/cancel").json() == {"job_id": "1", "ended": 1, "stopping": 1}
    other = api.tree()
    assert api.person.post(f"/jobs/{other}/cancel").json()["ended"] == 1
    problem(api.person.post(f"/jobs/{other}/cancel"), 409, "not_now")


def test_what_failed_is_tried_again(api: AtApi) -> None:
    """What succeeded is not; with a body or without."""
    root, (good, bad) = api.group("a", "b")
    api.run(good)
    api.run(bad, Status.FAILED)
    assert api.person.post(f"/jobs/{root}/retry").json() == {"job_id": "1", "queued": [str(bad)]}
    api.run(bad, Status.FAILED)
    assert api.person.post(f"/jobs/{bad}/retry", json={"fresh": True}).json()["queued"] == [str(bad)]
    problem(api.person.post(f"/jobs/{bad}/retry"), 409, "not_now")
    problem(api.person.post(f"/jobs/{bad}/retry", json={"fresh": "yes"}), 422, "wrong_form")


def test_a_tree_and_the_store_are_paused(api: AtApi) -> None:
    """By any job of the tree; once is enough."""
    root, (child,) = api.group("a", "b")[0], [2]
    assert api.person.post(f"/jobs/{child}/pause").json() == {"root_id": str(root), "paused": True, "changed": True}
    assert api.person.post(f"/jobs/{root}/pause").json()["changed"] is False
    assert api.person.get(f"/jobs/{root}/limits").json()["paused_ms"] is not None
    assert api.person.post(f"/jobs/{root}/resume").json() == {"root_id": str(root), "paused": False, "changed": True}
    assert api.person.post("/pause").json() == {"root_id": None, "paused": True, "changed": True}
    assert api.person.get("/state").json()["paused_ms"] is not None
    assert api.person.post("/resume").json()["changed"] is True
    assert api.person.get("/state").json()["paused_ms"] is None


def test_limits_are_shown_and_changed(api: AtApi) -> None:
    """What is left out stays; a value out of range changes nothing."""
    root, children = api.group("a", "b", max_workers=2)
    fence, _ = api.start(children[0])
    found = api.person.get(f"/jobs/{children[0]}/limits").json()
    assert (found["root_id"], found["limits"]["max_workers"]) == (str(root), 2)
    assert found["used"] == {"jobs": 3, "deepest": 1, "most_children": 2, "running": 1, "spent_usd": 0.0}
    changed = api.person.patch(f"/jobs/{root}/limits", json={"max_workers": 7, "timeouts_s": [60.0, 30.0]}).json()
    assert (changed["limits"]["max_workers"], changed["limits"]["timeouts_s"]) == (7, [60.0, 30.0])
    problem(api.person.patch(f"/jobs/{root}/limits", json={"max_depth": 6}), 422, "wrong_form")
    problem(api.person.patch(f"/jobs/{root}/limits", json={"max_workers": 900}), 400, "bad_input")
    assert api.person.get(f"/jobs/{root}/limits").json()["limits"] == changed["limits"]
    assert fence.attempt == 1


def test_permissions_are_changed(api: AtApi) -> None:
    """For the tree; a rule that is none is refused."""
    root = api.tree()
    changed = api.person.patch(f"/jobs/{root}/permissions", json={"permission_mode": "plan", "allowed_tools": ["Read"]})
    assert (changed.json()["permission_mode"], changed.json()["allowed_tools"]) == ("plan", ["Read"])
    problem(api.person.patch(f"/jobs/{root}/permissions", json={"allowed_tools": ["a b c"]}), 400, "bad_input")
    problem(api.person.patch(f"/jobs/{root}/permissions", json={"permission_mode": "all"}), 422, "wrong_form")


def test_a_question_is_answered_once(api: AtApi) -> None:
    """From any depth, with its path; a second answer is refused and changes nothing."""
    outer, _ = api.start(api.tree())
    (child,) = api.spawn(outer, "inner")
    inner, _ = api.start(child)
    ask = api.ask(inner, options=("red", "blue"))
    (found,) = api.person.get("/asks").json()["asks"]
    assert (found["ask_id"], found["job_id"], found["path"], found["options"]) == (
        ask,
        "2",
        ["1", "2"],
        ["red", "blue"],
    )
    assert api.person.get("/asks", params={"job_id": "1"}).json()["asks"] == [found]
    assert api.person.get("/asks", params={"job_id": str(api.tree("other"))}).json()["asks"] == []
    problem(api.person.post(f"/asks/{ask}/answer", json={"answer": "answered"}), 400, "bad_input")
    told = api.person.post(f"/asks/{ask}/answer", json={"answer": "answered", "text": "red"}).json()
    assert (told["answer"], told["text"]) == ("answered", "red")
    problem(api.person.post(f"/asks/{ask}/answer", json={"answer": "deny"}), 409, "not_now")
    assert api.person.get(f"/asks/{ask}").json()["text"] == "red"
    assert api.person.get("/asks").json()["asks"] == []
    problem(api.person.get("/asks/99"), 404, "not_found")
    problem(api.person.post("/asks/x/answer", json={"answer": "deny"}), 404, "not_found")


def test_an_answer_for_the_tree_is_a_rule(api: AtApi) -> None:
    """It is listed, answers what it covers, and holds until it is removed."""
    fence, _ = api.start(api.tree("top", Kind.CLAUDE))
    told = {"kind": "permission", "question": "may I?", "tool": "Bash"}
    first = api.ask(fence, input={"command": "git log"}, **told)
    second = api.ask(fence, input={"command": "git log -3"}, **told)
    body = {"answer": "allow", "scope": "tree", "rules": ["Bash(git log:*)"]}
    rule_id = api.person.post(f"/asks/{first}/answer", json=body).json()["rule_id"]
    assert api.person.get(f"/asks/{second}").json()["rule_id"] == rule_id
    (rule,) = api.person.get("/rules").json()["rules"]
    assert (rule["rule_id"], rule["job_id"], rule["verdict"], rule["rule"]) == (
        rule_id,
        "1",
        "allow",
        "Bash(git log:*)",
    )
    assert api.person.delete(f"/rules/{rule_id}").json()["removed_ms"] is not None
    problem(api.person.delete(f"/rules/{rule_id}"), 404, "not_found")
    assert api.person.get("/rules").json()["rules"] == []


def test_a_rule_is_made_without_an_ask(api: AtApi) -> None:
    """And answers the open asks that it covers; for a job it is found from below."""
    fence, _ = api.start(api.tree("top", Kind.CLAUDE))
    ask = api.ask(fence, kind="permission", question="may I?", tool="Read", input={"file_path": "/a"})
    (child,) = api.spawn(fence, "inner")
    made = api.person.post("/rules", json={"job_id": "1", "verdict": "deny", "rule": "Read", "text": "not that"}).json()
    assert api.person.get(f"/asks/{ask}").json()["answer"] == "deny"
    assert api.person.get("/rules", params={"job_id": str(child)}).json()["rules"] == [made]
    problem(api.person.post("/rules", json={"job_id": "1", "verdict": "deny", "rule": "no rule"}), 400, "bad_input")
    problem(api.person.post("/rules", json={"job_id": "9", "verdict": "deny", "rule": "Read"}), 404, "not_found")
    problem(api.person.post("/rules", json={"job_id": 1, "verdict": "deny", "rule": "Read"}), 422, "wrong_form")


def test_logs_are_read_in_pieces(api: AtApi) -> None:
    """A character that a piece would cut in two comes whole with the next; a running attempt's file grows."""
    root = api.tree()
    fence, worker = api.worker(root)
    path = private_dir(api.store.home.attempt_dir(root, 1)) / "output"
    assert worker.get(f"/jobs/{root}/logs").json()["text"] == "", "not there yet"
    whole = "日本語\nend".encode()
    path.write_bytes(whole[:4])
    first = worker.get(f"/jobs/{root}/logs").json()
    assert (first["text"], first["next_offset"], first["size"]) == ("日", 3, 4)
    path.write_bytes(whole)
    second = worker.get(f"/jobs/{root}/logs", params={"offset": 3, "limit": 4}).json()
    assert (second["text"], second["next_offset"], second["stream"]) == ("本", 6, "output")
    api.finish(fence)
    path.write_bytes(whole[:-4] + b"\xe6")
    last = api.person.get(f"/jobs/{root}/logs", params={"offset": 6}).json()
    assert (last["text"], last["next_offset"]) == ("語\ufffd", last["size"])


def test_only_a_plain_file_is_a_log(api: AtApi) -> None:
    """A worker may have put a link in its place."""
    root = api.tree()
    api.run(root)
    folder = private_dir(api.store.home.attempt_dir(root, 1))
    (folder / "output").symlink_to("/etc/passwd")
    problem(api.person.get(f"/jobs/{root}/logs"), 404, "not_found")
    (folder / "worker.log").write_text("started")
    assert api.person.get(f"/jobs/{root}/logs", params={"stream": "worker"}).json()["text"] == "started"
    assert api.person.get(f"/jobs/{root}/logs", params={"stream": "transcript"}).json()["size"] == 0


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"attempt": 2}, 404, "not_found"),
        ({"attempt": 0}, 422, "wrong_form"),
        ({"stream": "../../orch.db"}, 422, "wrong_form"),
        ({"offset": -1}, 422, "wrong_form"),
        ({"limit": 10**9}, 422, "wrong_form"),
    ],
)
def test_a_wrong_piece_of_a_log(api: AtApi, params: dict[str, object], status: int, code: str) -> None:
    """Bounded, and only of attempts that were."""
    root = api.tree()
    api.run(root)
    problem(api.person.get(f"/jobs/{root}/logs", params=params), status, code)  # type: ignore[arg-type]


def test_a_group_has_no_log(api: AtApi) -> None:
    """It has no process."""
    root, _ = api.group("a", "b")
    problem(api.person.get(f"/jobs/{root}/logs"), 404, "not_found")


def test_the_store_at_a_glance(api: AtApi) -> None:
    """Counts, slots and what holds it up."""
    api.start(api.tree())
    state = api.person.get("/state").json()
    assert (state["counts"]["running"], state["using_slots"], state["slots"]) == (1, 1, 10)
    assert (state["open_asks"], state["brake_reason"]) == (0, None)
