"""Handing work in: trees of a person, children of a job, and what is refused without a trace."""

import os
from typing import Any

import pytest
from mcp_bench import Bench

from store.needs import Needs
from store.rules import add_rule
from store.states import Kind, Status
from store.tree import get_tree
from tui_orch.supervisor.ownership import holder


async def test_a_request_becomes_a_tree_that_runs_to_its_end_and_comes_back(bench: Bench) -> None:
    """No store before, no supervisor before: both are made, each item of the list is a job, and its words come back."""
    request = "All of it:\n1. `echo one`\n2. `echo two; exit 3`\n3. `echo three`"
    config = {"kind": "command", "max_workers": 2, "max_attempts": 1, "title": "three lines"}
    async with bench.serving() as orch:
        assert "no store" in await orch.refused("list_jobs")
        assert not bench.home.root.exists()
        made = await orch.data("submit_request", request=request, config=config)
        assert made["job_ids"] == [2, 3, 4]
        assert "Tree #1 is handed in with 3 parts, #2, #3, #4" in made["message"]
        assert holder(bench.home) is not None
        found: dict[str, Any] = {"ended": False}
        while not found["ended"]:
            found = await orch.data("wait_for_job", job_id=made["job_id"], timeout_s=20)
        assert (found["status"], found["reason"]) == ("partial", "children_failed")
        assert (found["jobs"]["total"], found["jobs"]["completed"], found["jobs"]["failed"]) == (4, 2, 1)
        said = await orch.text("job_results", job_id=1)
    assert "Job #1 is partial (children_failed)" in said
    for words in ("one", "two", "three", "#3 command failed (exit_code)"):
        assert words in said
    root = bench.job(1)
    assert (root.title, root.kind, root.status) == ("three lines", Kind.GROUP, Status.PARTIAL)
    with bench.store.read() as reader:
        tree = get_tree(reader, 1)
    assert (tree.max_workers, tree.work_dir) == (2, str(bench.project))


async def test_the_umask_of_who_starts_it_reaches_the_workers(bench: Bench) -> None:
    """Opening the store changes it for a moment; calls at once must not let that leak into what workers write."""
    async with bench.serving() as orch:
        before = os.umask(0o022)
        os.umask(before)
        made = await orch.data("spawn_subtasks", tasks=[{"request": "umask", "kind": "command"}])
        await orch.data("wait_for_job", job_id=made["job_id"], timeout_s=40)
        assert f"{before:04o}" in await orch.text("job_results", job_id=made["job_id"])


async def test_a_list_of_tasks_becomes_a_group(bench: Bench) -> None:
    """Strings and objects, each one job, below a root that only holds them together."""
    bench.hold()
    tasks = [
        "Write the server.\nWith tests.",
        {
            "request": "make docs",
            "kind": "command",
            "title": "the docs",
            "timeout_s": 30,
            "model": "small",
            "needs": {"cpus": 2},
        },
    ]
    config = {"budget_usd": 1.5, "priority": 3, "max_depth": 1, "needs": {"memory_mb": 500}}
    async with bench.serving() as orch:
        made = await orch.data("spawn_subtasks", tasks=tasks, config=config)
    root, server, docs = bench.jobs(int(made["job_id"]))
    assert (root.kind, root.title, root.status, root.priority) == (Kind.GROUP, "2 subtasks", Status.WAITING, 3)
    assert root.request == "1. Write the server.\n2. the docs"
    assert (server.kind, server.request, server.title) == (Kind.CLAUDE, tasks[0], "Write the server.")
    assert (docs.kind, docs.title, docs.timeout_s, docs.model) == (Kind.COMMAND, "the docs", 30.0, "small")
    with bench.store.read() as reader:
        tree = get_tree(reader, root.id)
    assert (tree.budget_usd, tree.max_depth, tree.permission_mode) == (1.5, 1, "acceptEdits")
    assert (tree.needs, bench.job(3).needs) == (Needs(memory_mb=500), Needs(cpus=2.0))


async def test_inside_a_job_tasks_are_its_children(bench: Bench) -> None:
    """Depth and parent come from the token; the id is that of the batch, which can be asked for like a job."""
    bench.hold()
    fence = bench.start(bench.tree(kind=Kind.COMMAND))
    async with bench.serving(env=bench.worker(fence)) as orch:
        made = await orch.data("spawn_subtasks", tasks=[{"request": "echo a", "kind": "command"}, "think"])
        assert (made["job_id"], made["job_ids"]) == ("1-1", [2, 3])
        assert [bench.job(job_id).depth for job_id in (2, 3)] == [1, 1]
        bench.run(2, result="a")
        assert "Batch 1-1 is running" in await orch.text("subtask_status", job_id="1-1")
        bench.run(3, Status.FAILED, error="no idea")
        assert (await orch.data("wait_for_job", job_id="1-1"))["status"] == "partial"
        said = await orch.text("job_results", job_id="1-1")
        assert "no idea" in said
        assert "is for a person" in await orch.refused("submit_request", request="a tree of my own")
        assert "leave config out" in await orch.refused("spawn_subtasks", tasks=["x"], config={"max_depth": 5})
    bench.finish(fence)
    async with bench.serving(env=bench.worker(fence)) as orch:
        assert "over" in await orch.refused("spawn_subtasks", tasks=["too late"])
    assert holder(bench.home) is None
    assert bench.count() == 3


