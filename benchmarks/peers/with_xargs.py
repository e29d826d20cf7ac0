"""`xargs -P`, the yardstick: nothing but starting processes. It keeps no queue, no outcome and no tree."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol import CLOCK, NO_OP, Peer, main, program_version


class Xargs(Peer):
    """Lines in, processes out. For latency it reads an open pipe."""

    def version(self) -> str:
        return program_version("xargs", "--version")

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        self._workers = workers
        self._pipe: subprocess.Popen[bytes] | None = None
        yield
        self._end_of_lines()

    def run(self, count: int) -> None:
        lines = "\n".join(str(number) for number in range(count))
        argv = ["xargs", f"-P{self._workers}", "-n1", *NO_OP]
        subprocess.run(argv, input=lines, text=True, check=True)

    def start_clock(self, out: Path, way: str) -> Path:
        # One xargs for all: its jobs append to one file, so each gets a shell that knows its own.
        if self._pipe is None:
            argv = ["xargs", "-n1", "sh", "-c", f'exec {CLOCK[0]} {CLOCK[1]} > "$0"']
            self._pipe = subprocess.Popen(argv, stdin=subprocess.PIPE)
        assert self._pipe.stdin is not None
        self._pipe.stdin.write(f"{out}\n".encode())
        self._pipe.stdin.flush()
        return out

    def _end_of_lines(self) -> None:
        if self._pipe is not None:
            self._pipe.communicate()


if __name__ == "__main__":
    main(Xargs())
