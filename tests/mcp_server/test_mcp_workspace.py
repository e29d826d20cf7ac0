"""Worktrees through MCP: the same words, told in the message; children begin with what their job has done."""

from mcp_bench import Bench

from store.models import NewJob, NewTree
from store.states import Kind
from store.tree import get_job, get_tree
from tests.repository import git, repository
from tui_orch.workspace.choose import choose
from tui_orch.workspace.of_job import plot_of
from tui_orch.workspace.worktree import make


async def test_a_tree_in_a_repository_tells_where_its_work_goes(bench: Bench) -> None:
    bench.hold()
    base = repository(bench.project)
    async with bench.serving() as orch:
        made = await orch.data("submit_request", request="do it", config={"kind": "command"})
        assert "orch/1/..." in made["message"]
        tasks = [{"request": "true", "kind": "command"}]
        made = await orch.data("spawn_subtasks", tasks=tasks, config={"workspace": "shared"})
        assert "Note:" not in made["message"]
        made = await orch.data("spawn_subtasks", tasks=tasks)
        assert f"orch/{made['job_id']}/..." in made["message"]
    with bench.store.read() as reader:
        assert [get_tree(reader, root).workspace for root in (1, 2, 4)] == ["worktree", "shared", "worktree"]
        assert get_tree(reader, 1).base_commit == base


async def test_worktrees_that_can_not_be_are_refused_and_leave_no_store(bench: Bench) -> None:
    async with bench.serving() as orch:
        said = await orch.refused("submit_request", request="do it", config={"workspace": "worktree"})
    assert "git init" in said
    assert not bench.home.root.exists()


async def test_children_begin_with_what_their_job_has_done(bench: Bench) -> None:
    """And a workspace of their own is heard, but not made."""
    bench.hold()
    base = repository(bench.project)
    root = bench.submit(choose(NewTree(NewJob("do it", Kind.COMMAND), work_dir=str(bench.project)), None).new)
    fence = bench.start(root)
    with bench.store.read() as reader:
        plot = plot_of(bench.home, get_job(reader, root), get_tree(reader, root))
    make(plot, base)
    (plot.folder / "half.txt").write_text("half\n")
    async with bench.serving(env=bench.worker(fence)) as orch:
        tasks = [{"request": "true", "kind": "command"}]
        made = await orch.data("spawn_subtasks", tasks=tasks, config={"workspace": "shared"})
        assert "its workspace holds" in made["message"]
    assert git(bench.project, "show", f"orch/{root}/{root}:half.txt") == "half"
