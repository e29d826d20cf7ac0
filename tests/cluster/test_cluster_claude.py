"""Trees of real Claude Code workers on the nodes of a real cluster, against the scripted model at the head."""

from collections import Counter

import pytest

from store.models import NewJob
from store.states import Kind, Status
from tests.cluster.at_head import AtHead, on
from tests.cluster.figures import note
from tests.cluster.open_model import model_at_head, report, spawn
from tui_orch.demo.script import Role, Script, Turn

pytestmark = pytest.mark.real_cli

THREE_LEVELS = Script(
    (
        Role(r"^LEAF-A", report("leaf a")),
        Role(r"^LEAF-B", report("leaf b")),
        Role(r"^MIDDLE", (spawn("LEAF-A", "LEAF-B"), *report("middle"))),
        Role(r"^TOP", (spawn("MIDDLE"), *report("top"))),
    )
)


def test_a_tree_of_three_levels_of_claude_workers_ends_right(far: AtHead) -> None:
    """The key for the model comes from the head's environment; each turn is paid for once."""
    with model_at_head(far, THREE_LEVELS) as model:
        far.serve()
        root = far.group(NewJob("TOP of it all", Kind.CLAUDE))
        assert far.until_ended(root, 400.0).status is Status.COMPLETED, far.describe()
        paid = Counter((entry.prompt, entry.turn) for entry in model.entries() if entry.what == "answered")
    jobs = far.jobs(root)[1:]
    assert [(job.depth, job.status, job.result) for job in jobs] == [
        (1, Status.COMPLETED, "top"),
        (2, Status.COMPLETED, "middle"),
        (3, Status.COMPLETED, "leaf a"),
        (3, Status.COMPLETED, "leaf b"),
    ]
    assert set(paid.values()) == {1}, "a turn was paid for twice"
    lives = [attempt for job in jobs for attempt in far.attempts(job.id)]
    assert {life.host for life in lives} <= set(far.cluster.nodes)
    key = "made-up"
    assert not [path for path in far.home.root.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]
    ended, started = (max(life.ended_ms or 0 for life in lives), min(life.started_ms or 0 for life in lives))
    note(far.cluster.kind, claude_tree_s=round((ended - started) / 1000, 1), claude_tree_attempts=len(lives))
    far.until_nothing_is_left()


def test_a_conversation_goes_on_at_another_node(far: AtHead) -> None:
    """The node on which it began dies while it waits for a child; each node has a home of its own, so the head kept it."""
    script = Script(
        (
            Role(r"^LEAF", (Turn("I wait.", hold=str(far.project / "go")), *report("leaf"))),
            Role(r"^TOP", (spawn("LEAF"), *report("top"))),
        )
    )
    with model_at_head(far, script):
        far.serve()
        root = far.group(NewJob("TOP", Kind.CLAUDE))
        top = far.jobs(root)[1].id
        far.wait_for(lambda: far.job(top).status is Status.WAITING, "its child", 120.0)
        (first,) = far.attempts(top)
        assert first.host is not None
        far.cluster.hosts[first.host].kill()
        (far.project / "go").touch()
        assert far.until_ended(root, 400.0).status is Status.COMPLETED, far.describe()
    lives = far.attempts(top)
    (other,) = (name for name in far.cluster.nodes if name != first.host)
    assert far.job(top).result == "top"
    assert [life.host for life in lives][-1] == other
    assert len({life.session_id for life in lives if life.session_id}) == 1
    far.until_nothing_is_left()


def test_a_claude_worker_that_is_cancelled_leaves_nothing(far: AtHead) -> None:
    """Claude Code starts processes of its own; they end with it."""
    busy = Script((Role(r"^BUSY", (Turn("never", hold=str(far.project / "go")), *report("never"))),))
    with model_at_head(far, busy) as model:
        far.serve()
        root = far.group(NewJob("BUSY", Kind.CLAUDE, needs=on("n2")))
        far.wait_for(lambda: any(entry.what == "held" for entry in model.entries()), "its first turn", 120.0)
        far.orch("cancel", str(root), "--yes")
        assert far.until_ended(root, 60.0).status is Status.CANCELLED
        far.until_nothing_is_left()
