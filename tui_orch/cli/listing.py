"""``orch list``: the trees of the store, newest first."""

import sys

import click

from store.database import Reader
from store.models import Job
from store.states import Status
from store.tree import get_tree, roots
from tui_orch.cli import as_json, columns, terminal
from tui_orch.cli.place import Place
from tui_orch.cli.tree_view import label
from tui_orch.client.measures import duration, moment, money, now_ms
from tui_orch.client.text import one_line

#: Rows that are read at once while looking for those of one state, and in all.
_PAGE = 200
_MOST_READ = 20_000


@click.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, metavar="N", help="How many (default: 20).")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Only those in this state.")
@click.option("--json", "as_json_", is_flag=True, help="Print the root jobs as a JSON list.")
@click.pass_obj
def command(place: Place, limit: int, status: str | None, as_json_: bool) -> int:
    """List the trees, newest first."""
    with place.open() as session, session.store.read() as reader:
        found = _found(reader, limit, status)
        if as_json_:
            print(as_json.text([as_json.job(job) for job in found]))
            return 0
        now = now_ms()
        rows = [_row(job, get_tree(reader, job.id).jobs, now) for job in found]
        for line in columns.table(rows, terminal.width(sys.stdout)):
            print(line)
        if not rows:
            print("no trees yet; start one with: orch run" if status is None else f"no tree is {status}")
    return 0


def _found(reader: Reader, limit: int, status: str | None) -> list[Job]:
    if status is None:
        return roots(reader, limit)
    found: list[Job] = []
    before: int | None = None
    for _ in range(_MOST_READ // _PAGE):
        page = roots(reader, _PAGE, before)
        found += [job for job in page if job.status == status]
        if len(page) < _PAGE or len(found) >= limit:
            break
        before = page[-1].id
    return found[:limit]


def _row(job: Job, jobs: int, now: int) -> tuple[str, ...]:
    took = duration((job.ended_ms or now) - job.started_ms) if job.started_ms is not None else ""
    cost = money(job.subtree_cost_usd) if job.subtree_cost_usd else ""
    count = f"{jobs} job" if jobs == 1 else f"{jobs} jobs"
    return f"#{job.id}", label(job), moment(job.created_ms), took, cost, count, one_line(job.title)
