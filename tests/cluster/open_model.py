"""The scripted model at an address of a host, for workers on other hosts; by itself it listens on loopback only.

Beside it the turns that most scripts are made of.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.at_head import AtHead
from tui_orch.demo import model as scripted_model
from tui_orch.demo.model import ScriptedModel
from tui_orch.demo.script import Script, ToolCall, Turn
from tui_orch.demo.wire import LoopbackServer


def spawn(*tasks: str) -> Turn:
    return Turn("I split it.", (ToolCall("mcp__orch__spawn_subtasks", {"tasks": list(tasks), "wait": True}),))


def report(summary: str) -> tuple[Turn, Turn]:
    return Turn("I report.", (ToolCall("mcp__orch__report_result", {"summary": summary}),)), Turn(summary)


@contextmanager
def model_at_head(far: AtHead, script: Script) -> Iterator[ScriptedModel]:
    """Play a script to all workers of a store. Its process is this one; its socket is the head's."""

    class OpenServer(LoopbackServer):
        def server_bind(self) -> None:
            self.server_address = (far.head.address, 0)
            super().server_bind()

        @property
        def url(self) -> str:
            return f"http://{far.head.address}:{self.server_address[1]}"

    with pytest.MonkeyPatch.context() as patch, far.head.network():
        patch.setattr(scripted_model, "LoopbackServer", OpenServer)
        model = ScriptedModel(script)
    with model:
        far.env |= {
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": "made-up",
            "CLAUDE_CODE_MAX_RETRIES": "0",
        }
        yield model
