"""What a peer has to be able to do, and the program around it. A peer is a file beside this one, a process of its own:

    python benchmarks/peers/with_huey.py version
    python benchmarks/peers/with_huey.py rate SECONDS WORKERS REPEATS FOLDER
    python benchmarks/peers/with_huey.py latency COUNT WAY FOLDER
    python benchmarks/peers/with_huey.py tree WORKERS BELOW BODY_S WAY PATIENCE_S FOLDER

It prints one line of JSON, or ends with code 3 and the reason on stderr where the peer is not installed. Its services and
workers are started and warm before the clock runs. They live in FOLDER and below this process; whoever called ends them.
Only the standard library here: Python peers run in an interpreter that knows nothing of tui-orch.
"""

import importlib.metadata
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: The job of the rate benchmark: a process that does nothing.
NO_OP = ("true",)
#: The job of the latency benchmark: its first act is to write the time (ns since 1970), about 1 ms after its exec.
CLOCK = ("date", "+%s%N")
#: Of every job of a tree that is not a leaf: 1, 5, 25, 125.
CHILDREN = 5
NOT_THERE = 3
WARM_UP_S = 60.0
#: Jobs of the run that tells how many the measured ones take, and the most that they take.
FIRST_COUNT, MOST = 10, 5_000
#: Between two jobs of the latency benchmark: long enough that all is idle again, uneven so that no poll is in step.
GAP_S = (0.05, 0.15)


class NotThere(Exception):
    """The peer, or a service that it needs, is not installed. The text says which."""


class Peer:
    """One peer. Subclasses overwrite what they can do; what they leave raises NotImplementedError."""

    #: How a tree, or a single job, can be handed in; the first is the usual one. Empty: it can not express that.
    tree_ways: tuple[str, ...] = ()
    latency_ways: tuple[str, ...] = ("",)
    #: A tree in which no body has run for so many seconds will never end: parents that wait have all its slots.
    stuck_s = 3.0

    def version(self) -> str:
        """Return name and version. Raises NotThere."""
        raise NotImplementedError

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        """Start services and workers for ``workers`` jobs at once; end them where that is not just killing them."""
        yield

    def run(self, count: int) -> None:
        """Hand in ``count`` times NO_OP and return when all have ended."""
        raise NotImplementedError

    def start_clock(self, out: Path, way: str) -> Path:
        """Hand in CLOCK and return as soon as the peer has taken it: the file with its output, ``out`` or the peer's own."""
        raise NotImplementedError

    def tree(self, below: int, body_s: float, way: str) -> None:
        """Run a tree with so many levels below its root, and return when all has ended.

        Each job sleeps ``body_s`` in a process and then hands in its children.
        """
        raise NotImplementedError


def package_version(package: str) -> str:
    """Return a Python package's name and version. Raises NotThere."""
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError as error:
        raise NotThere("not installed") from error


def program_version(program: str, *arguments: str) -> str:
    """Return the first line that ``program ARGUMENTS`` prints. Raises NotThere."""
    if shutil.which(program) is None:
        raise NotThere(f"no {program} on this machine")
    said = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return (said.stdout or said.stderr).splitlines()[0]


def run_job(argv: tuple[str, ...], out: str | None = None) -> None:
    """Run a job in a task of a Python peer: what a user would write there."""
    if out is None:
        subprocess.run(argv, check=True)
        return
    with open(out, "wb") as file:
        subprocess.run(argv, check=True, stdout=file)


def run_body(body_s: float) -> None:
    """Run the body of one job of a tree in a task of a Python peer."""
    subprocess.run(["sleep", str(body_s)], check=True)


