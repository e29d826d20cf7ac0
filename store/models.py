"""What the store's functions take and return, as frozen records; no SQL and no rules here.

Times are milliseconds since 1970 in UTC (``_ms``), durations seconds (``_s``), money US dollars (``_usd``), sizes bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from store.needs import Needs
from store.states import Kind, Status

#: Bytes of UTF-8 that one request may hold. The schema refuses more.
MAX_REQUEST_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Limits:
    """What a tree may do. None stands for the store's default (see the table ``settings``)."""

    max_depth: int | None = None  # 0 to 5; 0 = no recursion
    max_jobs: int | None = None  # rows in the tree
    max_children: int | None = None  # children of one job, ever
    max_workers: int | None = None  # processes at once
    max_attempts: int | None = None  # failed tries of one job
    timeouts_s: tuple[float, ...] | None = None  # per depth; the last holds for all below
    budget_usd: float | None = None  # dollars of the whole tree; None = none


@dataclass(frozen=True, slots=True)
class NewJob:
    """One job to insert. ``title`` defaults to the request's first line."""

    request: str
    kind: Kind = Kind.CLAUDE
    title: str | None = None
    argv: tuple[str, ...] | None = None  # kind command only: run this instead of `sh -c request`
    timeout_s: float | None = None
    model: str | None = None
    priority: int = 0
    budget_usd: float | None = None  # its share: dollars of it and all below it
    needs: Needs | None = None  # of the machine it runs on, over its tree's


@dataclass(frozen=True, slots=True)
class Ground:
    """Where in git a tree with worktrees begins."""

    repository: str  # absolute path of the top of the person's checkout
    base_commit: str
    base_branch: str | None  # None: a detached HEAD
    taken: frozenset[str] = frozenset()  # branches there that begin with orch/
    setup: str | None = None  # a shell line to run in each new worktree


@dataclass(frozen=True, slots=True)
class NewTree:
    """A root job, its children where it is a group, and the tree's limits and ways."""

    root: NewJob
    items: tuple[NewJob, ...] = ()  # kind group only: its children, inserted in the same transaction
    limits: Limits = field(default_factory=Limits)
    work_dir: str = "."  # absolute path in which the workers run
    model: str | None = None
    permission_mode: str | None = None
    allowed_tools: tuple[str, ...] | None = None  # permission rules that need no asking; None = the store's
    setting_sources: tuple[str, ...] | None = None  # None = Claude Code's own default: user, project, local
    park_after_s: float | None = None  # an open ask suspends its worker after this long
    ground: Ground | None = None  # None: the workspace is shared
    workspace: str | None = None  # what is asked for: auto, shared, worktree; what comes of it is ``ground``
    workspace_setup: str | None = None  # asked for: a shell line to run in each new worktree
    needs: Needs | None = None  # of the machine of each of its jobs


@dataclass(frozen=True, slots=True)
class Tree:
    """The row of a tree: its limits in force, its ways and its counters."""

    root_id: int
    max_depth: int
    max_jobs: int
    max_children: int
    max_workers: int
    max_attempts: int
    timeouts_s: tuple[float, ...]
    budget_usd: float | None
    work_dir: str
    model: str | None
    permission_mode: str
    allowed_tools: tuple[str, ...]
    setting_sources: tuple[str, ...] | None
    park_after_s: float
    paused_ms: int | None
    jobs: int
    workspace: str = "shared"  # shared | worktree; the rest is None for a shared one
    repository: str | None = None
    base_branch: str | None = None
    base_commit: str | None = None
    branch_prefix: str | None = None
    workspace_setup: str | None = None
    needs: Needs | None = None

    @property
    def has_worktrees(self) -> bool:
        """Whether each of its jobs works in a git worktree of its own."""
        return self.workspace == "worktree"


@dataclass(frozen=True, slots=True)
class Job:
    """A row of ``jobs``."""

    id: int
    parent_id: int | None
    root_id: int
    depth: int
    batch: int | None
    kind: Kind
    title: str
    request: str
    argv: tuple[str, ...] | None
    model: str | None
    priority: int
    timeout_s: float | None
    budget_usd: float | None  # its share: dollars of it and all below it
    status: Status
    reason: str | None
    attempt: int
    tries: int
    own_status: Status | None
    result: str | None
    error: str | None
    data: Any
    denials: tuple[Any, ...]
    session_id: str | None
    waiting_for: str | None
    delivered: bool
    children: int
    open_children: int
    open_asks: int
    lending: int  # how many clients in its worker block; it holds no slot unless 0
    wants_slot: bool
    stop_reason: str | None
    stop_requested_ms: int | None
    not_before_ms: int | None
    deadline_ms: int | None
    created_ms: int
    changed_ms: int
    started_ms: int | None
    ended_ms: int | None
    activity: str | None
    activity_ms: int | None
    cost_usd: float
    subtree_cost_usd: float
    tokens: int
    subtree_tokens: int
    seq: int
    needs: Needs | None = None  # its own; those in force are these over its tree's

    @property
    def fence(self) -> "Fence":
        """The fencing token of the job's current attempt."""
        return Fence(self.id, self.attempt)


