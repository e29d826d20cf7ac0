"""``orch estimate``: the worst case of a request before it is started. Stores nothing, starts nothing."""

from typing import Any

import click

from tui_orch.cli import as_json, columns, exits
from tui_orch.cli.place import Place
from tui_orch.cli.request_options import Asked, request_options


@click.command("estimate")
@request_options
@click.option(
    "--children",
    type=click.IntRange(0, 1_000),
    metavar="N",
    help="Children to count with for each job (default: as many as run at once).",
)
@click.pass_obj
def command(
    place: Place, /, file: str | None, request: str | None, as_json_: bool, children: int | None, **options: Any
) -> int:
    """Say the worst case of a request.

    Takes what orch run takes, and says how many jobs, processes, worktrees, dollars and hours its limits allow. Nothing is
    stored or started.
    """
    # Imported late: every other command starts faster without.
    from tui_orch.cli.foreseen import foresee  # noqa: PLC0415
    from tui_orch.cli.worst_case import Estimate  # noqa: PLC0415

    estimate = Estimate(foresee(place, Asked(file, request, options)), children)
    if as_json_:
        print(as_json.text(estimate.values()))
    else:
        print("\n".join(columns.table(estimate.rows(), 200)))
    return exits.COMPLETED


# What is not started needs no supervisor.
command.params = [param for param in command.params if param.name != "no_supervisor"]
