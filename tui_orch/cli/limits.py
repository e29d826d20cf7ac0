"""``orch limits``: a tree's limits with what is used of them, or a change of them while it runs."""

from typing import Any

import click

from store.budget import set_share
from store.control import root_of, set_limits
from store.database import Reader
from store.models import Limits
from store.tree import get_job
from tui_orch.cli import as_json, exits, params
from tui_orch.cli.limit_use import limit_use
from tui_orch.cli.place import Place


@click.command("limits")
@click.argument("job_id", type=params.job_id, metavar="ID")
@click.option("--max-depth", type=int, metavar="N", help="Levels of child jobs, 0 to 5.")
@click.option("--max-jobs", type=int, metavar="N", help="Jobs of the whole tree.")
@click.option("--max-children", type=int, metavar="N", help="Children of one job.")
@click.option("--max-workers", type=int, metavar="N", help="Workers at once.")
@click.option("--attempts", "max_attempts", type=int, metavar="N", help="Failed tries of one job before it fails.")
@click.option(
    "--timeout", "timeouts_s", type=params.timeouts, metavar="T[,T...]", help="Time of a job, or one for each level."
)
@click.option("--budget", "budget_usd", type=float, metavar="USD", help="Dollars that the tree may spend.")
@click.option("--share", "share_usd", type=float, metavar="USD", help="Dollars that job ID and all below it may spend.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(place: Place, /, job_id: int, share_usd: float | None, as_json_: bool, **changes: Any) -> int:
    """Show a tree's limits, or change them.

    ID is any job of the tree. What runs heeds a change at once.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    with place.open() as session:
        if given or share_usd is not None:
            session.caller.require_person("a change of limits")
            with session.store.write() as tx:
                if share_usd is not None:
                    set_share(tx, job_id, share_usd)
                set_limits(tx, root_of(tx, job_id), Limits(**given))
        with session.store.read() as reader:
            root_id = get_job(reader, job_id).root_id
            session.caller.require_own_tree(reader, root_id)
            _print(reader, root_id, json=as_json_)
    return exits.COMPLETED


def _print(reader: Reader, root_id: int, *, json: bool) -> None:
    uses = limit_use(reader, root_id)
    if json:
        limits = {use.name: {"limit": use.limit, "used": use.used} for use in uses}
        print(as_json.text({"root_id": root_id, "limits": limits}))
        return
    print(f"tree #{root_id}")
    for use in uses:
        print(f"  {use.name:<13}{use.text}")
