"""Help and spawn start fast: fresh processes show what they load."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from at_orch import PROGRAM, AtOrch

HEAVY = {"textual", "fastapi", "claude_agent_sdk", "mcp", "asyncio", "pydantic", "yaml", "watchfiles", "psutil"}
_SCRIPT = """
import json, sys
from tui_orch.cli.main import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]))
"""


@pytest.mark.parametrize("arguments", [["--help"], ["spawn", "a part"], ["run", "--help"], ["tree"], ["wait", "2"]])
def test_a_command_loads_nothing_heavy(orch: AtOrch, arguments: list[str]) -> None:
    """No screen, no server, no SDK, no event loop, no validation library; of rich only the widths of characters."""
    fence = orch.start(orch.tree())
    orch.run(*orch.spawn(fence, "true"))
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *arguments],
        capture_output=True,
        text=True,
        env=orch.worker(fence),
        cwd=orch.project,
        check=True,
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    assert not {name.partition(".")[0] for name in modules} & HEAVY
    assert "rich.console" not in modules


def test_the_help_names_every_verb(orch: AtOrch) -> None:
    """In the order in which a person meets them."""
    done = orch("--help")
    assert done.code == 0
    verbs = (
        "run submit spawn wait list tree show result logs asks answer rules cancel retry limits pause resume settings"
    )
    listed = [line.split()[0] for line in done.out.partition("Commands:")[2].splitlines() if line.strip()]
    assert [verb for verb in listed if verb in verbs.split()] == verbs.split()
    assert {"supervise", "up", "down", "status", "doctor", "demo"} < set(listed)
    assert "..." not in done.out.partition("Commands:")[2], "no verb's one line is cut"


def test_the_version_is_told(orch: AtOrch) -> None:
    """By both names of the program."""
    assert orch("--version").out.startswith("orch 0.")
    done = subprocess.run(
        [str(Path(PROGRAM).with_name("tui-orch")), "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == orch("--version").out


def test_whoever_stops_reading_ends_the_command_quietly(orch: AtOrch) -> None:
    """As with ``orch list | head -1``: no traceback."""
    for _ in range(30):
        orch.tree("x" * 2_000)
    with orch.start_process("list", "--json", "--limit", "30") as listing:
        assert listing.stdout is not None
        assert listing.stdout.readline() == "[\n"
        listing.stdout.close()
        assert listing.wait(20) == 1
        assert listing.stderr is not None
        assert listing.stderr.read() == ""


def test_a_terminal_without_unicode_is_no_error(orch: AtOrch) -> None:
    """What it can not show is written as an escape."""
    orch.tree("日本語")
    done = orch.process("tree", env={"PYTHONIOENCODING": "ascii"})
    assert done.code == 0
    assert "\\u65e5" in done.out
