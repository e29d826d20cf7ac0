"""Real Claude Code workers in a storm: a tree of them against the scripted model, with a turn that takes its time."""

from pathlib import Path

from store.models import Limits, NewJob, NewTree
from store.states import Kind
from tui_orch.demo.script import Role, Script, ToolCall, Turn

#: Seconds between two such trees: each process takes seconds to start and 200 MB and more.
EVERY_S = 15.0


def _report(summary: str) -> tuple[Turn, Turn]:
    call = ToolCall("mcp__orch__report_result", {"summary": summary, "success": True})
    return Turn("I report.", (call,), delay_s=0.5), Turn(summary)


_SPLIT = Turn("I split it.", (ToolCall("mcp__orch__spawn_subtasks", {"tasks": ["LEAF a", "LEAF b"], "wait": True}),))
SCRIPT = Script((Role(r"^LEAF", _report("leaf")), Role(r"^ROOT", (_SPLIT, *_report("root")))))


def tree(work_dir: Path) -> NewTree:
    """Return one worker that splits into two and goes on when both have ended."""
    limits = Limits(max_workers=2, max_attempts=8)
    return NewTree(NewJob("ROOT of it", Kind.CLAUDE), limits=limits, work_dir=str(work_dir))
