"""``orch spawn``: a worker adds child jobs to its own job, and waits for them if it says so.

Starts fast, since shell scripts call it in loops. What is spawned is read in ``spawn_tasks``.
"""

import os
from typing import Any

import click

from store.claim import require_running
from store.database import Reader, Store
from store.errors import NotAllowed
from store.models import Fence, Job, Spawned
from store.states import FINAL, Kind
from store.submit import spawn
from store.tree import get_job, get_tree
from tui_orch.cli import as_json, exits
from tui_orch.cli.params import line, needs, seconds
from tui_orch.cli.place import Place
from tui_orch.cli.spawn_tasks import Common, new_jobs
from tui_orch.cli.tree_view import event
from tui_orch.client.caller import TOKEN, fence_of
from tui_orch.client.measures import now_ms
from tui_orch.client.waiting import slot_lent, until
from tui_orch.worker.environment import REMOTE_HOME


class _WithArgv(click.Command):
    """Keeps what stands behind ``--`` apart: it is a command's argv, not one request a word."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            ctx.meta[__name__] = tuple(args[at + 1 :])
            args = args[:at]
        return super().parse_args(ctx, args)


@click.command("spawn", cls=_WithArgv, options_metavar="[OPTIONS]")
@click.argument("requests", nargs=-1, metavar="[REQUEST]... [-- ARGV...]")
@click.option("--file", metavar="FILE|-", help="Read one request, or a JSON list of tasks, from a file.")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Default: claude; command for an ARGV.")
@click.option("--title", type=line, help="The job's title (default: the request's first line).")
@click.option(
    "--timeout", "timeout_s", type=seconds, metavar="T", help="Time that each may take, with all below it: 90s, 10m."
)
@click.option("--model", type=line, metavar="NAME", help="The model of each.")
@click.option(
    "--budget", "budget_usd", type=float, metavar="USD", help="Dollars that each may spend, with all below it."
)
@click.option("--priority", type=click.IntRange(-100, 100), default=0, metavar="N", help="Higher first.")
@click.option("--needs", type=needs, metavar="JSON", help='What the machine of each must have: {"cpus": 2}.')
@click.option("--wait", "wait_", is_flag=True, help="Wait until all have ended; lends the job's slot meanwhile.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(
    ctx: click.Context, /, requests: tuple[str, ...], file: str | None, wait_: bool, as_json_: bool, **common: Any
) -> int:
    """Add child jobs, from inside a job.

    One for each REQUEST, a child of the job that this runs in; prints their ids.

    Behind -- stands the argv of one command. Exit code with --wait: 0 all completed, 3 some, 1 none.
    """
    place: Place = ctx.obj
    if not os.environ.get(TOKEN):
        raise NotAllowed(f"orch spawn works inside a job only ({TOKEN} is not set); start a tree with: orch run")
    tasks = new_jobs(requests, file, ctx.meta.get(__name__), Common(**common))
    if os.environ.get(REMOTE_HOME):
        from tui_orch.cli.spawn_far import spawn_far  # noqa: PLC0415 - only where there is no store, and slow to import

        spawned, jobs = spawn_far(tasks, wait=wait_)
        _print(spawned, jobs, waited=wait_, json_=as_json_)
        return exits.code_of(job.status for job in jobs) if wait_ else exits.COMPLETED
    with Store.open(place.home()) as store:
        fence = fence_of(store, os.environ)
        _save(store, fence)
        with store.write() as tx:
            spawned = spawn(tx, fence, tasks, now_ms())
        if wait_:
            with slot_lent(store, fence):
                until(store, lambda reader: _ended(reader, fence, spawned))
        with store.read() as reader:
            jobs = [get_job(reader, job_id) for job_id in spawned.job_ids]
        _print(spawned, jobs, waited=wait_, json_=as_json_)
        return exits.code_of(job.status for job in jobs) if wait_ else exits.COMPLETED


def _save(store: Store, fence: Fence) -> None:
    """Let the children of a job with a worktree begin with what it has changed so far."""
    with store.read() as reader:
        if not get_tree(reader, get_job(reader, fence.job_id).root_id).has_worktrees:
            return
    from tui_orch.workspace.of_job import save_before_spawn  # noqa: PLC0415 - shared trees need no git

    save_before_spawn(store, fence)


def _ended(reader: Reader, fence: Fence, spawned: Spawned) -> bool | None:
    require_running(reader, fence)
    return True if all(get_job(reader, job_id).status in FINAL for job_id in spawned.job_ids) else None


def _print(spawned: Spawned, jobs: list[Job], *, waited: bool, json_: bool) -> None:
    if json_:
        found = {"batch": spawned.name, "parent_id": spawned.parent_id, "ids": list(spawned.job_ids)}
        print(as_json.text(found | {"jobs": [as_json.job(job) for job in jobs]}))
        return
    for job in jobs:
        print(event(job) if waited else job.id)
