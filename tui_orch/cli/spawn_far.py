"""``orch spawn`` on a machine without the store: the same steps as beside it, done by the API with the attempt's token."""

import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from store.errors import NotAllowed
from store.home import Home
from store.models import Fence, Job, NewJob, Spawned
from store.states import FINAL
from tui_orch.client.api_place import TOKEN, URL
from tui_orch.worker.environment import REMOTE_HOME
from tui_orch.worker.remote.api import AttemptApi
from tui_orch.worker.remote.git_remote import Clone
from tui_orch.worker.remote.steps import LOOK_S, RemoteSteps
from tui_orch.worker.save import save_for_children
from tui_orch.worker.steps import job_steps
from tui_orch.worker.work import Work


def spawn_far(tasks: Sequence[NewJob], *, wait: bool) -> tuple[Spawned, list[Job]]:
    """Insert children, and wait until all have ended where ``wait`` says so; return them. Raises StoreError."""
    steps = _steps()
    save_for_children(_work(steps))
    spawned = steps.change(job_steps.spawn, tuple(tasks))
    ids = list(spawned.job_ids)
    if wait:
        with _slot_lent(steps):
            while any(job.status not in FINAL for job in steps.look(job_steps.own_children, ids)):
                time.sleep(LOOK_S)
    return spawned, steps.look(job_steps.own_children, ids)


def _work(steps: RemoteSteps) -> Work:
    job, tree = steps.look(job_steps.own_job), steps.look(job_steps.own_tree)
    work = Work(steps, job, tree, Path.cwd(), os.environ)
    if tree.has_worktrees and str(steps.home.project) != tree.repository and (steps.home.project / ".git").exists():
        clone = Clone(steps.home.project, None, os.environ)
        return replace(work, tree=clone.here(tree, job), exchange=clone)
    return work


def _steps() -> RemoteSteps:
    url, token, attempt = (os.environ.get(name, "") for name in (URL, TOKEN, "ORCH_ATTEMPT_ID"))
    job_id, _, number = attempt.partition(".")
    if not (url and token and job_id.isdigit() and number.isdigit()):
        raise NotAllowed(f"orch spawn works inside a job only ({URL}, {TOKEN} and ORCH_ATTEMPT_ID are not all set)")
    api = AttemptApi(url, token, os.environ.get("SSL_CERT_FILE"))
    return RemoteSteps(api, Home(Path(os.environ[REMOTE_HOME])), Fence(int(job_id), int(number)))


@contextmanager
def _slot_lent(steps: RemoteSteps) -> Iterator[None]:
    """Give the job's slot away for a while: children may need it. Goes on when it has one again."""
    name = secrets.token_hex(8)
    steps.change(job_steps.lend_slot, name)
    try:
        yield
    finally:
        while not steps.change(job_steps.take_slot, name):
            time.sleep(LOOK_S)
