"""A fresh store with a supervisor process of its own, and commands run by it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from store.database import Store
from store.home import Home
from store.models import Limits, NewJob, NewTree
from store.settings import set_setting
from store.states import FINAL, Kind, Status
from store.submit import submit_tree
from store.tree import get_job
from tui_orch.client.poll import wait_for_change
from tui_orch.supervisor.ownership import holder

PATIENCE_S = 120.0


@contextmanager
def supervised(folder: Path, slots: int) -> Iterator[tuple[Store, "subprocess.Popen[bytes]"]]:
    """Give a store in ``folder`` and the process of its supervisor, which ends with the block."""
    home = Home(folder / ".orch")
    # This process's own, in which a benchmark may have named a model; nothing of a job that we may be inside of.
    env = {name: value for name, value in os.environ.items() if not name.startswith("ORCH_")}
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    with Store.open(home, create=True) as store:
        with store.write() as tx:
            set_setting(tx, "slots", slots)
            set_setting(tx, "max_workers_ceiling", 100)
        argv = [sys.executable, "-P", "-m", "tui_orch.supervisor", str(home.root)]
        process = subprocess.Popen(argv, env=env, cwd=folder, stderr=subprocess.DEVNULL)
        try:
            end_s = time.monotonic() + PATIENCE_S
            while holder(home) is None and time.monotonic() < end_s:
                time.sleep(0.01)
            yield store, process
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def run_together(store: Store, folder: Path, requests: Sequence[str], *, workers: int = 3, max_depth: int = 2) -> float:
    """Run shell lines side by side; return the seconds from the request's commit to the last one's end."""
    limits = Limits(max_depth=max_depth, max_workers=workers, timeouts_s=(PATIENCE_S,))
    items = tuple(NewJob(request, Kind.COMMAND) for request in requests)
    with store.write() as tx:
        now_ms = time.time_ns() // 1_000_000
        root_id = submit_tree(tx, NewTree(NewJob("together", Kind.GROUP), items, limits, str(folder)), now_ms)
    began = time.monotonic()
    while True:
        seen = store.data_version()
        with store.read() as reader:
            root = get_job(reader, root_id)
        if root.status in FINAL:
            assert root.status is Status.COMPLETED, root
            return time.monotonic() - began
        wait_for_change(store.data_version, seen, PATIENCE_S)
