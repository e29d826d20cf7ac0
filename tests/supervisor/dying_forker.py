"""A forker that dies by kill -9 at a moment of its choice: ``python dying_forker.py MOMENT DESCRIPTOR HOME KIND ROOM``.

``import``: before it is ready; ``request``: with a request in hand; ``second``: with the second one in hand, and more to come; ``fork``: the child is there, nobody was told; ``answer``:
the launcher was told, the child was not; ``idle``: it ends by itself soon after it has served; ``stuck``: it stops instead.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import standin_forker

from store.home import Home
from tui_orch.worker import forker
from tui_orch.worker.fork_messages import Answer, Started

moment = sys.argv[1]
pid = os.getpid()
forks: list[int] = []
answer, fork, write = forker.send_answer, os.fork, os.write


def die() -> None:
    if os.getpid() == pid:
        os.kill(pid, signal.SIGKILL)


def dying_fork() -> int:
    if moment == "stuck":
        os.kill(pid, signal.SIGSTOP)
    forks.append(1)
    if moment == "request" or (moment == "second" and len(forks) == 2):
        die()
    return fork()


def dying_answer(end: Any, said: Answer) -> None:
    if moment == "fork" and isinstance(said, Started):
        die()
    answer(end, said)


def dying_write(fd: int, data: bytes) -> int:
    if moment == "answer":
        die()
    return write(fd, data)


if __name__ == "__main__":
    if moment == "import":
        die()
    forker.send_answer = dying_answer
    os.fork, os.write = dying_fork, dying_write
    forker.serve(int(sys.argv[2]), Home(Path(sys.argv[3])), standin_forker.run, 0.2 if moment == "idle" else None)
