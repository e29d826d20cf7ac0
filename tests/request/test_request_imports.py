"""Reading a request stays light: it starts in front of every command."""

import subprocess
import sys

HEAVY = ["asyncio", "rich", "typer", "textual", "fastapi", "claude_agent_sdk", "apsw", "sqlite3"]


def test_the_request_package_imports_nothing_heavy() -> None:
    program = (
        "import sys, tui_orch.request.compose, tui_orch.request.document\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.strip() == "[]"
