"""GNU make: a job server hands tokens to recursive makes, so parents wait without holding one. It keeps no outcome."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol import CHILDREN, NO_OP, Peer, main, program_version

_FLAT = f"""\
.PHONY: all $(JOBS)
all: $(JOBS)
$(JOBS): ; @{" ".join(NO_OP)}
"""
# A job's recipe runs its body and then a make for its children, which shares the job server.
_TREE = f"""\
JOBS := {" ".join(str(number) for number in range(CHILDREN))}
.PHONY: root $(JOBS)
children: $(JOBS)
root $(JOBS):
\t@sleep $(BODY)
\t+@[ $(BELOW) = 0 ] || $(MAKE) --no-print-directory -r -f tree.mk children BELOW=$$(($(BELOW) - 1))
"""


class Make(Peer):
    """Two makefiles."""

    tree_ways = ("recursive",)
    latency_ways = ()  # a make that runs takes no new jobs

    def version(self) -> str:
        return program_version("make", "--version")

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        self._folder, self._workers = folder, workers
        (folder / "flat.mk").write_text(_FLAT)
        (folder / "tree.mk").write_text(_TREE)
        yield

    def run(self, count: int) -> None:
        self._make("flat.mk", "all", f"JOBS={' '.join(str(number) for number in range(count))}")

    def tree(self, below: int, body_s: float, way: str) -> None:
        self._make("tree.mk", "root", f"BODY={body_s}", f"BELOW={below}")

    def _make(self, file: str, *arguments: str) -> None:
        argv = ["make", f"-j{self._workers}", "--no-print-directory", "-r", "-f", file, *arguments]
        subprocess.run(argv, cwd=self._folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(Make())
