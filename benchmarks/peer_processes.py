"""Runs peers, each call a process of its own in a folder of its own, and leaves nothing of them: see peers/protocol.py.

Whatever a peer has started is below this process, for good: it is a child subreaper, and kills what is left after a call.
All folders are made in the folder for temporary files, so that everyone's files lie on the same file system.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peers.names import OURS

from tui_orch.worker.subreaper import become_subreaper, end_descendants

HERE = Path(__file__).parent
PEERS_PYTHON = HERE.parent / "build" / "peers" / "bin" / "python"
#: A peer that has said nothing for so long is given up, its start included.
LIMIT_S = 120.0
#: A tree may take so many times its patience more.
MOST_TIMES = 20
_NOT_THERE = 3
_CLAUDE = "claude_start"


class PeerFailed(Exception):
    """A peer broke, or took too long. The text says which and how."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer that is there."""

    name: str
    version: str
    tree_ways: tuple[str, ...]
    latency_ways: tuple[str, ...]

    def rate(self, seconds: float, workers: int, repeats: int) -> list[float]:
        """Return jobs per second, of each of ``repeats`` runs of about ``seconds``. Raises PeerFailed."""
        found: list[float] = _call(self.name, "rate", str(seconds), str(workers), str(repeats))
        return found

    def latency(self, count: int, way: str) -> list[tuple[int, int, int]]:
        """Return (handing in began, was done, the process's first act) for each, in ns since 1970. Raises PeerFailed."""
        found: list[tuple[int, int, int]] = _call(self.name, "latency", str(count), way)
        return found

    def tree(self, workers: int, below: int, body_s: float, way: str, patience_s: float) -> float | None:
        """Return the seconds that a tree of ``below`` levels under its root took; None if it was stuck. Raises PeerFailed.

        ``patience_s``: it may take so long before anyone looks whether it is.
        """
        given = (str(workers), str(below), str(body_s), way, str(patience_s))
        found: float | None = _call(self.name, "tree", *given, more_s=MOST_TIMES * patience_s)
        return found


@dataclass(frozen=True, slots=True)
class ClaudeStarts:
    """Milliseconds from a start of Claude Code to its first request to the model, by hand and as a worker."""

    version: str
    bare_ms: list[float]
    worker_ms: list[float]


def claude_starts(count: int) -> ClaudeStarts:
    """Start each ``count`` times, in turns. Raises PeerFailed."""
    return ClaudeStarts(**_call(_CLAUDE, str(count)))


def find_peers(names: Sequence[str]) -> tuple[list[Peer], list[str]]:
    """Return those that are there, and a line for each that is not."""
    become_subreaper()
    there, skipped = [], []
    for name in names:
        try:
            said = _call(name, "version")
        except PeerFailed as reason:
            skipped.append(str(reason))
        else:
            there.append(Peer(name, said["version"], tuple(said["tree_ways"]), tuple(said["latency_ways"])))
    return there, skipped


def _call(name: str, *arguments: str, more_s: float = 0.0) -> Any:
    path = HERE / "peers" / f"with_{name}.py"
    program = str(path if path.exists() else path.with_name(f"{name}.py"))
    with tempfile.TemporaryDirectory(prefix="peer-", ignore_cleanup_errors=True) as folder:
        # Into files: a service that outlives its peer would keep a pipe open.
        with open(f"{folder}/said", "w+") as out, open(f"{folder}/errors", "w+") as err:
            argv = [_python(name), program, *arguments, folder]
            process = subprocess.Popen(
                argv, env=_environment(folder), stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder
            )
            try:
                process.wait(LIMIT_S + more_s)
            except subprocess.TimeoutExpired as error:
                raise PeerFailed(f"{name}: {arguments[0]} had not ended after {LIMIT_S + more_s:g} s") from error
            finally:
                end_descendants(0)
        said, errors = Path(folder, "said").read_text(), Path(folder, "errors").read_text()
    if process.returncode == _NOT_THERE:
        raise PeerFailed(f"{name}: {errors.strip()}")
    if process.returncode:
        last = errors.strip().splitlines()[-1:] or ["nothing said"]
        raise PeerFailed(f"{name}: {arguments[0]} ended with code {process.returncode}: {last[0]}")
    return json.loads(said.splitlines()[-1])


def _python(name: str) -> str:
    return sys.executable if name in {OURS, _CLAUDE} or not PEERS_PYTHON.exists() else str(PEERS_PYTHON)


def _environment(folder: str) -> dict[str, str]:
    """Return what everyone gets: nothing of a person's home, no store or job that we may be inside of."""
    return {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8", "TERM": "dumb"}