@dataclass(frozen=True, slots=True)
class Fence:
    """Which attempt of which job writes. Every write of a worker carries it; a superseded one is refused."""

    job_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What one attempt used by itself (not the session's running total)."""

    cost_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    turns: int = 0
    session_cost_usd: float | None = None  # the session's total after this attempt: the next one subtracts it


@dataclass(frozen=True, slots=True)
class Attempt:
    """A row of ``attempts``: one process that worked, or works, on a job."""

    job_id: int
    number: int
    started_ms: int
    claimed_ms: int | None
    ended_ms: int | None
    pid: int | None
    outcome: str | None  # completed, failed, cancelled, suspended, released, lost
    reason: str | None
    error: str | None
    exit_code: int | None
    session_id: str | None
    usage: Usage
    lease_until_ms: int | None = None  # until then it may live elsewhere; None: its worker is here, or has not come yet
    host: str | None = None  # the machine elsewhere that it runs on


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended, as its worker tells it.

    ``status`` is what became of the job's own work: completed, failed or cancelled.
    ``retry`` says whether a failure may be tried again by itself.
    """

    status: Status
    reason: str | None = None
    result: str | None = None
    error: str | None = None
    data: Any = None
    denials: tuple[Any, ...] = ()
    exit_code: int | None = None
    session_id: str | None = None
    usage: Usage = field(default_factory=Usage)
    retry: bool = True


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a worker ran into that holds up every other worker, too."""

    kind: Literal["usage_limit", "api", "stop"]  # until it resets; leave the API alone; a person must mend it
    said: str  # one line: what it was and, for ``stop``, the way out
    until_ms: int | None = None  # usage_limit: when it resets


@dataclass(frozen=True, slots=True)
class Workspace:
    """What git has for a job of a tree with worktrees: a row of ``workspaces``."""

    job_id: int
    branch: str
    start_commit: str | None
    head_commit: str | None
    merged_commit: str | None
    merges: tuple[int, ...]
    conflict_with: int | None
    conflicts: tuple[str, ...]
    files: int
    insertions: int
    deletions: int
    size_bytes: int
    made_ms: int | None
    removed_ms: int | None
    deleted_ms: int | None

    @property
    def has_work(self) -> bool:
        """Whether it has a commit of its own, or may have one that nobody has noted."""
        return self.made_ms is not None and (self.head_commit is None or self.head_commit != self.start_commit)

    @property
    def is_merged(self) -> bool:
        """Whether all that is noted of it has been merged upwards."""
        return self.head_commit is not None and self.merged_commit == self.head_commit


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One child as its parent sees it."""

    id: int
    batch: int | None
    kind: Kind
    title: str
    request: str
    status: Status
    reason: str | None
    result: str | None
    error: str | None
    data: Any
    cost_usd: float  # of the child's whole subtree
    attempts: int
    delivered: bool  # whether the parent has consumed this result
    workspace: Workspace | None = None  # its branch, commit and how much it changed


@dataclass(frozen=True, slots=True)
class Ask:
    """A permission request or a question of a worker to a person."""

    id: int
    job_id: int
    root_id: int
    attempt: int
    kind: str  # permission | question
    tool: str | None
    input: Mapping[str, Any] | None
    question: str
    options: tuple[str, ...]
    title: str | None  # what the call does, in Claude Code's own words
    suggestions: tuple[str, ...]  # the rules that Claude Code would keep if the call were allowed for good
    created_ms: int
    answer: str | None  # allow | deny | answered | void
    text: str | None  # what the person wrote
    rule_id: int | None  # the rule that answered it, or that its answer made
    answered_ms: int | None


@dataclass(frozen=True, slots=True)
class Rule:
    """What a person has allowed or denied a job and all below it."""

    id: int
    job_id: int  # the top of the subtree; a root: the whole tree
    verdict: str  # allow | deny
    rule: str  # as Claude Code writes it: Tool, Tool(content), Bash(prefix:*)
    text: str | None  # what the person wrote
    ask_id: int | None
    created_ms: int
    removed_ms: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """A line of a job's history: one change of its state."""

    seq: int
    job_id: int
    at_ms: int
    status: Status
    reason: str | None
    attempt: int


@dataclass(frozen=True, slots=True)
class Spawned:
    """The batch that a spawn inserted."""

    parent_id: int
    batch: int
    job_ids: tuple[int, ...]

    @property
    def name(self) -> str:
        """How people and workers call the batch: ``12-1``."""
        return f"{self.parent_id}-{self.batch}"
