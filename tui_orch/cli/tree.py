"""``orch tree``: a job and all below it, as it is now."""

import sys

import click

from store.database import Reader
from store.errors import NotFound
from store.tree import get_job, roots, subtree
from tui_orch.cli import as_json, params, terminal
from tui_orch.cli.place import Place, Session
from tui_orch.cli.tree_view import tree_lines
from tui_orch.client.measures import now_ms


@click.command("tree")
@click.argument("job_id", required=False, type=params.job_id, metavar="[ID]")
@click.option("--json", "as_json_", is_flag=True, help="Print the jobs as a JSON list, parents before their children.")
@click.pass_obj
def command(place: Place, job_id: int | None, as_json_: bool) -> int:
    """Show a job and all below it.

    Without ID: the newest tree, or inside a job that job.
    """
    with place.open() as session, session.store.read() as reader:
        top_id = _top(reader, session, job_id)
        jobs = subtree(reader, top_id)
    if as_json_:
        print(as_json.text([as_json.job(job) for job in jobs]))
        return 0
    colour = terminal.has_colour(sys.stdout)
    for line in tree_lines(jobs, now_ms(), terminal.width(sys.stdout)):
        print(line.painted(colour=colour))
    return 0


def _top(reader: Reader, session: Session, job_id: int | None) -> int:
    if job_id is not None:
        session.caller.require_within(reader, job_id)
        return get_job(reader, job_id).id
    if session.caller.fence is not None:
        return session.caller.fence.job_id
    newest = roots(reader, 1)
    if not newest:
        raise NotFound("there is no tree yet; start one with: orch run")
    return newest[0].id
