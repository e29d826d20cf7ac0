"""``orch worker``: what an engine starts on a node. Not for people."""

import os
import sys

import click

from store.models import Fence
from tui_orch.cli import exits
from tui_orch.cli.exits import BadUse
from tui_orch.worker.remote import CLAIM_CODE


def _fence(_: click.Context, __: click.Parameter, value: str) -> Fence:
    job_id, _dot, attempt = value.partition(".")
    if not (job_id.isascii() and job_id.isdigit() and attempt.isascii() and attempt.isdigit()):
        raise click.BadParameter(f"{value!r} is no attempt; it looks like 12.1")
    return Fence(int(job_id), int(attempt))


@click.command("worker", hidden=True)
@click.option("--url", required=True, metavar="URL", help="Where orch serve answers.")
@click.option("--attempt", "fence", required=True, callback=_fence, metavar="JOB.ATTEMPT", help="Such as 12.1.")
def command(url: str, fence: Fence) -> int:
    """Work on one attempt, away from the store; the code that opens it stands in ORCH_CLAIM_CODE."""
    from tui_orch.client.api_place import checked_url  # noqa: PLC0415
    from tui_orch.worker.remote.guard import GuardError, GuardLine, run_guarded  # noqa: PLC0415

    code = os.environ.pop(CLAIM_CODE, "").strip()
    if not code:
        raise BadUse(f"{CLAIM_CODE} is not set; an engine starts workers, and orch serve --launcher tells it to")
    try:
        at = checked_url(url, "--url")
    except ValueError as error:
        raise BadUse(str(error)) from error

    def work(line: GuardLine) -> int:
        from tui_orch.worker.remote.worker import run_remote  # noqa: PLC0415 - behind the fork: threads, and much to import

        return run_remote(at, fence, code, line, os.environ)

    try:
        return run_guarded(work)
    except GuardError as error:
        print(f"orch: {error}", file=sys.stderr)
        return exits.FAILED
