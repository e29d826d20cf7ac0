"""A scripted model beside a store at work, and the turns that most scripts are made of."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from at_work import AtWork

from tui_orch.demo.model import ScriptedModel
from tui_orch.demo.script import Script, ToolCall, Turn


def spawn(*tasks: str) -> Turn:
    return Turn("I split it.", (ToolCall("mcp__orch__spawn_subtasks", {"tasks": list(tasks), "wait": True}),))


def report(summary: str, *, success: bool = True) -> tuple[Turn, Turn]:
    call = ToolCall("mcp__orch__report_result", {"summary": summary, "success": success})
    return Turn("I report.", (call,)), Turn(summary)


@contextmanager
def scripted(work: AtWork, script: Script) -> Iterator[ScriptedModel]:
    """Let the workers of this store talk to the script."""
    with ScriptedModel(script) as model:
        work.env |= {
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": "made-up",
            "CLAUDE_CONFIG_DIR": str(Path(work.env["HOME"]) / "claude"),
            "CLAUDE_CODE_MAX_RETRIES": "0",
        }
        yield model
