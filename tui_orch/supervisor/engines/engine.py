"""The seam to what runs programs on other machines: a narrow protocol, and the words in which engines answer.

An engine places, runs, tells and stops. What it says of a program is news and no proof: a machine that it calls lost may
run on. Whether a worker lives is decided by its lease (``store.leases``) alone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from store.needs import Needs

#: ``ended``: the engine has seen the end; ``lost``: it has lost sight of it.
Standing = Literal["pending", "running", "ended", "lost"]
_WHY_CHARS = 300


class EngineDown(Exception):
    """The engine does not answer, or not now. ``str(error)`` says why in one line.

    ``in_doubt``: what was asked of it may have been done all the same.
    """

    def __init__(self, why: str, *, in_doubt: bool = False) -> None:
        super().__init__(one_line(why))
        self.in_doubt = in_doubt


class EngineRefusal(Exception):
    """The engine will never do what was asked of it; ``str(error)`` says why in one line."""

    def __init__(self, why: str) -> None:
        super().__init__(one_line(why))


@dataclass(frozen=True, slots=True)
class EngineJob:
    """A program to be run somewhere. ``name`` is of [A-Za-z0-9._-] and no other's, ever."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]  # what is added to the environment that the engine gives
    needs: Needs = field(default_factory=Needs)
    log_file: Path | None = None  # where the nodes see it, too; None: what the program prints is the engine's


@dataclass(frozen=True, slots=True)
class EngineState:
    """What the engine says of a job that it knows."""

    standing: Standing
    exit_code: int | None = None  # of one that has ended; -9: by signal 9; None: it does not tell
    node: str | None = None  # where it runs, or ran
    why: str | None = None  # in the engine's words, one line


class Engine(Protocol):
    """What a cluster's launcher needs of an engine. Any call may take seconds; all come from one thread."""

    @property
    def title(self) -> str:
        """What people call it: "Ray at http://head:8265"."""
        ...

    @property
    def poll_s(self) -> float:
        """Seconds to leave it alone between two looks."""
        ...

    def submit(self, job: EngineJob) -> None:
        """Have a job run, unless there is one of its name. Raises EngineDown, EngineRefusal."""
        ...

    def poll(self, names: Collection[str]) -> Mapping[str, EngineState]:
        """Return what has become of jobs; those that it does not know are left out. Raises EngineDown.

        It is asked even for no names: that it answers is an answer.
        """
        ...

    def stop(self, names: Collection[str]) -> None:
        """Ask jobs to end; what has not begun, and what has ended, is no error. Raises EngineDown."""
        ...

    def close(self) -> None:
        """Let go of it. The jobs run on."""
        ...


def one_line(text: str) -> str:
    """Return what an engine said as one line that can be shown."""
    line = " ".join(text.split())
    return line if len(line) <= _WHY_CHARS else f"{line[:_WHY_CHARS]}..."
