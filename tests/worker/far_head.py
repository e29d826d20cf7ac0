"""A head for far workers in a test: a store, the real API over loopback, and the real `orch worker`; no supervisor."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from store import claim, submit
from store.database import Store
from store.home import Home
from store.models import Fence, Job, NewJob, NewTree
from store.states import Kind
from store.tree import get_job
from tui_orch.api.server import Server
from tui_orch.api.tls import Tls
from tui_orch.client.measures import now_ms
from tui_orch.worker.remote.claimed import NodeTerms

ORCH = str(Path(sys.executable).with_name("orch"))
CODE = "c" * 64
PATIENCE_S = 60.0
T = TypeVar("T")


def until(look: Callable[[], T], what: str) -> T:
    """Look again until there is something, and return it."""
    end = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.02)
    return found


@dataclass
class Head:
    """A store that is served. ``node``: the home of whoever works elsewhere; ``env``: what a node has besides."""

    store: Store
    url: str
    node: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def start(self, *argv: str) -> Fence:
        """Hand in a command, and start its attempt in the store."""
        return self.hand_in(NewJob(argv[-1], Kind.COMMAND, argv=argv))

    def hand_in(self, job: NewJob) -> Fence:
        """Hand in a tree, and start its first attempt in the store."""
        with self.store.write() as tx:
            new = NewTree(job, work_dir=str(self.store.home.project))
            job_id = submit.submit_tree(tx, new, now_ms())
        return self.next_attempt(job_id)

    def next_attempt(self, job_id: int) -> Fence:
        """Start the next attempt of a job in the store."""
        with self.store.write() as tx:
            return claim.start_attempt(tx, job_id, claim.token_hash(CODE), now_ms())

    def worker(self, fence: Fence, code: str = CODE, node: Path | None = None) -> "subprocess.Popen[str]":
        """Start what an engine would start on a node."""
        home = node or self.node
        home.mkdir(exist_ok=True)
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "ORCH_CLAIM_CODE": code, **self.env}
        argv = [ORCH, "worker", "--url", self.url, "--attempt", f"{fence.job_id}.{fence.attempt}"]
        return subprocess.Popen(argv, env=env, cwd=home, text=True, stderr=subprocess.PIPE)

    def run(self, fence: Fence, code: str = CODE, node: Path | None = None) -> tuple[int, str]:
        """Start it and wait; return its exit code and what it said."""
        with self.worker(fence, code, node) as process:
            return process.wait(60), process.stderr.read() if process.stderr else ""

    def job(self, fence: Fence) -> Job:
        """Return the job as it is now."""
        with self.store.read() as reader:
            return get_job(reader, fence.job_id)


@contextmanager
def far_head(folder: Path, terms: NodeTerms | None = None, tls: Tls | None = None) -> Iterator[Head]:
    """Serve a new store."""
    project, node = folder / "project", folder / "node"
    project.mkdir()
    home = Home(project / ".orch")
    nodes = terms or NodeTerms(lease_s=30)
    with Store.open(home, create=True) as store, Server(home, port=0, nodes=nodes, tls=tls) as server:
        yield Head(store, server.url, node)
