"""``orch cancel``: end a job and all below it."""

import sys

import click

from store.control import cancel
from store.states import FINAL
from store.tree import get_job, subtree
from tui_orch.cli import as_json, exits, params
from tui_orch.cli.place import Place
from tui_orch.client.measures import now_ms
from tui_orch.client.text import one_line


@click.command("cancel")
@click.argument("job_id", type=params.job_id, metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object; does not ask.")
@click.pass_obj
def command(place: Place, job_id: int, yes: bool, as_json_: bool) -> int:
    """Cancel a job and all below it.

    On a terminal it tells how many jobs that are, and asks first.
    """
    with place.open() as session:
        with session.store.read() as reader:
            session.caller.require_within(reader, job_id)
            job = get_job(reader, job_id)
            open_below = sum(found.status not in FINAL for found in subtree(reader, job_id)) - 1
        asks = sys.stdin.isatty() and sys.stdout.isatty() and not (yes or as_json_)
        if job.status not in FINAL and asks and not _sure(job_id, job.title, open_below):
            exits.tell("nothing was cancelled")
            return exits.FAILED
        with session.store.write() as tx:
            done = cancel(tx, job_id, now_ms())
            job = get_job(tx, job_id)
        if as_json_:
            print(as_json.text(as_json.job(job) | {"ended": done.ended, "stopping": done.stopping}))
        else:
            print(f"#{job_id}: {done.ended} ended, {done.stopping} being stopped")
    return exits.COMPLETED


def _sure(job_id: int, title: str, below: int) -> bool:
    more = f" and {below} open job{'s' if below != 1 else ''} below it" if below else ""
    return click.confirm(f"Cancel #{job_id} ({one_line(title)}){more}?")
