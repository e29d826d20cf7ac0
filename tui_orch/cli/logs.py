"""``orch logs``: what a job's attempts put out: a command's output, or what passed between us and Claude Code."""

import click

from store.errors import NotFound
from store.models import Job
from store.states import FINAL, Kind, Status
from store.tree import get_job
from tui_orch.cli import exits, params
from tui_orch.cli.exits import BadUse
from tui_orch.cli.log_views import LogFile, log_view
from tui_orch.cli.place import Place, Session
from tui_orch.client.log_file import FILES
from tui_orch.client.poll import wait_for_change

#: While following: a file's growth gives no sign in the store, so it is looked at this often.
_LOOK_EVERY_S = 0.1


@click.command("logs")
@click.argument("job_id", type=params.job_id, metavar="ID")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has ended.")
@click.option("--attempt", type=click.IntRange(1, 1_000_000), metavar="N", help="Only this attempt (default: all).")
@click.option("--raw", is_flag=True, help="The file as it is, control characters and all.")
@click.pass_obj
def command(place: Place, job_id: int, follow: bool, attempt: int | None, raw: bool) -> int:
    """Print what a job's worker put out.

    The output of a command, or a readable transcript of Claude Code.
    """
    with place.open() as session:
        job = _job(session, job_id)
        if job.kind is Kind.GROUP:
            raise BadUse(f"job #{job_id} is a group; it has no process and no log; see: orch tree {job_id}")
        if attempt is not None and attempt > job.attempt:
            raise NotFound(f"job #{job_id} has had {job.attempt} attempts; there is no attempt {attempt}")
        if job.attempt == 0 and not follow:
            exits.tell(f"job #{job_id} has not started yet")
            return exits.COMPLETED
        _print_attempts(session, job, attempt, follow=follow, raw=raw)
    return exits.COMPLETED


def _job(session: Session, job_id: int) -> Job:
    with session.store.read() as reader:
        session.caller.require_within(reader, job_id)
        return get_job(reader, job_id)


def _print_attempts(session: Session, job: Job, only: int | None, *, follow: bool, raw: bool) -> None:
    number = only or 1
    while True:
        job = _job(session, job.id)
        if number <= job.attempt:
            if only is None and number > 1 and not raw:
                print(f"--- attempt {number} ---", flush=True)
            _print_attempt(session, job, number, follow=follow, raw=raw)
            if number == only:
                return
            number += 1
            continue
        if not follow or job.status in FINAL:
            return
        seen = session.store.data_version()
        if _job(session, job.id).attempt < number:
            wait_for_change(session.store.data_version, seen, _LOOK_EVERY_S)


def _print_attempt(session: Session, job: Job, number: int, *, follow: bool, raw: bool) -> None:
    view = log_view(job.kind, raw=raw)
    with LogFile(session.store.home.attempt_dir(job.id, number) / FILES[job.kind]) as log:
        while True:
            # Ask first, then read: what was written before the end is not missed then.
            now = _job(session, job.id)
            over = now.attempt != number or now.status is not Status.RUNNING
            for piece in log.pieces():
                view.feed(piece)
            if over or not follow:
                break
            seen = session.store.data_version()
            wait_for_change(session.store.data_version, seen, _LOOK_EVERY_S)
    view.end()
