"""``orch wait``: wait until jobs have ended. A worker that waits lends its job's slot meanwhile."""

from contextlib import nullcontext

import click

from store.claim import require_running
from store.database import Reader
from store.errors import NotFound
from store.models import Fence, Job
from store.states import FINAL
from store.tree import get_job, ledger
from tui_orch.cli import as_json, exits
from tui_orch.cli.params import job_or_batch, seconds
from tui_orch.cli.place import Place, Session
from tui_orch.cli.supervised import hint
from tui_orch.cli.tree_view import event
from tui_orch.client.waiting import slot_lent, until


@click.command("wait")
@click.argument("ids", nargs=-1, required=True, type=job_or_batch, metavar="ID...")
@click.option("--timeout", type=seconds, metavar="T", help="Give up after so long, with exit code 124.")
@click.option("--json", "as_json_", is_flag=True, help="Print the jobs as a JSON list.")
@click.pass_obj
def command(place: Place, ids: tuple[int | tuple[int, int], ...], timeout: float | None, as_json_: bool) -> int:
    """Wait until jobs have ended.

    ID is that of a job, or of a batch as orch spawn makes it: 12-1.

    Exit code: 0 all completed, 3 some, 1 none, 124 too late.
    """
    with place.open() as session:
        with session.store.read() as reader:
            wanted = _wanted(reader, session, ids)
        jobs = _wait(session, wanted, timeout)
        if as_json_:
            print(as_json.text([as_json.job(job) for job in jobs]))
        open_jobs = [job for job in jobs if job.status not in FINAL]
        for job in () if as_json_ else jobs:
            if job.status in FINAL:
                print(event(job))
        if open_jobs:
            exits.tell(f"after {timeout:g} s job #{open_jobs[0].id} is still {open_jobs[0].status}")
            return exits.TOO_LATE
        return exits.code_of(job.status for job in jobs)


def _wanted(reader: Reader, session: Session, ids: tuple[int | tuple[int, int], ...]) -> list[int]:
    wanted: list[int] = []
    for found in ids:
        if isinstance(found, int):
            session.caller.require_within(reader, get_job(reader, found).id)
            wanted.append(found)
            continue
        parent_id, batch = found
        session.caller.require_within(reader, parent_id)
        entries = ledger(reader, parent_id, batch)
        if not entries:
            raise NotFound(f"there is no batch {parent_id}-{batch}; see: orch tree")
        wanted += [entry.id for entry in entries]
    return list(dict.fromkeys(wanted))


def _wait(session: Session, wanted: list[int], timeout_s: float | None) -> list[Job]:
    """Return the jobs when all have ended, or as they are when the time is over."""
    store, fence = session.store, session.caller.fence

    def look(reader: Reader) -> list[Job] | None:
        _still_running(reader, fence)
        jobs = [get_job(reader, job_id) for job_id in wanted]
        return jobs if all(job.status in FINAL for job in jobs) else None

    with store.read() as reader:
        ended = look(reader)
    if ended is not None:
        return ended
    if fence is None:
        hint(store.home)
    with slot_lent(store, fence) if fence is not None else nullcontext():
        ended = until(store, look, timeout_s)
    if ended is not None:
        return ended
    with store.read() as reader:
        return [get_job(reader, job_id) for job_id in wanted]


def _still_running(reader: Reader, fence: Fence | None) -> None:
    if fence is not None:
        require_running(reader, fence)
