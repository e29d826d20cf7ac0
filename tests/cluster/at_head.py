"""A store on the head of a real cluster: `orch serve` runs there, its workers run on the nodes.

The store's files are seen from here, too, as all hosts share the file system; what has to reach a node's network, or
tells processes by number, runs on the head.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from store.models import Attempt, Limits, NewJob, NewTree
from store.needs import Needs
from store.states import Kind
from store.tree import attempts
from tests.cluster.cluster import Cluster
from tests.cluster.hosts import Spawned, private_folder, until
from tests.lifecycle.at_work import AtWork
from tests.store.invariants import check

#: A worker lives so long without a word from the head (s): the shorter, the sooner a loss is made good.
LEASE_S = 12.0
PORT = 8000
PATIENCE_S = 120.0
_BIN = Path(sys.executable).parent
_FRONT = re.compile(r"worker --url \S+ --attempt")

#: Says every 0.1 s that it lives, with the attempt, the host and the seconds since this machine's start, which all hosts
#: share. A first attempt goes on until the file `go` is there, a later one ends by itself.
BEAT = """
beat() { read -r up _ </proc/uptime; echo "$ORCH_ATTEMPT_ID $(hostname) $up" >>"$1"; sleep 0.1; }
case $ORCH_ATTEMPT_ID in
*.1) until [ -e go ]; do beat "$1"; done ;;
*) for n in 1 2 3 4 5; do beat "$1"; done ;;
esac
echo "beaten at $(hostname)"
"""


def on(node: str) -> Needs:
    """Return what binds a job to a node."""
    return Needs(labels={"zone": node})


class AtHead(AtWork):
    """A store at work whose workers live on a cluster's nodes."""

    def __init__(self, project: Path, env: Mapping[str, str], cluster: Cluster) -> None:
        super().__init__(project, {**env, **cluster.environment()})
        self.cluster = cluster
        self.head = cluster.hosts["head"]
        self.url = f"http://{self.head.address}:{PORT}"
        self.servers: list[Spawned] = []
        self.program = project.parent / "orch-on-node"
        self.program.write_text(_program())
        self.program.chmod(0o755)
        (project / "beat.sh").write_text(BEAT)
        self.configure()

    def configure(self, *lines: str) -> None:
        """Write the store's config.toml, with more lines for [launcher]."""
        usual = (f'url = "{self.url}"', f"lease_s = {LEASE_S}", f'program = "{self.program}"')
        needs = ("[launcher.needs]", "memory_mb = 200")
        told = "\n".join(["[launcher]", *usual, *lines, *needs, self.cluster.launcher()])
        (self.home.root / "config.toml").write_text(told)

    @contextmanager
    def unseen(self, *folders: Path) -> Iterator[None]:
        """Let the nodes find these folders empty, as if they shared no files with the head."""
        nodes = [self.cluster.hosts[name] for name in self.cluster.nodes]
        for node in nodes:
            for folder in folders:
                node.run("mount", "-t", "tmpfs", "tmpfs", str(folder), cwd=Path("/"))
        try:
            yield
        finally:
            for node in nodes:
                for folder in folders:
                    node.run("umount", "--lazy", str(folder), cwd=Path("/"))

    def serve(self) -> Spawned:
        """Start `orch serve` on the head, and wait until it takes calls."""
        log = self.project / f"serve.{len(self.servers)}.log"
        words = ("serve", "--launcher", self.cluster.kind, "--host", self.head.address, "--port", str(PORT))
        server = self.head.spawn(str(_BIN / "orch"), *words, "--insecure-bind", log=log, env=self.env, cwd=self.project)
        self.servers.append(server)
        until(lambda: server.poll() is not None or self.url in log.read_text(), "a server", PATIENCE_S)
        assert server.poll() is None, log.read_text()
        return server

    def orch(self, *arguments: str, code: int | None = 0) -> "subprocess.CompletedProcess[str]":
        return self.head.run(str(_BIN / "orch"), *arguments, env=self.env, cwd=self.project, code=code, timeout_s=300.0)

    def group(self, *items: NewJob, **limits: object) -> int:
        """Start a tree whose root is a group of these jobs."""
        new = NewTree(NewJob("a group", Kind.GROUP), items, Limits(**limits), str(self.project))  # type: ignore[arg-type]
        return self.submit_tree(new)

    def attempts(self, job_id: int) -> list[Attempt]:
        with self.store.read() as reader:
            return attempts(reader, job_id)

    def beats(self, name: str) -> list[tuple[int, str, float]]:
        """Return what a command has said of itself: number of the attempt, host, time (s)."""
        path = self.project / name
        lines = path.read_text().splitlines() if path.exists() else []
        words = [line.split() for line in lines]
        return [(int(which.rpartition(".")[2]), host, float(up_s)) for which, host, up_s in words]

    def on_nodes(self) -> list[str]:
        """Return what is left on any node of any attempt of this store, and of its guards."""
        marked = set(self.processes())
        return [
            f"{name}: {process.pid} {process.command}"
            for name in self.cluster.nodes
            for process in self.cluster.hosts[name].processes()
            if process.pid in marked or (_FRONT.search(process.command) and str(self.project) in process.command)
        ]

    def until_nothing_is_left(self) -> None:
        self.wait_for(lambda: not self.on_nodes(), "the end of all on the nodes", PATIENCE_S)

    def describe(self) -> str:
        logs = [f"{path.name}: {path.read_text()[-2_000:]}" for path in sorted(self.project.glob("serve.*.log"))]
        workers = [f"{path}: {path.read_text()[-600:]}" for path in sorted(self.home.root.rglob("worker.log"))[:8]]
        return "\n".join([super().describe(), *self.on_nodes(), *logs, *workers])

    def end(self) -> None:
        for server in self.servers:
            server.end()
        super().end()


def _program() -> str:
    """Return the program that an engine starts on a node: `orch`, with a home of that node's own."""
    return (
        f'#!/bin/sh\nexport HOME={private_folder()}/home\nunset XDG_CACHE_HOME CLAUDE_CONFIG_DIR\nmkdir -p "$HOME"\n'
        f'exec {_BIN / "orch"} "$@"\n'
    )


@contextmanager
def at_head(folder: Path, cluster: Cluster) -> Iterator[AtHead]:
    """Yield a store in a project of its own; at the end nothing of it is left on any host."""
    home = folder / "home"
    home.mkdir()
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb"}
    project = folder / "project"
    project.mkdir()
    work = AtHead(project, env, cluster)
    work.set("retry_base_s", 0.05)
    work.set("grace_s", 3.0)
    try:
        yield work
        with work.store.read() as reader:
            check(reader)
    finally:
        work.end()
