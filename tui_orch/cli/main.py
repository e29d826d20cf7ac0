"""The command ``orch``: which verbs there are; each is in a file of its name beside this one.

Starts fast: nothing here, and nothing that a verb imports at its top, knows Textual, FastAPI, the Agent SDK, asyncio or
pydantic.
"""

import io
import sys
from collections.abc import Sequence

import click

from tui_orch.cli import (
    asks,
    backup,
    cancel,
    demo,
    diff,
    discard,
    doctor,
    estimate,
    gc,
    key,
    limits,
    listing,
    logs,
    mcp,
    merge,
    pause,
    result,
    retry,
    rules,
    serve,
    settings,
    show,
    simulate,
    spawn,
    status,
    submit,
    supervise,
    tree,
    wait,
    watch,
    worker,
)
from tui_orch.cli import (
    run as run_verb,
)
from tui_orch.cli.exits import BadUse, run_to_exit
from tui_orch.cli.place import Place

VERBS = (
    run_verb.command,
    submit.command,
    estimate.command,
    simulate.command,
    spawn.command,
    wait.command,
    listing.command,
    tree.command,
    show.command,
    result.command,
    diff.command,
    merge.command,
    discard.command,
    logs.command,
    asks.asks,
    asks.answer,
    rules.command,
    cancel.command,
    retry.command,
    limits.command,
    pause.pause,
    pause.resume,
    settings.command,
    supervise.supervise,
    supervise.up,
    supervise.down,
    serve.command,
    key.command,
    status.command,
    doctor.command,
    backup.command,
    gc.command,
    mcp.command,
    demo.command,
    worker.command,
)


class _InOrder(click.Group):
    """Lists its verbs in the order in which a person meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version  # noqa: PLC0415 - takes longer than most commands

        print(f"orch {version('tui-orch')}")
        ctx.exit()


@click.group(
    "orch",
    cls=_InOrder,
    commands={verb.name or "": verb for verb in VERBS},
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option("--home", metavar="DIR", help="The store's folder (default: $ORCH_HOME, or the nearest .orch upwards).")
@click.option("--url", metavar="URL", help=watch.URL_HELP)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Say the version."
)
@click.pass_context
def orch(ctx: click.Context, home: str | None, url: str | None) -> None:
    """Give a big task to Claude Code; it comes back as one result of a tree of workers.

    Without a command: the screen, with every tree, live, and every control on it.
    """
    ctx.obj = Place(home)
    if ctx.invoked_subcommand is None:
        ctx.exit(watch.open_app(ctx.obj, url=url))
    if url is not None:
        raise BadUse(f"--url is for the screen alone; where the store is, run: orch {ctx.invoked_subcommand}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; every error is told in one line on stderr."""
    return run_to_exit(lambda: orch.main(arguments, prog_name="orch", standalone_mode=False))


def run() -> None:
    """Be the program ``orch``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what the terminal can not show must not end a command
    sys.exit(main())
