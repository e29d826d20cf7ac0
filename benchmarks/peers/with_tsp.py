"""task-spooler: a server process with a queue; a client process for each job that is handed in. Nothing is kept on disk."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol import CHILDREN, CLOCK, NO_OP, Peer, main, program_version

_NODE = f"""\
sleep "$BODY"
[ "$1" = 0 ] && exit
for child in {" ".join(str(number) for number in range(CHILDREN))}; do
    jobs="$jobs $(tsp sh "$0" $(($1 - 1)))"
done
for job in $jobs; do tsp -w "$job"; done
"""


class TaskSpooler(Peer):
    """``tsp -S K`` sets the slots."""

    tree_ways = ("tsp -w",)

    def version(self) -> str:
        return " ".join(program_version("tsp", "-V").split()[:3])

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        self._folder, self._workers = folder, workers
        os.environ |= {"TS_SOCKET": str(folder / "socket"), "TMPDIR": str(folder), "TS_MAXFINISHED": "100000"}
        self._tsp("-S", str(workers))
        yield
        self._tsp("-K")

    def run(self, count: int) -> None:
        jobs = [self._tsp("-n", *NO_OP) for _ in range(count)]
        for job in jobs[-self._workers :]:
            self._tsp("-w", job)

    def start_clock(self, out: Path, way: str) -> Path:
        self._tsp("sh", "-c", f"exec {CLOCK[0]} {CLOCK[1]} > {out}")
        return out

    def tree(self, below: int, body_s: float, way: str) -> None:
        node = self._folder / "node.sh"
        node.write_text(_NODE)
        os.environ["BODY"] = str(body_s)
        self._tsp("-w", self._tsp("sh", str(node), str(below)))

    def _tsp(self, *arguments: str) -> str:
        done = subprocess.run(["tsp", *arguments], check=False, stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()


if __name__ == "__main__":
    main(TaskSpooler())
