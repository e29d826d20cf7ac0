"""What a worker on another machine is told when it has claimed its attempt, and when it renews its lease. Records only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from store.models import Job, Tree


@dataclass(frozen=True, slots=True)
class NodeTerms:
    """How the head wants its workers elsewhere to work. Times in s."""

    lease_s: float
    work: Literal["shared", "git", "none"] = "shared"  # how a node gets the files
    git_remote: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """All that an attempt begins with. ``env`` holds keys: it is never logged, stored or shown."""

    job: Job
    tree: Tree
    store_id: str
    home: str  # the store's folder on the head; on a node the same place only where the file system is shared
    terms: NodeTerms
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Renewed:
    """The lease holds for ``lease_s`` from when it was asked for. ``stop_reason``: the job is to end, and why."""

    lease_s: float
    stop_reason: str | None
    session_id: str | None
