"""GNU parallel: a job log holds the outcomes. In a tree each parallel would have slots of its own: not expressible."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol import CLOCK, NO_OP, Peer, main, program_version


class Parallel(Peer):
    """Lines in, processes out, a line in the log for each."""

    def version(self) -> str:
        return program_version("parallel", "--version")

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        self._log, self._workers = folder / "jobs.log", workers
        self._pipe: subprocess.Popen[bytes] | None = None
        yield
        self._end_of_lines()

    def run(self, count: int) -> None:
        lines = "\n".join(str(number) for number in range(count))
        argv = ["parallel", "--will-cite", f"-j{self._workers}", "--joblog", str(self._log), "-n1", *NO_OP]
        subprocess.run(argv, input=lines, text=True, check=True)

    def start_clock(self, out: Path, way: str) -> Path:
        if self._pipe is None:
            argv = ["parallel", "--will-cite", "-j2", "--line-buffer", f"{CLOCK[0]} {CLOCK[1]} > {{}}"]
            self._pipe = subprocess.Popen(argv, stdin=subprocess.PIPE)
        assert self._pipe.stdin is not None
        self._pipe.stdin.write(f"{out}\n".encode())
        self._pipe.stdin.flush()
        return out

    def _end_of_lines(self) -> None:
        if self._pipe is not None:
            self._pipe.communicate()


if __name__ == "__main__":
    main(Parallel())
