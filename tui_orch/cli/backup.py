"""``orch backup``: a consistent copy of the store's database, while everything runs."""

from pathlib import Path

import click

from store.upkeep import back_up
from tui_orch.cli import as_json, exits
from tui_orch.cli.place import Place


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(place: Place, file: Path, as_json_: bool) -> int:
    """Copy the store's database to FILE.

    One consistent moment of it, readable by you alone; supervisor and workers go on meanwhile. To go back to it, stop
    the supervisor (orch down) and put it in the place of .orch/orch.db. Output and transcripts of workers are files
    beside the database, in .orch/jobs/, and are not in the copy.
    """
    with place.open() as session:
        session.caller.require_person("a backup")
        size = back_up(session.store, file)
    print(as_json.text({"file": str(file), "bytes": size}) if as_json_ else f"{file}: {size} bytes")
    return exits.COMPLETED
