"""`orch serve` as a process, and what a test asks of it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from store.database import Store
from store.home import Home
from store.keys import new_key
from tui_orch.client.measures import now_ms

ORCH = str(Path(sys.executable).with_name("orch"))
PATIENCE_S = 40.0


class AtServe:
    """A project folder with a store and a key, and the processes that a test starts in it."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.home = Home(project / ".orch")
        self.env = {"PATH": os.environ["PATH"], "HOME": str(project), "LANG": "C.UTF-8", "TZ": "UTC"}
        self.processes: list[subprocess.Popen[str]] = []
        self.clients: list[httpx.Client] = []
        with Store.open(self.home, create=True) as store, store.write() as tx:
            self.key = new_key(tx, "a test", now_ms())[1]

    def orch(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [ORCH, *arguments], cwd=self.project, env=self.env, capture_output=True, text=True, timeout=60, check=False
        )

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [ORCH, *arguments],
            cwd=self.project,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def serve(self, *arguments: str) -> tuple["subprocess.Popen[str]", httpx.Client]:
        """Start the server and return it with a client, once it takes calls."""
        process, url = self.serve_at(*arguments)
        return process, self.client(url)

    def serve_at(self, *arguments: str) -> tuple["subprocess.Popen[str]", str]:
        """Start the server and return it with its address, once it takes calls."""
        process = self.start("serve", "--port", "0", *arguments)
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("orch api at http"), process.communicate(timeout=20)
        return process, said.split()[-1]

    def client(self, url: str) -> httpx.Client:
        headers = {"X-API-Key": self.key}
        made = httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=20, trust_env=False)
        self.clients.append(made)
        return made

    def wait_for(self, look: Callable[[], Any], what: str) -> Any:
        until = time.monotonic() + PATIENCE_S
        while not (found := look()):
            assert time.monotonic() < until, f"still waiting for {what}"
            time.sleep(0.02)
        return found

    def ended(self, client: httpx.Client, job_id: str) -> dict[str, Any]:
        """Return a job's results once it has ended."""

        def look() -> httpx.Response | None:
            answer = client.get(f"/jobs/{job_id}/results")
            return answer if answer.status_code == 200 else None

        found: dict[str, Any] = self.wait_for(look, f"job {job_id}").json()
        return found

    def close(self) -> None:
        for client in self.clients:
            client.close()
        for process in self.processes:
            process.kill()
            process.communicate()
