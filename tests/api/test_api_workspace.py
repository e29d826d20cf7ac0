"""Worktrees over HTTP: chosen when a tree is handed in, told in notes, and seen in its results."""

from pathlib import Path

from at_api import AtApi, problem

from store import workspaces
from store.states import Kind, Status
from store.tree import get_job, get_tree
from tests.repository import git, repository
from tui_orch.client.measures import now_ms
from tui_orch.workspace.of_job import plot_of
from tui_orch.workspace.worktree import make


def hand_in(api: AtApi, **config: object) -> dict[str, object]:
    body = {"request": "do it", "config": {"kind": "command", **config}}
    answer = api.person.post("/orchestrate", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_tree_in_a_repository_has_worktrees_and_notes(api: AtApi, tmp_path: Path) -> None:
    base = repository(tmp_path)
    notes = hand_in(api)["notes"]
    assert isinstance(notes, list)
    assert "orch/1/..." in notes[0]
    assert hand_in(api, workspace="shared")["notes"] == []
    with api.store.read() as reader:
        first, second = get_tree(reader, 1), get_tree(reader, 2)
    assert (first.workspace, first.base_commit, second.workspace) == ("worktree", base, "shared")


def test_worktrees_that_can_not_be_are_refused(api: AtApi) -> None:
    body = {"request": "do it", "config": {"workspace": "worktree"}}
    found = problem(api.person.post("/orchestrate", json=body), 400, "bad_input")
    assert "git init" in found["detail"]
    assert api.count("jobs") == 0


def test_what_was_handed_in_is_found_again_where_worktrees_can_not_be_any_more(api: AtApi, tmp_path: Path) -> None:
    repository(tmp_path)
    body = {"request": "do it", "config": {"workspace": "worktree"}}
    sent = [api.person.post("/orchestrate", json=body, headers={"Idempotency-Key": "one"})]
    (tmp_path / ".git").rename(tmp_path / "was.git")
    sent.append(api.person.post("/orchestrate", json=body, headers={"Idempotency-Key": "one"}))
    assert [answer.json()["job_id"] for answer in sent] == ["1", "1"]
    assert sent[1].json()["notes"] == []
    problem(api.person.post("/orchestrate", json=body, headers={"Idempotency-Key": "two"}), 400, "bad_input")


def test_a_nested_call_begins_with_what_its_job_has_done_and_changes_no_workspace(api: AtApi, tmp_path: Path) -> None:
    base = repository(tmp_path)
    hand_in(api)
    fence, worker = api.worker(1)
    with api.store.read() as reader:
        job = get_job(reader, 1)
        plot = plot_of(api.store.home, job, get_tree(reader, 1))
    make(plot, base)
    (plot.folder / "half.txt").write_text("half\n")
    body = {"request": "a part", "config": {"kind": "command", "workspace": "shared"}}
    made = worker.post("/orchestrate", json=body).json()
    assert made["notes"] == ["workspace is the whole tree's and stays as it is: worktree"]
    assert git(tmp_path, "show", "orch/1/1:half.txt") == "half"
    tip = git(tmp_path, "rev-parse", "orch/1/1")
    with api.store.write() as tx:
        workspaces.note_made(tx, fence, base, 100, now_ms())
        workspaces.note_head(tx, fence, tip, (1, 1, 0), 100)
    api.run(2)
    assert api.finish(fence) is Status.COMPLETED
    found = api.person.get("/jobs/1/results").json()
    assert found["workspace"] == {
        "branch": "orch/1/1",
        "start_commit": base,
        "commit": tip,
        "files": 1,
        "insertions": 1,
        "deletions": 0,
        "merged": False,
        "conflict_with": None,
        "conflicts": [],
        "deleted": False,
    }
    assert found["results"][0]["workspace"] is None
    assert api.person.get("/jobs/1").json()["workspace"]["commit"] == tip


def test_the_trees_own_workspace_needs_no_note(api: AtApi) -> None:
    _, worker = api.worker(api.tree("do it", Kind.COMMAND))
    body = {"request": "a part", "config": {"kind": "command", "workspace": "shared"}}
    assert worker.post("/orchestrate", json=body).json()["notes"] == []
