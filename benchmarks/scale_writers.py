"""Some processes that commit to one store as fast as they get their turn, and how many commits each got.

``python benchmarks/scale_writers.py HOME JOB SECONDS`` is one of them: it begins when it reads a line, and prints its count.
"""

import subprocess
import sys
import time
from pathlib import Path

from store.claim import claim, set_activity, start_attempt
from store.database import Store
from store.home import Home
from store.models import Fence, Limits, NewJob, NewTree
from store.states import Kind
from store.submit import submit_tree


def committed(home: Home, writers: int, seconds: float) -> list[int]:
    """Return how often each of so many writers could commit meanwhile, each for a running job of its own."""
    with Store.open(home) as store:
        job_ids = [_running_job(store).job_id for _ in range(writers)]
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, str(home.root), str(job_id), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for job_id in job_ids
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()  # it is ready
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [int(process.communicate()[0]) for process in processes]


def _running_job(store: Store) -> Fence:
    now_ms = time.time_ns() // 1_000_000
    with store.write() as tx:
        new = NewTree(NewJob("sleep 60", Kind.COMMAND), limits=Limits(max_depth=0))
        fence = start_attempt(tx, submit_tree(tx, new, now_ms), "0" * 64, now_ms)
        claim(tx, fence, 1, now_ms)
    return fence


def main() -> None:
    """Be one writer."""
    home, fence, seconds = Home(Path(sys.argv[1])), Fence(int(sys.argv[2]), 1), float(sys.argv[3])
    with Store.open(home) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        end_s = time.monotonic() + seconds
        count = 0
        while time.monotonic() < end_s:
            with store.write() as tx:
                set_activity(tx, fence, f"line {count}", time.time_ns() // 1_000_000)
            count += 1
    print(count)


if __name__ == "__main__":
    main()
