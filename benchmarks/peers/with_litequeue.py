"""litequeue: a queue in SQLite and nothing else. Who takes jobs from it is for its user to write; here it is threads.

So nothing supervises, tries again or waits for a subtree, and a tree would be all of the benchmark's own making.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol import CLOCK, NO_OP, Peer, main, note_done, package_version, run_job, wait_done

#: What a thread sleeps when it finds nothing; the package has no way to wait for a message.
POLL_S = 0.005


class Litequeue(Peer):
    """A thread a slot, each with its own connection."""

    def version(self) -> str:
        return package_version("litequeue")

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        from litequeue import LiteQueue

        self._folder, self._stop = folder, threading.Event()
        self._queue = LiteQueue(str(folder / "queue.db"))
        threads = [threading.Thread(target=self._work) for _ in range(workers)]
        for thread in threads:
            thread.start()
        yield
        self._stop.set()
        for thread in threads:
            thread.join()

    def run(self, count: int) -> None:
        for _ in range(count):
            self._queue.put("")
        wait_done(self._folder, count)

    def start_clock(self, out: Path, way: str) -> Path:
        self._queue.put(str(out))
        return out

    def _work(self) -> None:
        from litequeue import LiteQueue

        queue = LiteQueue(str(self._folder / "queue.db"))
        while not self._stop.is_set():
            message = queue.pop()
            if message is None:
                time.sleep(POLL_S)
                continue
            run_job(CLOCK if message.data else NO_OP, message.data or None)
            queue.done(message.message_id)
            if not message.data:
                note_done(str(self._folder))


if __name__ == "__main__":
    main(Litequeue())
