"""Imports run one way, and what must start fast imports little: each looked at in a fresh process."""

import json
import subprocess
import sys

import pytest

HEAVY = ("textual", "fastapi", "claude_agent_sdk", "mcp", "rich", "watchfiles", "pydantic", "asyncio", "psutil", "yaml")


def imported_by(code: str) -> set[str]:
    """Return the top-level packages that are loaded after running ``code`` in a process of its own."""
    script = f"import json, sys\n{code}\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("module", "may"),
    [
        ("store.submit", set()),
        ("store.control", set()),
        ("store.queue", set()),
        ("tui_orch.client.poll", set()),
        ("tui_orch.client.caller", set()),
        ("tui_orch.cli.main", {"rich"}),  # rich.cells alone, 2 ms: how wide a character is
        ("tui_orch.worker.command", set()),
        ("tui_orch.worker.attempt", set()),
        ("tui_orch.request.compose", {"pydantic", "yaml"}),
        ("tui_orch.supervisor.plan", set()),
        ("tui_orch.supervisor.loop", {"asyncio", "watchfiles", "psutil", "pydantic", "yaml"}),
    ],
)
def test_a_module_loads_no_more_than_it_may(module: str, may: set[str]) -> None:
    """The light ones stay light: help, spawn, a command's worker, every function of the store."""
    assert imported_by(f"import {module}") & set(HEAVY) <= may


def test_the_command_line_starts_without_a_console() -> None:
    """Of rich, only the widths of characters are loaded."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys, tui_orch.cli.main\nprint('rich.console' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"


def test_the_store_knows_nothing_of_the_product() -> None:
    """And opens the database with one SQLite library only."""
    code = "import pkgutil, store\nfor m in pkgutil.iter_modules(store.__path__): __import__('store.' + m.name)"
    loaded = imported_by(code)
    assert "tui_orch" not in loaded
    assert "sqlite3" not in loaded
    assert "apsw" in loaded


@pytest.mark.parametrize("module", ["tui_orch.cli.main", "tui_orch.supervisor.main", "tui_orch.worker.attempt"])
def test_no_process_of_ours_loads_a_second_sqlite_library(module: str) -> None:
    """Two in one process would undo each other's locks on the file."""
    assert "sqlite3" not in imported_by(f"import {module}")