async def test_the_limits_of_the_tree_hold_and_are_named(bench: Bench) -> None:
    """All of a call or nothing."""
    bench.hold()
    fence = bench.start(bench.tree(max_depth=1, max_children=2))
    async with bench.serving(env=bench.worker(fence)) as orch:
        refusal = await orch.refused("spawn_subtasks", tasks=["a", "b", "c"])
        assert refusal.startswith("Refused: max_children")
    async with bench.serving() as orch:
        assert "max_depth" in await orch.refused("spawn_subtasks", tasks=["a"], config={"max_depth": 0})
        assert "NUL byte" in await orch.refused("spawn_subtasks", tasks=["good", "x\0"])
    assert bench.count() == 1


async def test_shell_lines_of_a_claude_worker_need_a_rule(bench: Bench) -> None:
    """A command runs without Claude Code's permission rules, so it must not be a way around them."""
    bench.hold()
    fence = bench.start(bench.tree())
    line = {"request": "git log --oneline", "kind": "command"}
    async with bench.serving(env=bench.worker(fence)) as orch:
        assert "no rule lets job #1" in await orch.refused("spawn_subtasks", tasks=[line])
        with bench.store.write() as tx:
            add_rule(tx, 1, "allow", "Bash(git log:*)", 0)
        await orch.data("spawn_subtasks", tasks=[line])
        more = {"request": "git log; rm -rf .", "kind": "command"}
        assert "no rule lets job #1" in await orch.refused("spawn_subtasks", tasks=[line, more])
    assert bench.count() == 2


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("submit_request", {}, "submit_request needs request"),
    ("submit_request", {"request": None}, "submit_request needs request"),
    ("submit_request", {"request": " \n"}, "request is ' \\n'; it must be a text that is not empty"),
    ("submit_request", {"request": 12}, "request is 12; it must be a text"),
    ("submit_request", {"request": "x\0y"}, "NUL byte"),
    ("submit_request", {"request": "x" * 300_000}, "too large"),
    ("submit_request", {"request": "x", "config": "fast"}, "config is 'fast'; it must be an object"),
    ("submit_request", {"request": "x", "config": {"max_workrs": 2}}, "did you mean max_workers?"),
    ("submit_request", {"request": "x", "config": {"max_depth": 6}}, "max_depth must be a whole number from 0 to 5"),
    ("submit_request", {"request": "x", "config": {"kind": "group"}}, "needs one list"),
    ("submit_request", {"request": "x", "config": {"work_dir": "not/there"}}, "is no folder"),
    ("submit_request", {"request": "x", "wait": True}, "has no argument 'wait'; it takes: request, config"),
    ("submit_request", {"request": "---\nmax_depth: [\n---\nx"}, "request:"),
    ("spawn_subtasks", {}, "tasks is missing"),
    ("spawn_subtasks", {"tasks": []}, "empty list"),
    ("spawn_subtasks", {"tasks": "do it"}, "tasks is a text"),
    ("spawn_subtasks", {"tasks": [{"request": "x", "kind": "group"}]}, "tasks[0].kind is 'group'"),
    ("spawn_subtasks", {"tasks": [{"prompt": "x"}]}, "unknown key 'prompt'"),
    ("spawn_subtasks", {"tasks": ["x"], "config": {"kind": "command"}}, "takes no kind"),
]


@pytest.mark.parametrize("there", [False, True])
async def test_bad_input_is_one_clear_line_and_leaves_nothing(bench: Bench, there: bool) -> None:
    """Neither a job nor, where there was none, a store."""
    if there:
        bench.hold()
    async with bench.serving() as orch:
        said = [(await orch.refused(tool, **arguments), wanted) for tool, arguments, wanted in BAD]
    assert [(refusal, wanted) for refusal, wanted in said if wanted not in refusal] == []
    assert all(refusal.startswith(("Not done: ", "Refused: ")) for refusal, _ in said)
    assert (bench.count() if there else bench.home.database.exists()) == 0
    assert bench.log() == ""


async def test_a_store_that_can_not_be_used_is_told(bench: Bench) -> None:
    """Others may read it: refused, with what to do."""
    bench.hold()
    bench.home.root.chmod(0o755)
    async with bench.serving() as orch:
        assert "chmod 700" in await orch.refused("submit_request", request="x")
        assert "chmod 700" in await orch.refused("list_jobs")
    bench.home.root.chmod(0o700)


async def test_a_tree_without_a_supervisor_is_told_as_stored(bench: Bench) -> None:
    """It is no failed call, which would be tried again and make a second tree."""
    bench.hold()
    bench.home.supervisor_log.mkdir()  # so that none can start
    async with bench.serving() as orch:
        found = await orch.data("submit_request", request="x")
        assert "Tree #1 is stored, do not hand it in again; but it does not run" in found["message"]
        await orch.data("cancel_job", job_id=1)
        assert "But nothing runs" in (await orch.data("retry_job", job_id=1))["message"]
    assert bench.count() == 1
