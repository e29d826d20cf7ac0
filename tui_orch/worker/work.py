"""What a runner of one kind gets and what it gives back; the attempt around it does the rest.

A runner (``command.run``, ``claude.run``) works on a ``Work`` and returns an ``Ending``. It writes child rows, asks and
activity by steps of its own, but never the end of its attempt: that is recorded in one place, ``attempt``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from store.models import Job, Outcome, Tree, Trouble, Usage
from tui_orch.worker.steps.port import Steps


class Exchange(Protocol):
    """How branches come and go between machines. ``is_shared``: the next attempt finds the folder of this one as it was left."""

    @property
    def is_shared(self) -> bool:
        """Whether all workers see the same files."""
        ...

    def bring_in(self) -> None:
        """Have what others have committed for the tree. Raises GitError."""
        ...

    def publish(self) -> None:
        """Let others have what is committed here. Raises GitError."""
        ...


class AllShared:
    """Nothing has to come or go: what is committed here is there for everybody, and the other way round."""

    is_shared = True

    def bring_in(self) -> None:
        """Do nothing."""

    def publish(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt's material. ``env`` is the whole environment of what the runner starts (an allow-list)."""

    steps: Steps  # what it does to the store
    job: Job
    tree: Tree
    folder: Path  # the attempt's own: output, transcript.jsonl
    env: Mapping[str, str]
    cwd: Path | None = None  # of its worktree; None: the tree's own
    exchange: Exchange = field(default_factory=AllShared)

    @property
    def work_dir(self) -> Path:
        """The folder in which the runner works."""
        return self.cwd or Path(self.tree.work_dir or self.steps.home.project)


@dataclass(frozen=True, slots=True)
class Finished:
    """The job's own work is over. ``delivered``: ids of the children whose results the worker has consumed."""

    outcome: Outcome
    delivered: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspended:
    """The worker ends so that the job can wait without a process; its session is resumed later."""

    waiting_for: Literal["children", "ask"]
    session_id: str | None
    usage: Usage = field(default_factory=Usage)
    delivered: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Released:
    """The attempt could not go on through no fault of the job: back to the queue, no try is used up."""

    reason: str
    error: str | None = None
    session_id: str | None = None
    usage: Usage = field(default_factory=Usage)
    not_before_ms: int | None = None
    delivered: tuple[int, ...] = ()
    trouble: Trouble | None = None  # what holds up every other worker, too: it puts the store's brake on


Ending = Finished | Suspended | Released
