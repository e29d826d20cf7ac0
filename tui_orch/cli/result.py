"""``orch result``: what a job that has ended found."""

import click

from store.errors import IllegalChange
from store.states import FINAL
from store.tree import get_job, ledger
from store.workspaces import get_workspace
from tui_orch.cli import as_json, exits, params
from tui_orch.cli.place import Place
from tui_orch.cli.result_text import ledger_text
from tui_orch.cli.watching import print_result


@click.command("result")
@click.argument("job_id", type=params.job_id, metavar="ID")
@click.option("--ledger", "with_ledger", is_flag=True, help="Print the results of its children instead.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(place: Place, job_id: int, with_ledger: bool, as_json_: bool) -> int:
    """Print a job's result.

    Exit code: 0 completed, 3 partial, 1 failed or cancelled, 2 where there is none yet.
    """
    with place.open() as session, session.store.read() as reader:
        session.caller.require_within(reader, job_id)
        job, entries, work = get_job(reader, job_id), ledger(reader, job_id), get_workspace(reader, job_id)
    if job.status not in FINAL and not with_ledger:
        raise IllegalChange(
            f"job #{job_id} is {job.status}; it has no result yet; wait for it with: orch wait {job_id}"
        )
    if as_json_:
        print(as_json.text(as_json.job(job, entries, work)))
    elif with_ledger:
        print(ledger_text(entries) or f"job #{job_id} has no children")
    else:
        print_result(job, entries)
    return exits.code_of([job.status]) if job.status in FINAL else exits.COMPLETED
