"""Celery over Redis, for messages and results: one worker with a process for each job at once (prefork, its default)."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol import CHILDREN, CLOCK, NO_OP, Peer, main, note_done, package_version, run_body, run_job, wait_done
from services import need_redis, redis, running

HERE = Path(__file__).parent

if "BENCH_FOLDER" in os.environ:
    from celery import Celery, chord

    FOLDER = os.environ["BENCH_FOLDER"]
    app = Celery(
        "with_celery",
        broker=f"redis+socket://{FOLDER}/redis.sock",
        backend=f"redis+socket://{FOLDER}/redis.sock?virtual_host=1",
    )
    # One message at a time for each process; or a job waits behind another one while a process has nothing to do.
    app.conf.update(worker_prefetch_multiplier=1, broker_connection_retry_on_startup=True)

    @app.task
    def job(argv: list[str], out: str | None = None) -> None:
        """Run one process."""
        run_job(tuple(argv), out)
        if out is None:
            note_done(FOLDER)

    @app.task
    def gather(_: list[None]) -> None:
        """Be the end of a chord."""

    @app.task(bind=True)
    def chord_node(self, below: int, body_s: float):  # noqa: ANN001, ANN201 - celery is not there where types are checked
        """Run a job of the tree; a chord of its children takes its place."""
        run_body(body_s)
        if below:
            raise self.replace(chord([chord_node.si(below - 1, body_s) for _ in range(CHILDREN)], gather.s()))

    @app.task
    def waiting_node(below: int, body_s: float) -> None:
        """Run a job of the tree, then its children, and wait for them in the task."""
        run_body(body_s)
        if below:
            for child in [waiting_node.delay(below - 1, body_s) for _ in range(CHILDREN)]:
                child.get(disable_sync_subtasks=False)


class CeleryPeer(Peer):
    """The worker is Celery's own program."""

    tree_ways = ("chords", "waiting in the task")

    def version(self) -> str:
        need_redis()
        return package_version("celery") + " (Redis)"

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        os.environ["BENCH_FOLDER"] = str(folder)
        argv = [sys.executable, "-m", "celery", "--quiet", "-A", "with_celery", "worker", "-c", str(workers)]
        argv += ["-l", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        with redis(folder), running(argv, cwd=HERE):
            import with_celery

            self._folder, self._tasks = folder, with_celery
            self._tasks.job.delay(list(NO_OP))
            wait_done(folder, 1)
            yield

    def run(self, count: int) -> None:
        for _ in range(count):
            self._tasks.job.delay(list(NO_OP))
        wait_done(self._folder, count)

    def start_clock(self, out: Path, way: str) -> Path:
        self._tasks.job.delay(list(CLOCK), str(out))
        return out

    def tree(self, below: int, body_s: float, way: str) -> None:
        task = self._tasks.chord_node if way == "chords" else self._tasks.waiting_node
        task.delay(below, body_s).get()


if __name__ == "__main__":
    main(CeleryPeer())
