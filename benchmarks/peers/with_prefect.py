"""Prefect with a server of its own over SQLite on loopback: one flow, whose tasks run in a pool of threads.

Its server takes some 20 s to start.
"""

import os
import queue
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from protocol import CHILDREN, CLOCK, NO_OP, Peer, main, package_version, run_body, run_job, wait_until
from services import running


class Prefect(Peer):
    """Tasks are handed in from inside the flow, which runs in a thread and does what it is given."""

    tree_ways = ("waiting in the task",)

    def version(self) -> str:
        return package_version("prefect")

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        os.environ |= {
            "HOME": str(folder),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_LOGGING_LEVEL": "CRITICAL",
            "DO_NOT_TRACK": "1",
        }
        argv = [
            sys.executable,
            "-m",
            "prefect",
            "server",
            "start",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--no-ui",
        ]
        with running(argv, cwd=folder):
            wait_until(lambda: _answers(port), 60, 0.1)
            import prefect
            from prefect.task_runners import ThreadPoolTaskRunner

            self._prefect, self._job = prefect, prefect.task(run_job)
            self._calls: queue.Queue[tuple[Callable[[], object], Future[object]] | None] = queue.Queue()
            flow = prefect.flow(task_runner=ThreadPoolTaskRunner(max_workers=workers))(self._do_calls)
            thread = threading.Thread(target=flow)
            thread.start()
            yield
            self._calls.put(None)
            thread.join()

    def run(self, count: int) -> None:
        self._in_flow(lambda: [future.wait() for future in [self._job.submit(NO_OP) for _ in range(count)]])

    def start_clock(self, out: Path, way: str) -> Path:
        self._in_flow(lambda: self._job.submit(CLOCK, str(out)))
        return out

    def tree(self, below: int, body_s: float, way: str) -> None:
        @self._prefect.task
        def node(below: int) -> None:
            run_body(body_s)
            if below:
                for child in [node.submit(below - 1) for _ in range(CHILDREN)]:
                    child.result()

        self._in_flow(lambda: node.submit(below).result())

    def _in_flow(self, call: Callable[[], object]) -> None:
        done: Future[object] = Future()
        self._calls.put((call, done))
        done.result()

    def _do_calls(self) -> None:
        while (given := self._calls.get()) is not None:
            call, done = given
            done.set_result(call())


def _answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    main(Prefect())
