"""One attempt on another machine, from its claim to its outcome. Needs no file of the store, only the API.

1. claim     with the one-time code, for a token that only this process knows
2. lease     renewed beside all that follows; the guard ends everything before it ends
3. files     the folder to work in, and the session that is gone on with
4. run       the kind's runner, its output sent to the head as it grows
5. sweep     whatever it started and left
6. deliver   the rest of its files, then the outcome; tried again for as long as the head may need to come back
"""

import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter

from store.claim import token_hash
from store.errors import StaleAttempt, StoreError
from store.home import Home, private_dir
from store.models import Fence, Outcome
from store.states import Kind, Reason, Status
from tui_orch.client.api_place import URL
from tui_orch.worker.attempt import LEFTOVERS_GRACE_S, run_kind, unbroken
from tui_orch.worker.environment import API_KEY, REMOTE_HOME, allowed, runner_environment, worker_environment
from tui_orch.worker.masking import Mask
from tui_orch.worker.remote.api import AttemptApi
from tui_orch.worker.remote.claimed import Claimed
from tui_orch.worker.remote.files import Upload, fetch_session
from tui_orch.worker.remote.git_remote import Clone
from tui_orch.worker.remote.guard import GuardLine
from tui_orch.worker.remote.lease import Lease
from tui_orch.worker.remote.steps import RemoteSteps
from tui_orch.worker.steps import job_steps
from tui_orch.worker.stop_signal import StopSignal
from tui_orch.worker.subreaper import become_subreaper, end_descendants
from tui_orch.worker.work import Ending, Finished, Work

#: Seconds for which an outcome is offered to a head that does not answer.
DELIVER_S = 3_600.0
CLAIM_PATIENCE_S = 120.0
#: Files of an attempt's folder that the head gets.
_FILES = ("output", "transcript.jsonl", "worker.log", "setup.log")
_CLAIMED = TypeAdapter(Claimed)


class Unusable(Exception):
    """The attempt can not be worked on here; ``str(error)`` says why."""


def run_remote(url: str, fence: Fence, code: str, line: GuardLine, environ: Mapping[str, str]) -> int:
    """Run one attempt in this process. Return the exit code: 0 when its end is recorded, 1 when it was not ours."""
    become_subreaper()
    with AttemptApi(url, code, environ.get("SSL_CERT_FILE")) as api, StopSignal() as stop:
        try:
            token, claimed, asked_at = _claim(api)
        except StoreError as error:
            print(error, file=sys.stderr)
            return 1
        if claimed.job.fence != fence:
            print(f"the code belongs to {claimed.job.fence}, not to {fence}", file=sys.stderr)
            return 1
        with Lease(api, claimed.terms.lease_s, asked_at, line.lease_until) as lease:
            return _Attempt(api, claimed, token, environ, lease).see_through(stop, line)


def _claim(api: AttemptApi) -> tuple[str, Claimed, float]:
    """Take the attempt for a token of our own; return when that was asked for, too (monotonic, s).

    A second try, after a lost answer, goes by that token already.
    """
    token = secrets.token_hex(32)
    body = {"token_sha256": token_hash(token), "host": socket.gethostname()}
    try:
        told, asked_at = api.post_timed("/attempt/claim", body, CLAIM_PATIENCE_S)
        api.use_token(token)
    except StaleAttempt as refused:
        api.use_token(token)
        try:
            told, asked_at = api.post_timed("/attempt/claim", body, CLAIM_PATIENCE_S)
        except StaleAttempt:
            raise refused from None
    return token, _CLAIMED.validate_python(told), asked_at


