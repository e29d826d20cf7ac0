"""How long Claude Code takes to its first request to the model: started by hand, and as a worker of tui-orch, in turns.

    python benchmarks/peers/claude_start.py COUNT FOLDER

prints one line of JSON. The real CLI, the one that the SDK carries, in both; the scripted model of the demo on loopback; a
made-up key.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import claude_agent_sdk
from store.models import NewJob
from store.states import FINAL, Kind, Status
from tui_orch.demo.conversation import Conversation
from tui_orch.demo.model import ScriptedModel
from tui_orch.demo.script import Role, Script, Turn
from tui_orch.demo.wire import Exchange

from with_tui_orch import TuiOrch

CLI = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
REQUEST = "Say that you are there, and nothing else."
LIMIT_S = 60.0


class _Listening(ScriptedModel):
    """Notes when it was asked."""

    def __init__(self) -> None:
        self.asked_ns: list[int] = []
        super().__init__(Script((Role(".", (Turn("I am there."),)),)))

    def converse(self, said: Conversation, exchange: Exchange) -> None:
        self.asked_ns.append(time.time_ns())
        super().converse(said, exchange)


def main() -> None:
    """Start each COUNT times, in turns, after one start of each that is not counted."""
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    said = subprocess.run([str(CLI), "--version"], capture_output=True, text=True, check=True).stdout
    bare_ms, worker_ms = [], []
    model = _Listening()
    with model:
        # The supervisor, and so its workers, and the bare one get it from us.
        os.environ |= {
            "HOME": str(folder),
            "CLAUDE_CONFIG_DIR": str(folder / "claude"),
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": "made-up",
            "CLAUDE_CODE_MAX_RETRIES": "0",
        }
        ours = TuiOrch()
        with ours.at_work(folder, 2):
            for _ in range(count + 1):
                bare_ms.append(_to_first_request(model, lambda: _bare(folder)))
                worker_ms.append(_to_first_request(model, lambda: _worker(ours)))
    print(json.dumps({"version": said.split()[0], "bare_ms": bare_ms[1:], "worker_ms": worker_ms[1:]}))


def _to_first_request(model: _Listening, start: Callable[[], int]) -> float:
    model.asked_ns.clear()
    begin_ns = start()
    return (model.asked_ns[0] - begin_ns) / 1e6


def _bare(folder: Path) -> int:
    begin_ns = time.time_ns()
    argv = [str(CLI), "-p", REQUEST]
    subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=LIMIT_S)
    return begin_ns


def _worker(ours: TuiOrch) -> int:
    job_id = ours.submit(NewJob(REQUEST, Kind.CLAUDE))
    committed_ns = time.time_ns()
    job = ours.until(job_id, FINAL)
    assert job.status is Status.COMPLETED, job
    return committed_ns


if __name__ == "__main__":
    main()
