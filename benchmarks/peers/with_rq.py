"""rq over Redis: a worker process for each job at once, each of which forks for every job."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from protocol import (
    CHILDREN,
    CLOCK,
    NO_OP,
    Peer,
    main,
    note_done,
    package_version,
    run_body,
    run_job,
    wait_done,
    wait_until,
)
from services import need_redis, redis, running

HERE = Path(__file__).parent
TIMEOUT_S = 600


def job(argv: list[str], out: str | None = None) -> None:
    """Run one process."""
    run_job(tuple(argv), out)
    if out is None:
        note_done(os.environ["BENCH_FOLDER"])


def node(below: int, body_s: float) -> None:
    """Run a job of the tree, then its children, and wait for them in the task."""
    run_body(body_s)
    if below:
        queue = _queue()
        children = [queue.enqueue(node, below - 1, body_s, job_timeout=TIMEOUT_S) for _ in range(CHILDREN)]
        wait_until(lambda: all(child.is_finished for child in children), look_s=0.01)


def _queue():  # noqa: ANN202 - rq is not there where types are checked
    from redis import Redis
    from rq import Queue

    return Queue(connection=Redis(unix_socket_path=os.environ["BENCH_FOLDER"] + "/redis.sock"))


class Rq(Peer):
    """The workers are rq's own programs."""

    tree_ways = ("waiting in the task",)

    def version(self) -> str:
        need_redis()
        return package_version("rq") + " (Redis)"

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        os.environ["BENCH_FOLDER"] = str(folder)
        program = str(Path(sys.executable).parent / "rq")
        argv = [
            sys.executable,
            program,
            "worker",
            "--quiet",
            "--path",
            str(HERE),
            "--url",
            f"unix://{folder}/redis.sock",
        ]
        with redis(folder), ExitStack() as stack:
            for _ in range(workers):
                stack.enter_context(running(argv, cwd=HERE))
            import with_rq

            self._folder, self._queue, self._tasks = folder, _queue(), with_rq
            yield

    def run(self, count: int) -> None:
        for _ in range(count):
            self._queue.enqueue(self._tasks.job, list(NO_OP))
        wait_done(self._folder, count)

    def start_clock(self, out: Path, way: str) -> Path:
        self._queue.enqueue(self._tasks.job, list(CLOCK), str(out))
        return out

    def tree(self, below: int, body_s: float, way: str) -> None:
        root = self._queue.enqueue(self._tasks.node, below, body_s, job_timeout=TIMEOUT_S)
        wait_until(lambda: root.is_finished, look_s=0.01)


if __name__ == "__main__":
    main(Rq())
