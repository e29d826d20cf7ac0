"""dramatiq over Redis: one worker process with a thread for each job at once."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from protocol import CHILDREN, CLOCK, NO_OP, Peer, main, note_done, package_version, run_body, run_job, wait_done
from services import need_redis, redis, running

HERE = Path(__file__).parent
#: Below the time that the client of Redis waits for an answer.
WAIT_MS = 1_000

if "BENCH_FOLDER" in os.environ:
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker
    from dramatiq.results import Results
    from dramatiq.results.backends import RedisBackend
    from dramatiq.results.errors import ResultTimeout

    FOLDER = os.environ["BENCH_FOLDER"]
    URL = f"unix://{FOLDER}/redis.sock"
    broker = RedisBroker(url=URL)
    broker.add_middleware(Results(backend=RedisBackend(url=URL)))
    dramatiq.set_broker(broker)

    @dramatiq.actor
    def job(argv: list[str], out: str | None = None) -> None:
        """Run one process."""
        run_job(tuple(argv), out)
        if out is None:
            note_done(FOLDER)

    @dramatiq.actor(store_results=True)
    def node(below: int, body_s: float) -> bool:
        """Run a job of the tree, then its children, and wait for them in the task."""
        run_body(body_s)
        if below:
            children = [node.send(below - 1, body_s) for _ in range(CHILDREN)]
            return all(result_of(child) for child in children)
        return True

    def result_of(message: dramatiq.Message) -> bool:
        """Wait for a result for as long as it takes."""
        while True:
            with suppress(ResultTimeout):
                return message.get_result(block=True, timeout=WAIT_MS)


class Dramatiq(Peer):
    """The worker is dramatiq's own program."""

    tree_ways = ("waiting in the task",)

    def version(self) -> str:
        need_redis()
        return package_version("dramatiq") + " (Redis)"

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        os.environ["BENCH_FOLDER"] = str(folder)
        argv = [sys.executable, "-m", "dramatiq", "-p", "1", "-t", str(workers), "--skip-logging", "with_dramatiq"]
        with redis(folder), running(argv, cwd=HERE):
            import with_dramatiq

            self._folder, self._tasks = folder, with_dramatiq
            yield

    def run(self, count: int) -> None:
        for _ in range(count):
            self._tasks.job.send(list(NO_OP))
        wait_done(self._folder, count)

    def start_clock(self, out: Path, way: str) -> Path:
        self._tasks.job.send(list(CLOCK), str(out))
        return out

    def tree(self, below: int, body_s: float, way: str) -> None:
        assert self._tasks.result_of(self._tasks.node.send(below, body_s))


if __name__ == "__main__":
    main(Dramatiq())
