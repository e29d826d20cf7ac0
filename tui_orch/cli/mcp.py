"""``orch mcp``: the job tree for a person's own Claude Code, over MCP on standard input and output."""

import os
import signal
import sys
from pathlib import Path

import click

from store.home import Home
from tui_orch.cli.exits import COMPLETED, tell
from tui_orch.cli.place import Place
from tui_orch.cli.supervised import SupervisorError, ensure
from tui_orch.supervisor.ownership import holder


@click.command("mcp")
@click.pass_obj
def command(place: Place) -> int:
    """Serve MCP on standard input and output.

    With it a Claude Code session of your own hands in trees, watches them and answers what they ask. Add it with:

        claude mcp add orch -- orch mcp
    """
    from tui_orch.mcp_server.desk import Ways  # noqa: PLC0415 - takes longer than all other commands
    from tui_orch.mcp_server.server import serve  # noqa: PLC0415

    if sys.stdin.isatty():
        tell("this speaks MCP on stdin, for Claude Code; add it there with: claude mcp add orch -- orch mcp")
    # A thread waits for the next line and can not be interrupted; every write is a transaction, so ending at once is safe.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    serve(
        Ways(
            home=place.home,
            future_home=place.future_home,
            supervise=_supervise,
            is_supervised=lambda home: holder(home) is not None,
            environ=dict(os.environ),
            folder=Path.cwd(),
        )
    )
    return COMPLETED


def _supervise(home: Home) -> str | None:
    try:
        ensure(home)
    except (SupervisorError, OSError) as error:
        return str(error)
    return None