class _Attempt:
    """What one attempt has on this machine."""

    def __init__(self, api: AttemptApi, claimed: Claimed, token: str, environ: Mapping[str, str], lease: Lease) -> None:
        self._api = api
        self._claimed = claimed
        self._lease = lease
        self._scratch = _scratch(environ, claimed)
        is_shared = claimed.terms.work == "shared"
        self._home = Home(Path(claimed.home)) if is_shared else Home(self._scratch / "project" / ".orch")
        self._env = _environment(environ, claimed, self._home, token, api.url)
        self._clone = Clone(self._home.project, claimed.terms.git_remote, self._env)

    def see_through(self, stop: StopSignal, line: GuardLine) -> int:
        """Run, sweep and hand in."""
        claimed = self._claimed
        fence = claimed.job.fence
        folder = private_dir(self._scratch / "attempt")
        steps = RemoteSteps(self._api, self._home, fence)
        work = Work(steps, claimed.job, claimed.tree, folder, self._env)
        with Upload(self._api, self._sources) as upload:
            try:
                ending = unbroken(work, lambda: self._run(work, stop))
            except StaleAttempt as stale:
                print(stale, file=sys.stderr)
                end_descendants(0)
                return 1
            end_descendants(LEFTOVERS_GRACE_S)
            self._lease.deliver_only()
            line.delivering(time.monotonic() + DELIVER_S)
            steps.patience_s = DELIVER_S
            is_delivered = self._deliver(steps, upload, Mask.of(work.env).of_any(ending))
        if is_delivered:  # what can not be removed now goes with the job's next attempt here
            shutil.rmtree(self._scratch, ignore_errors=True)
        return 0 if is_delivered else 1

    def _deliver(self, steps: RemoteSteps, upload: Upload, ending: Ending) -> bool:
        """Hand in the files that are left, and the outcome; what comes too late, or to nobody, is told in one line."""
        try:
            self._lease.renew()  # for the name of the session, too
            upload.flush()
        except StaleAttempt as stale:
            print(stale, file=sys.stderr)
            return False
        except (StoreError, OSError) as error:
            print(f"its files are not all at the head: {error}", file=sys.stderr)
        try:
            steps.change(job_steps.record_ending, ending)
        except StoreError as error:
            print(f"the outcome could not be handed in: {error}", file=sys.stderr)
            return False
        return True

    def _run(self, work: Work, stop: StopSignal) -> Ending:
        try:
            ready = self._made_ready(work)
        except (Unusable, OSError) as error:
            host = socket.gethostname()
            said = f"the attempt can not be worked on at {host}: {error}"
            return Finished(Outcome(Status.FAILED, Reason.WORKSPACE, error=said))
        return run_kind(ready, stop)

    def _made_ready(self, work: Work) -> Work:
        """Return the work with the folder in which it is done, and the session that it goes on with. Raises Unusable."""
        terms = self._claimed.terms
        if terms.work == "git" and work.tree.has_worktrees:
            tree = self._clone.made(work.tree, work.job)
            return self._with_session(replace(work, tree=tree, exchange=self._clone))
        if terms.work == "shared":
            if not work.work_dir.is_dir():
                raise Unusable(f"there is no {work.work_dir}; the nodes share no file system with the head: see `work`")
            return self._with_session(work)
        return self._with_session(replace(work, cwd=private_dir(self._scratch / "work")))

    def _with_session(self, work: Work) -> Work:
        job = work.job
        if job.kind is Kind.CLAUDE and job.session_id is not None:
            folder = self._work_dir(work)
            if not fetch_session(self._api, job.session_id, _config_dir(self._env), folder):
                print(f"session {job.session_id} is not kept at the head", file=sys.stderr)
        return work

    def _work_dir(self, work: Work) -> Path:
        if work.cwd is None and work.tree.has_worktrees:
            from tui_orch.workspace.of_job import folder_in, plot_of  # noqa: PLC0415 - shared trees need no git

            return folder_in(plot_of(self._home, work.job, work.tree), work.tree)
        return work.work_dir

    def _sources(self) -> Mapping[str, Path]:
        found = {name: self._scratch / "attempt" / name for name in _FILES}
        session_id = self._lease.session_id
        if session_id is not None:
            projects = _config_dir(self._env) / "projects"
            with suppress(StopIteration):
                found["session.jsonl"] = next(projects.glob(f"*/{session_id}.jsonl"))
        return found


def _scratch(environ: Mapping[str, str], claimed: Claimed) -> Path:
    cache = environ.get("XDG_CACHE_HOME") or os.path.join(environ.get("HOME") or "/tmp", ".cache")  # noqa: S108 - private below
    of_store = Path(cache) / "orch" / claimed.store_id
    for earlier in of_store.glob(f"{claimed.job.id}.*"):  # of attempts whose lease has ended: they were killed here
        shutil.rmtree(earlier, ignore_errors=True)
    return private_dir(of_store / f"{claimed.job.id}.{claimed.job.attempt}")


def _environment(environ: Mapping[str, str], claimed: Claimed, home: Home, token: str, url: str) -> dict[str, str]:
    """Return the environment of what the worker starts: this machine's, with the keys that the head has sent."""
    job = claimed.job
    base = {**allowed(environ, job.kind), **claimed.env}
    made = worker_environment(base, home, store_id=claimed.store_id, job=job.id, attempt=job.attempt, token=token)
    del made["ORCH_HOME"]
    return runner_environment({**made, REMOTE_HOME: str(home.root), API_KEY: token, URL: url}, job.kind)


def _config_dir(env: Mapping[str, str]) -> Path:
    return Path(env.get("CLAUDE_CONFIG_DIR") or Path(env.get("HOME", "/")) / ".claude")
