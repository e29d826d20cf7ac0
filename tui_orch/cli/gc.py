"""``orch gc``: removes what trees that ended long ago have left on disk."""

import click

from store.upkeep import Waste, forget_names, remove, waste
from tui_orch.cli import as_json, exits
from tui_orch.cli.params import days
from tui_orch.cli.place import Place
from tui_orch.client.measures import now_ms

_DAY_MS = 86_400_000
_MB = 1e6


@click.command("gc")
@click.option(
    "--older-than", "older", type=days, default="30", metavar="DAYS", show_default=True, help="Trees that ended before."
)
@click.option("--dry-run", is_flag=True, help="Tell what would be removed, and remove nothing.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(place: Place, older: float, dry_run: bool, as_json_: bool) -> int:
    """Free disk space.

    Removes the output and transcripts of trees that have ended long ago. Their rows stay: titles, results, ledgers,
    costs and history. A tree that has not ended is never touched.
    """
    before_ms = now_ms() - round(older * _DAY_MS)
    with place.open() as session:
        session.caller.require_person("removing what is left of trees")
        with session.store.read() as reader:
            found = list(waste(reader, session.store.home, before_ms))
        if not dry_run:
            found = [each for each in found if remove(session.store, each)]
            with session.store.write() as tx:
                forget_names(tx, before_ms)
    if as_json_:
        trees = [{"root_id": each.root_id, "jobs": len(each.folders), "bytes": each.size_bytes} for each in found]
        print(as_json.text({"removed": not dry_run, "trees": trees, "bytes": sum(each.size_bytes for each in found)}))
    else:
        _tell(found, older, dry_run=dry_run)
    return exits.COMPLETED


def _tell(found: list[Waste], older: float, *, dry_run: bool) -> None:
    for each in found:
        print(f"#{each.root_id}: {len(each.folders)} jobs, {each.size_bytes / _MB:.1f} MB")
    verb = "would be freed" if dry_run else "freed"
    total = sum(each.size_bytes for each in found) / _MB
    print(
        f"{total:.1f} MB of {len(found)} trees {verb}" if found else f"no tree that ended {older:g} days ago has files"
    )
