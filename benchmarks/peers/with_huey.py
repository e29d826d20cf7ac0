"""huey with its SQLite storage: a consumer with a thread for each job at once; results are kept in the database."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol import CHILDREN, CLOCK, NO_OP, Peer, main, note_done, package_version, run_body, run_job, wait_done
from services import running

HERE = Path(__file__).parent

if "BENCH_FOLDER" in os.environ:  # in the consumer, and here once the folder is known
    from huey import SqliteHuey

    FOLDER = os.environ["BENCH_FOLDER"]
    huey = SqliteHuey(filename=f"{FOLDER}/huey.db")

    @huey.task()
    def job(argv: list[str], out: str | None = None) -> None:
        """Run one process."""
        run_job(tuple(argv), out)
        if out is None:
            note_done(FOLDER)

    @huey.task()
    def node(below: int, body_s: float) -> bool:
        """Run a job of the tree, then its children, and wait for them in the task."""
        run_body(body_s)
        if below:
            children = [node(below - 1, body_s) for _ in range(CHILDREN)]
            return all(child.get(blocking=True) for child in children)
        return True


class Huey(Peer):
    """The consumer is huey's own program."""

    tree_ways = ("waiting in the task",)

    def version(self) -> str:
        return package_version("huey")

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        os.environ["BENCH_FOLDER"] = str(folder)
        import with_huey

        self._folder, self._tasks = folder, with_huey
        consumer = str(Path(sys.executable).parent / "huey_consumer")
        argv = [sys.executable, consumer, "with_huey.huey", "-w", str(workers), "-k", "thread", "-q"]
        with running(argv, cwd=HERE):
            yield

    def run(self, count: int) -> None:
        for _ in range(count):
            self._tasks.job(list(NO_OP))
        wait_done(self._folder, count)

    def start_clock(self, out: Path, way: str) -> Path:
        self._tasks.job(list(CLOCK), str(out))
        return out

    def tree(self, below: int, body_s: float, way: str) -> None:
        assert self._tasks.node(below, body_s).get(blocking=True)


if __name__ == "__main__":
    main(Huey())
