"""``orch retry``: try a job again that failed, was cancelled or is partial."""

import click

from store.control import retry
from store.repair import retry_failed
from store.tree import get_job
from tui_orch.cli import as_json, exits, params
from tui_orch.cli.place import Place
from tui_orch.cli.supervised import hint
from tui_orch.cli.tree_view import event
from tui_orch.client.measures import now_ms


@click.command("retry")
@click.argument("job_id", type=params.job_id, metavar="ID")
@click.option(
    "--failed", is_flag=True, help="Try the failed leaves alone, of ID and all below it; those above are resumed."
)
@click.option("--fresh", is_flag=True, help="Begin a new Claude Code session instead of resuming the old one.")
@click.option("--json", "as_json_", is_flag=True, help="Print the jobs that are queued as a JSON list.")
@click.pass_obj
def command(place: Place, job_id: int, failed: bool, fresh: bool, as_json_: bool) -> int:
    """Try a job again that did not complete.

    With it the jobs below it that failed; what succeeded is not run again.
    """
    with place.open() as session:
        with session.store.write() as tx:
            session.caller.require_within(tx, job_id)
            again = (retry_failed if failed else retry)(tx, job_id, now_ms(), fresh=fresh)
            jobs = [get_job(tx, queued) for queued in again]
        if as_json_:
            print(as_json.text([as_json.job(job) for job in jobs]))
        elif jobs:
            for job in jobs:
                print(event(job))
        else:
            print(f"#{job_id}: there was nothing left to do again")
        if session.caller.fence is None:
            hint(session.store.home)
    return exits.COMPLETED
