"""tui-orch itself, as any other peer: a store with synchronous=FULL and one supervisor process, as `orch up` starts it.

Every job is supervised, runs in a process group of its own with its output in a file, and has its outcome, its attempt and
its changes recorded in the store before it counts as done here.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from protocol import CHILDREN, CLOCK, NO_OP, NotThere, Peer, main, package_version, wait_until
from services import running

with suppress(ModuleNotFoundError):  # then `version` says it
    from store import control
    from store.database import Store
    from store.home import Home
    from store.models import Job, Limits, NewJob, NewTree
    from store.settings import set_setting
    from store.states import FINAL, Kind, Status
    from store.submit import submit_tree
    from store.tree import get_job
    from tui_orch.client.poll import wait_for_change
    from tui_orch.supervisor.ownership import holder

PATIENCE_S = 3600.0
MOST_LEVELS = 5
#: The job of a tree, as a shell script. Its end is that of its own work: the row waits for the children without a process.
_NODE = """\
sleep {body_s}
[ "$1" = 0 ] && exit
below=$(($1 - 1))
{hand_in}
"""
_HAND_IN = {
    "plain rows": """\
sqlite3 -cmd '.timeout 30000' "$ORCH_HOME/orch.db" \\
    "INSERT INTO jobs(parent_id, kind, request) VALUES {rows}"
""",
    "orch spawn": "orch spawn --kind command {requests} > /dev/null",
    "orch spawn --wait": "orch spawn --wait --kind command {requests} > /dev/null",
}
#: A program of somebody else's: it writes a row when it is told to, and says which when that is committed.
_PLAIN_WRITER = """\
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("PRAGMA synchronous = FULL")
insert = "INSERT INTO jobs(parent_id, kind, request, argv) VALUES (?, 'command', 'clock', ?)"
for _ in sys.stdin:
    print(connection.execute(insert, (int(sys.argv[2]), sys.argv[3])).lastrowid, flush=True)
"""


class TuiOrch(Peer):
    """Latency: by the library, whose functions the command line uses too, or by a child row from the standard sqlite3."""

    tree_ways = tuple(_HAND_IN)
    latency_ways = ("library", "plain sqlite3")

    def version(self) -> str:
        if "Store" not in globals():
            raise NotThere("not installed in this interpreter")
        return package_version("tui-orch")

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        self._folder, self._workers = folder, workers
        self._writer: subprocess.Popen[str] | None = None
        os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        home = Home(folder / ".orch")
        argv = [sys.executable, "-P", "-m", "tui_orch.supervisor", str(home.root)]
        with Store.open(home, create=True) as self._store:
            with self._store.write() as tx:
                set_setting(tx, "slots", workers)
                set_setting(tx, "max_workers_ceiling", 100)
            with running(argv, cwd=folder, log=folder / "supervisor.log") as supervisor:
                wait_until(lambda: (found := holder(home)) is not None and found.pid == supervisor.pid, 20)
                yield
                self._end_writer()

    def run(self, count: int) -> None:
        item = NewJob(" ".join(NO_OP), Kind.COMMAND, argv=NO_OP)
        self._must_complete(self.submit(NewJob("no-ops", Kind.GROUP), (item,) * count))

    def start_clock(self, out: Path, way: str) -> Path:
        if way == "library":
            job_id = self.submit(NewJob(" ".join(CLOCK), Kind.COMMAND, argv=CLOCK))
        else:
            job_id = self._write_plainly()
        return self._store.home.attempt_dir(job_id, 1) / "output"

    def tree(self, below: int, body_s: float, way: str) -> None:
        requests = ["sh node.sh $below"] * CHILDREN
        rows = ", ".join(f"($ORCH_JOB_ID, 'command', '{request}')" for request in requests)
        hand_in = _HAND_IN[way].format(rows=rows, requests=" ".join(f'"{request}"' for request in requests))
        script = _NODE.format(body_s=body_s, hand_in=hand_in)
        (self._folder / "node.sh").write_text(script)
        self._must_complete(self.submit(NewJob(f"sh node.sh {below}", Kind.COMMAND)))

    def submit(self, root: "NewJob", items: "tuple[NewJob, ...]" = ()) -> int:
        """Hand in a tree with room for all; return its root's id."""
        limits = Limits(max_depth=MOST_LEVELS, max_jobs=100_000, max_children=100_000, max_workers=self._workers)
        with self._store.write() as tx:
            tree = NewTree(root, items, limits, str(self._folder))
            return submit_tree(tx, tree, time.time_ns() // 1_000_000)

    def _must_complete(self, job_id: int) -> None:
        job = self.until(job_id, FINAL)
        assert job.status is Status.COMPLETED, job

    def until(self, job_id: int, wanted: "frozenset[Status] | set[Status]") -> "Job":
        """Wait until a job is as wanted, by one look at the file's version every few milliseconds."""
        while True:
            seen = self._store.data_version()
            with self._store.read() as reader:
                job = get_job(reader, job_id)
            if job.status in wanted:
                return job
            wait_for_change(self._store.data_version, seen, PATIENCE_S)

    def _write_plainly(self) -> int:
        if self._writer is None:
            self._parent = self.submit(NewJob("sleep 3600", Kind.COMMAND))
            self.until(self._parent, {Status.RUNNING})
            argv = [
                sys.executable,
                "-c",
                _PLAIN_WRITER,
                str(self._store.home.database),
                str(self._parent),
                json.dumps(CLOCK),
            ]
            self._writer = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._writer.stdin is not None
        assert self._writer.stdout is not None
        self._writer.stdin.write("\n")
        self._writer.stdin.flush()
        return int(self._writer.stdout.readline())

    def _end_writer(self) -> None:
        if self._writer is not None:
            self._writer.communicate()
            with self._store.write() as tx:
                control.cancel(tx, self._parent, time.time_ns() // 1_000_000)
            self.until(self._parent, FINAL)


if __name__ == "__main__":
    main(TuiOrch())
