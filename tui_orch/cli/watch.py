"""``orch`` alone, or ``orch watch``: the app. Starts a supervisor if none runs; closing it stops nothing.

With ``--url`` the app is over a store elsewhere, through its REST API; nothing is started then.
"""

import gc
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import click

from tui_orch.cli import exits
from tui_orch.cli.exits import BadUse
from tui_orch.cli.place import Place
from tui_orch.cli.supervised import ensure
from tui_orch.client.measures import now_ms

if TYPE_CHECKING:
    from tui_orch.tui.access import Access

    _Opened: TypeAlias = tuple[Access, Callable[[], bool], Callable[[], None]]

_NOTICES = ("off", "bell", "notification")


#: The key to a remote store; never an option, since others on the machine can read those.
KEYS = ("ORCH_API_KEY", "ORCHESTRATOR_API_KEY")
URL_HELP = "Watch and steer the store behind this API instead (key: $ORCH_API_KEY)."


@click.command("watch")
@click.option("--url", metavar="URL", help=URL_HELP)
@click.option("--read-only", is_flag=True, help="Only watch: change nothing, start no supervisor.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters alone.")
@click.option(
    "--notify", type=click.Choice(_NOTICES), default="bell", show_default=True, help="What tells of a new ask."
)
@click.pass_obj
def command(place: Place, url: str | None, read_only: bool, ascii_only: bool, notify: str) -> int:
    """Open the screen: every tree, live, and every control on it.

    The same as `orch` alone. Starts a supervisor if none runs. Closing it stops nothing.
    """
    return open_app(place, url=url, read_only=read_only, ascii_only=ascii_only, notify=notify)


def on_terminal() -> bool:
    """Tell whether there is a terminal to draw on and to type at. Textual draws on stderr."""
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def open_app(
    place: Place, *, url: str | None = None, read_only: bool = False, ascii_only: bool = False, notify: str = "bell"
) -> int:
    """Run the app until the person closes it. Raises BadUse without a terminal, StoreUnusable, SupervisorError."""
    if not on_terminal():
        raise BadUse("the screen needs a terminal; elsewhere see: orch tree, orch list, orch --help")
    gc.disable()  # until the app is whole: to look for garbage among what is imported takes a fortieth of a second
    # Textual takes a third of a second to import; every other command starts faster without.
    from tui_orch.tui.app import OrchApp, Outside  # noqa: PLC0415
    from tui_orch.tui.notify import Notice  # noqa: PLC0415

    access, has_supervisor, start_supervisor = _local(place, read_only) if url is None else _remote(url)
    outside = Outside(
        now_ms=now_ms,
        has_supervisor=has_supervisor,
        start_supervisor=start_supervisor,
        environ=dict(os.environ),
        ascii_only=ascii_only,
        read_only=read_only,
        notice=Notice(notify),
    )
    app = OrchApp(access, outside)
    app.run()
    return exits.COMPLETED if app.return_code == 0 else exits.FAILED


def _local(place: Place, read_only: bool) -> "_Opened":
    from tui_orch.supervisor.ownership import holder  # noqa: PLC0415
    from tui_orch.tui.access import LocalAccess  # noqa: PLC0415

    with place.make() as session:
        session.caller.require_person("the screen", "look with: orch tree")
        home = session.store.home
    if not read_only:
        ensure(home)
    return LocalAccess(home, now_ms), lambda: holder(home) is not None, lambda: ensure(home)


def _remote(url: str) -> "_Opened":
    from tui_orch.tui.remote.access import RemoteAccess  # noqa: PLC0415

    key = next((found for name in KEYS if (found := os.environ.get(name, "").strip())), "")
    if not key:
        raise BadUse(f"there is no key to {url}: set {KEYS[0]}; a person makes one there with: orch key new NAME")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise BadUse(f"the key in {KEYS[0]} holds characters that no key has; give it as it was printed")
    try:
        access = RemoteAccess(url, key)
    except ValueError as error:
        raise BadUse(str(error).replace("api_url", "--url")) from error
    # Whoever serves the store looks after it, too; from here nobody can be started.
    return access, lambda: True, lambda: None
