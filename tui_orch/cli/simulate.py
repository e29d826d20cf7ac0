"""``orch simulate``: how a request would run, by the supervisor's own ``plan`` on a clock that jumps. Starts nothing."""

from typing import Any

import click

from tui_orch.cli import as_json, exits, params
from tui_orch.cli.place import Place
from tui_orch.cli.request_options import Asked, request_options

_OWN = ("children", "work", "before", "after", "start", "spread", "failing", "trees", "memory", "seed")


def _counts(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not (len(parts) <= 5 and all(part.isascii() and part.isdigit() and int(part) <= 1_000 for part in parts)):
        raise click.BadParameter(f"{text!r} is no number of children; allowed: 0 to 1000, or one a level: 4,3")
    return tuple(int(part) for part in parts)


@click.command("simulate")
@request_options
@click.option(
    "--children",
    type=_counts,
    metavar="N[,N...]",
    help="Children of each job that may split (default: 3; commands: 0).",
)
@click.option(
    "--work", type=params.seconds, default="60m", show_default=True, help="Work of each item, or of the request."
)
@click.option("--before", type=params.seconds, metavar="T", help="More work of a job before it splits (default: none).")
@click.option("--after", type=params.seconds, metavar="T", help="More work of a job once its children have ended.")
@click.option("--start", type=params.seconds, metavar="T", help="Time that a worker takes to start (default: none).")
@click.option(
    "--spread", type=click.FloatRange(0, 100), default=0, metavar="PERCENT", help="Work takes so much less or more."
)
@click.option("--failing", type=click.FloatRange(0, 100), default=0, metavar="PERCENT", help="Attempts that fail.")
@click.option(
    "--trees", type=click.IntRange(1, 100_000), default=1, metavar="N", help="Such requests at once (default: 1)."
)
@click.option("--slots", type=click.IntRange(1, 1_000), metavar="N", help="Slots (default: the store's).")
@click.option(
    "--memory", type=click.FloatRange(0.1, 1_000_000), metavar="GB", help="Memory for workers (default: any)."
)
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Of what is left to chance.")
@click.pass_obj
def command(
    place: Place, /, file: str | None, request: str | None, as_json_: bool, slots: int | None, **options: Any
) -> int:
    """Say how a request would run.

    Takes what orch run takes, imagines that every worker splits its work evenly, and plays it through: how long it takes,
    against the least that is possible, and how many workers, waiting sessions and how much memory. Nothing is stored or
    started.
    """
    # Imported late: every other command starts faster without.
    from tui_orch.cli.foreseen import foresee  # noqa: PLC0415
    from tui_orch.cli.simulation import lines, play, scenario_of, values  # noqa: PLC0415

    chosen = {name: options.pop(name) for name in _OWN}
    scenario = scenario_of(foresee(place, Asked(file, request, options), slots), chosen)
    try:
        found = list(play(scenario, silent=as_json_))
    except KeyboardInterrupt:
        exits.tell("interrupted; a simulation leaves nothing behind")
        return exits.INTERRUPTED
    if as_json_:
        print(as_json.text(values(scenario, found)))
    else:
        print("\n".join(lines(scenario, found)))
    return exits.COMPLETED


# What is not started needs no supervisor.
command.params = [param for param in command.params if param.name != "no_supervisor"]
