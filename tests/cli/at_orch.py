"""The command line for a test: in this process where only text matters, as a program where the process matters."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from store import asks, claim, finish, submit
from store.database import Store
from store.home import Home
from store.models import Fence, Job, Limits, NewJob, NewTree, Outcome
from store.states import Kind, Status
from store.tree import get_job
from tui_orch.cli.main import main
from tui_orch.client.poll import wait_for_change

PROGRAM = str(Path(sys.executable).parent / "orch")
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class AtOrch:
    """A project folder, the store in it, and commands called there."""

    def __init__(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project = project
        self.home = Home(project / ".orch")
        self._monkeypatch = monkeypatch
        self._store: Store | None = None

    @property
    def store(self) -> Store:
        """The store; it is made when a test asks for it first."""
        if self._store is None:
            self._store = Store.open(self.home, create=True)
        return self._store

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def __call__(self, *arguments: str, env: Mapping[str, str] | None = None) -> Done:
        """Call a command in this process."""
        out, err = _stream(), _stream()
        with self._monkeypatch.context() as patch:
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            with redirect_stdout(out), redirect_stderr(err):
                code = main(arguments)
        return Done(code, _text(out), _text(err))

    def refused(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """Call a command that must refuse: exit code 2, nothing on stdout, one line on stderr, which is returned."""
        done = self(*arguments, env=env)
        assert (done.code, done.out) == (2, ""), done
        return one_line(done.err)

    def start_process(
        self, *arguments: str, env: Mapping[str, str] | None = None, **more: Any
    ) -> "subprocess.Popen[str]":
        """Start the program ``orch``."""
        return subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.project,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def process(
        self, *arguments: str | bytes, env: Mapping[str, str] | None = None, stdin: bytes | None = None
    ) -> Done:
        """Run the program ``orch`` to its end."""
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.project,
            env={**os.environ, **(env or {})},
            input=stdin or b"",
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    # ------------------------------------------------------------------ what supervisor and workers do, without them

    def tree(self, request: str = "build it", kind: Kind = Kind.CLAUDE, title: str | None = None, **limits: Any) -> int:
        new = NewTree(NewJob(request, kind, title), limits=Limits(**limits), work_dir=str(self.project))
        with self.store.write() as tx:
            return submit.submit_tree(tx, new, now_ms())

    def start(self, job_id: int) -> Fence:
        with self.store.write() as tx:
            fence = claim.start_attempt(tx, job_id, claim.token_hash(f"token of {job_id}"), now_ms())
            claim.claim(tx, fence, os.getpid(), now_ms())
        return fence

    def worker(self, fence: Fence) -> dict[str, str]:
        """Return what a worker of this attempt has in its environment."""
        return {
            "ORCH_HOME": str(self.home.root),
            "ORCH_JOB_ID": str(fence.job_id),
            "ORCH_ATTEMPT_ID": f"{fence.job_id}.{fence.attempt}",
            "ORCH_TOKEN": f"token of {fence.job_id}",
            "ORCH_COOKIE": f"{self.store.store_id}/{fence.job_id}.{fence.attempt}",
        }

    def spawn(self, fence: Fence, *tasks: str | NewJob) -> tuple[int, ...]:
        jobs = [NewJob(task, Kind.COMMAND) if isinstance(task, str) else task for task in tasks]
        with self.store.write() as tx:
            return submit.spawn(tx, fence, jobs, now_ms()).job_ids

    def finish(self, fence: Fence, status: Status = Status.COMPLETED, **told: Any) -> Status:
        with self.store.write() as tx:
            return finish.finish(tx, fence, replace(Outcome(status, retry=False), **told), now_ms())

    def run(self, job_id: int, status: Status = Status.COMPLETED, **told: Any) -> Status:
        """Start a job and end it at once."""
        return self.finish(self.start(job_id), status, **told)

    def ask(self, fence: Fence, **told: Any) -> int:
        with self.store.write() as tx:
            return asks.ask(tx, fence, **{"kind": "question", "question": "which colour?", "now_ms": now_ms()} | told)

    def job(self, job_id: int) -> Job:
        with self.store.read() as reader:
            return get_job(reader, job_id)

    def count(self) -> int:
        with self.store.read() as reader:
            return int(reader.value("SELECT count(*) FROM jobs"))

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until ``condition`` holds; it is asked again at every change of the store."""
        end = time.monotonic() + PATIENCE_S
        while True:
            seen = self.store.data_version()
            if condition():
                return
            assert time.monotonic() < end, f"never came: {what}"
            wait_for_change(self.store.data_version, seen, 0.5)


def one_line(text: str) -> str:
    """Return the one line that ``text`` must be, without its ``orch:``."""
    assert text.startswith("orch: "), text
    assert text.endswith("\n"), text
    assert len(text.splitlines()) == 1, text
    return text.removeprefix("orch: ").rstrip("\n")


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace", newline="", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()
