"""What a runner of one kind gets and what it gives back; the attempt around it does the rest.

A runner (``command.run``, ``claude.run``) works on a ``Work`` and returns an ``Ending``. It writes child rows, asks and
activity by steps of its own, but never the end of its attempt: that is recorded in one place, ``attempt``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from store.models import Job, Outcome, Tree, Trouble, Usage
from tui_orch.worker.steps.port import Steps


def nothing_to_publish() -> None:
    """Do nothing: what is committed here is there for everybody."""


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt's material. ``env`` is the whole environment of what the runner starts (an allow-list)."""

    steps: Steps  # what it does to the store
    job: Job
    tree: Tree
    folder: Path  # the attempt's own: output, transcript.jsonl
    env: Mapping[str, str]
    cwd: Path | None = None  # of its worktree; None: the tree's own
    publish: Callable[[], None] = nothing_to_publish  # lets others have what is committed, where they share no files

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
