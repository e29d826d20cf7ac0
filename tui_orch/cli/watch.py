"""``orch`` alone, or ``orch watch``: the app. Starts a supervisor if none runs; closing it stops nothing."""

import os
import sys

import click

from tui_orch.cli import exits
from tui_orch.cli.exits import BadUse
from tui_orch.cli.place import Place
from tui_orch.cli.supervised import ensure
from tui_orch.client.measures import now_ms

_NOTICES = ("off", "bell", "notification")


@click.command("watch")
@click.option("--read-only", is_flag=True, help="Only watch: change nothing, start no supervisor.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters alone.")
@click.option(
    "--notify", type=click.Choice(_NOTICES), default="bell", show_default=True, help="What tells of a new ask."
)
@click.pass_obj
def command(place: Place, read_only: bool, ascii_only: bool, notify: str) -> int:
    """Open the screen: every tree, live, and every control on it.

    The same as `orch` alone. Starts a supervisor if none runs. Closing it stops nothing.
    """
    return open_app(place, read_only=read_only, ascii_only=ascii_only, notify=notify)


def on_terminal() -> bool:
    """Tell whether there is a terminal to draw on and to type at. Textual draws on stderr."""
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def open_app(place: Place, *, read_only: bool = False, ascii_only: bool = False, notify: str = "bell") -> int:
    """Run the app until the person closes it. Raises BadUse without a terminal, StoreUnusable, SupervisorError."""
    if not on_terminal():
        raise BadUse("the screen needs a terminal; elsewhere see: orch tree, orch list, orch --help")
    # Textual takes a third of a second to import; every other command starts faster without.
    from tui_orch.supervisor.ownership import holder  # noqa: PLC0415
    from tui_orch.tui.app import OrchApp, Outside  # noqa: PLC0415
    from tui_orch.tui.notify import Notice  # noqa: PLC0415

    with place.make() as session:
        session.caller.require_person("the screen", "look with: orch tree")
        home = session.store.home
    if not read_only:
        ensure(home)
    outside = Outside(
        now_ms=now_ms,
        has_supervisor=lambda: holder(home) is not None,
        start_supervisor=lambda: ensure(home),
        environ=dict(os.environ),
        ascii_only=ascii_only,
        read_only=read_only,
        notice=Notice(notify),
    )
    app = OrchApp(home, outside)
    app.run()
    return exits.COMPLETED if app.return_code == 0 else exits.FAILED
