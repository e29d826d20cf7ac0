"""``orch supervise``, ``orch up``, ``orch down``: the supervisor in the foreground, or in the background."""

import click

from tui_orch.cli import exits
from tui_orch.cli.launcher_option import launcher_option
from tui_orch.cli.params import seconds
from tui_orch.cli.place import Place

# The supervisor is imported late in each: it brings asyncio, and every other command starts faster without.


@click.command("supervise")
@click.option("--exit-when-idle", type=seconds, metavar="T", help="End when there was nothing to do for so long.")
@launcher_option
@click.pass_obj
def supervise(place: Place, exit_when_idle: float | None, launcher: str | None) -> int:
    """Run a supervisor here, until Ctrl-C.

    Workers go on when it ends, and the next supervisor takes them over.
    """
    from tui_orch.supervisor.main import supervise as run_here  # noqa: PLC0415

    with place.make() as session:
        session.caller.require_person("a supervisor")
        home = session.store.home
    return run_here(home, exit_when_idle_s=exit_when_idle, launcher=launcher)


@click.command("up")
@launcher_option
@click.pass_obj
def up(place: Place, launcher: str | None) -> int:
    """Start a supervisor in the background."""
    from tui_orch.supervisor.daemon import holder, start_background  # noqa: PLC0415

    with place.make() as session:
        session.caller.require_person("a supervisor")
        home = session.store.home
    before = holder(home)
    found = start_background(home, launcher=launcher)
    if launcher not in (None, "local"):
        exits.tell(
            "workers on a cluster reach the store through orch serve: let it run here, too, with the same --launcher"
        )
    print(f"supervisor {'runs already' if before else 'started'}: process {found.pid}, store {home.root}")
    return exits.COMPLETED


@click.command("down")
@click.pass_obj
def down(place: Place) -> int:
    """End the supervisor.

    Workers go on, and the next supervisor takes them over.
    """
    from tui_orch.supervisor.daemon import stop  # noqa: PLC0415

    with place.open() as session:
        session.caller.require_person("ending the supervisor")
        home = session.store.home
    print("supervisor ended" if stop(home) else "no supervisor was running")
    return exits.COMPLETED
