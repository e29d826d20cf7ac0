"""A store that a real `orch serve` serves, in a process of its own, with a person's key and scripts for its workers."""

import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

from store.keys import new_key
from store.models import Job, Limits, NewJob, NewTree
from store.states import Kind, Status
from tests.lifecycle.at_work import PATIENCE_S, AtWork, now_ms
from tui_orch.recursive_helper import RecursiveOrchestratorClient, SyncRecursiveOrchestratorClient

PREAMBLE = "import asyncio, json, os, time\nfrom tui_orch.recursive_helper import *\n"


class ServerEnded(Exception):
    """The server has ended instead of serving; its log is the message."""


class Served(AtWork):
    """A store at work whose supervisor serves the API too."""

    def __init__(self, project: Path, env: Mapping[str, str]) -> None:
        project.mkdir(parents=True, exist_ok=True)
        super().__init__(project, env)
        with self.store.write() as tx:
            self.key = new_key(tx, "a test", now_ms())[1]
        self.url = ""

    def serve(self, port: int = 0) -> "subprocess.Popen[bytes]":
        """Start `orch serve` and wait until it takes calls; its address is `url` then."""
        with (self.project / "serve.log").open("ab") as log:
            process = subprocess.Popen(
                [str(Path(sys.executable).parent / "orch"), "serve", "--port", str(port)],
                cwd=self.project,
                env=self.env,
                stdout=log,
                stderr=log,
            )
        self.supervisors.append(process)
        self.wait_for(lambda: self._noted(process), "a server")
        return process

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        """kill -9: nothing is tidied up."""
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)

    def client(self, **more: Any) -> SyncRecursiveOrchestratorClient:
        """Return a person's client."""
        return SyncRecursiveOrchestratorClient(**{"api_url": self.url, "api_key": self.key, **more})

    def async_client(self, **more: Any) -> RecursiveOrchestratorClient:
        return RecursiveOrchestratorClient(**{"api_url": self.url, "api_key": self.key, **more})

    def script(self, name: str, text: str) -> str:
        """Write a Python program that may use the client, and return the command line that runs it."""
        path = self.project / f"{name}.py"
        path.write_text(PREAMBLE + dedent(text))
        return f"{shlex.quote(sys.executable)} {shlex.quote(str(path))}"

    def group(self, *commands: str, **limits: Any) -> int:
        """Start a tree whose root is a group of commands, which run at depth 1."""
        items = tuple(NewJob(command, Kind.COMMAND) for command in commands)
        return self.submit_tree(NewTree(NewJob("a group", Kind.GROUP), items, Limits(**limits), str(self.project)))

    def result(self, job_id: int) -> Any:
        """Return what a script has printed as JSON, once its job has ended, whatever became of its children."""
        job = self.until_ended(job_id)
        assert job.own_status is Status.COMPLETED, f"{job.error}\n{job.result}\n{self.describe()}"
        return json.loads(job.result or "")

    def below(self, job_id: int) -> list[Job]:
        return self.jobs(job_id)[1:]

    def _noted(self, process: "subprocess.Popen[bytes]") -> bool:
        if process.poll() is not None:
            raise ServerEnded((self.project / "serve.log").read_text())
        try:
            note = json.loads((self.home.root / "api.json").read_text())
        except FileNotFoundError:
            return False
        self.url = note["url"]
        return bool(note["pid"] == process.pid)