def note_done(folder: str) -> None:
    """Tell that one job has ended, by one byte: for peers whose own ways to wait for many jobs cost more."""
    file = os.open(os.path.join(folder, "done"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, b".")
    finally:
        os.close(file)


def wait_done(folder: Path, count: int) -> None:
    """Wait until ``count`` jobs have told that they ended, and forget them."""
    done = folder / "done"
    wait_until(lambda: done.exists() and done.stat().st_size >= count)
    done.unlink()


def wait_until(so: Callable[[], object], limit_s: float = 3600.0, look_s: float = 0.002) -> None:
    """Wait for something; the caller's time limit is what usually ends a wait in vain. Raises TimeoutError."""
    until = time.monotonic() + limit_s
    while not so():
        if time.monotonic() > until:
            raise TimeoutError(so)
        time.sleep(look_s)


def _rate(peer: Peer, about_s: float, workers: int, repeats: int, folder: Path) -> list[float]:
    """Return the jobs per second of each repeat, with so many jobs that one takes about ``about_s``."""
    with peer.at_work(folder, workers):
        peer.run(workers)  # warm
        rate = _run(peer, FIRST_COUNT)
        count = min(max(FIRST_COUNT, int(rate * about_s)), MOST)
        return [_run(peer, count) for _ in range(repeats)]


def _run(peer: Peer, count: int) -> float:
    begin = time.monotonic()
    peer.run(count)
    return count / (time.monotonic() - begin)


def _latency(peer: Peer, count: int, way: str, folder: Path) -> list[tuple[int, int, int]]:
    """Return (handing in began, it was done, the process said its time) for each, in ns since 1970."""
    found = []
    with peer.at_work(folder, 2):
        for number in range(count + 1):
            time.sleep(random.uniform(*GAP_S))
            called_ns = time.time_ns()
            out = peer.start_clock(folder / f"clock.{number}", way)
            taken_ns = time.time_ns()
            wait_until(lambda: out.exists() and out.read_bytes().endswith(b"\n"), WARM_UP_S)  # noqa: B023 - used at once
            found.append((called_ns, taken_ns, int(out.read_text())))
    return found[1:]  # the first one was to warm up


def _tree(
    peer: Peer, workers: int, below: int, body_s: float, way: str, patience_s: float, folder: Path
) -> float | None:
    """Return the seconds that the tree took. Where it is stuck, print null and leave everything as it hangs."""
    with peer.at_work(folder, workers):
        ended = threading.Event()
        threading.Thread(target=_watch, args=(ended, body_s, patience_s, peer.stuck_s), daemon=True).start()
        begin = time.monotonic()
        peer.tree(below, body_s, way)
        took_s = time.monotonic() - begin
        ended.set()
        return took_s


def _watch(ended: threading.Event, body_s: float, patience_s: float, stuck_s: float) -> None:
    """End this process once no body has run for ``stuck_s``. Looks from ``patience_s`` on, so as not to disturb before."""
    if ended.wait(patience_s):
        return
    seen_at = time.monotonic()
    while not ended.wait(0.02):
        if _is_running(b"sleep\0%s\0" % str(body_s).encode()):
            seen_at = time.monotonic()
        elif time.monotonic() - seen_at > stuck_s:
            print("null", flush=True)
            os._exit(0)


def _is_running(command_line: bytes) -> bool:
    for process in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            if Path(f"/proc/{process}/cmdline").read_bytes() == command_line:
                return True
    return False


def main(peer: Peer) -> None:
    """Be the program of a peer."""
    what, *arguments = sys.argv[1:]
    try:
        version = peer.version()
    except NotThere as reason:
        print(reason, file=sys.stderr)
        sys.exit(NOT_THERE)
    found: object
    match what, arguments:
        case "version", _:
            found = {"version": version, "tree_ways": peer.tree_ways, "latency_ways": peer.latency_ways}
        case "rate", [about_s, workers, repeats, folder]:
            found = _rate(peer, float(about_s), int(workers), int(repeats), Path(folder))
        case "latency", [count, way, folder]:
            found = _latency(peer, int(count), way, Path(folder))
        case "tree", [workers, below, body_s, way, patience_s, folder]:
            found = _tree(peer, int(workers), int(below), float(body_s), way, float(patience_s), Path(folder))
        case _:
            sys.exit(__doc__)
    print(json.dumps(found), flush=True)
