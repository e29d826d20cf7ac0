"""What callers get: the bodies of answers. Ids are text, times milliseconds since 1970 in UTC, money US dollars.

``cost_usd`` is of a job and all below it, as in a ledger. Names do not change; new ones may be added.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_STATUS = "queued, running, waiting, completed, partial, failed or cancelled"


class Accepted(BaseModel):
    """A request that was handed in."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"job_id": "12", "status": "queued", "job_ids": ["13", "14", "15"], "notes": []}]
        }
    )

    job_id: str = Field(description="The job to follow; of a nested call its batch, such as 12-1.")
    status: str = Field(description=_STATUS)
    job_ids: list[str] = Field(description="The jobs of the request's parts.")
    notes: list[str] = Field(description="What was asked for and is not so.")


class Progress(BaseModel):
    """How many jobs below a job are in which state."""

    total: int
    completed: int
    running: int
    waiting: int
    queued: int
    failed: int
    partial: int
    cancelled: int


class JobStatus(BaseModel):
    """Where a job, or a batch, stands."""

    job_id: str
    status: str = Field(description=_STATUS)
    reason: str | None = Field(description="Why it is so, where the status alone does not say.")
    progress: Progress = Field(description="Of all jobs below it; of a batch, its jobs and all below them.")
    depth: int
    elapsed_s: float = Field(description="Since its first start, until now or its end; 0 before.")
    cost_usd: float
    title: str
    open_asks: int = Field(description="Questions of its own worker that wait for a person.")
    parent_id: str | None
    root_id: str
    activity: str | None
    error: str | None


class JobEvent(JobStatus):
    """A job that has changed."""

    seq: int


class Work(BaseModel):
    """Where a job's work is, in a tree whose jobs have git worktrees."""

    branch: str
    start_commit: str | None = Field(description="Where the branch began; null before it is there.")
    commit: str | None = Field(description="Its newest one at the end of the last attempt.")
    files: int = Field(description="Changed since the start, with all that was merged into it.")
    insertions: int
    deletions: int
    merged: bool = Field(description="Whether its parent's branch has it; a root's: whether a person merged it.")
    conflict_with: int | None = Field(description="The job whose branch conflicts and is being merged.")
    conflicts: list[str] = Field(description="The files that its worker is to resolve.")
    deleted: bool = Field(description="Whether the branch was removed since.")


class Entry(BaseModel):
    """A child in its parent's ledger."""

    job_id: str
    title: str
    kind: str
    status: str
    reason: str | None
    request: str = Field(description="Its beginning.")
    result: str | None
    error: str | None
    data: Any
    cost_usd: float
    attempts: int
    denials: list[Any] | None = Field(default=None, description="Tool calls that were refused.")
    workspace: Work | None = Field(default=None, description="Null where all work in the same folder.")
    results: list["Entry"] | None = Field(default=None, description="Its own ledger, where nested ones are asked for.")


class Summary(BaseModel):
    """The ledger in numbers. A job without children counts as one task."""

    total_tasks: int
    successful_tasks: int = Field(description="completed")
    failed_tasks: int = Field(description="failed or cancelled")
    partial_tasks: int = Field(description="partial: of what is below them, some failed")
    cost_usd: float
    duration_s: float


class Results(BaseModel):
    """What a job that has ended found, and its children."""

    job_id: str
    status: str
    reason: str | None
    result: str | None
    error: str | None
    data: Any
    workspace: Work | None = Field(default=None, description="Of a job; null for a batch, and where work is shared.")
    results: list[Entry]
    summary: Summary
    truncated: bool = Field(description="Whether nested ledgers were left out because there are too many.")


class JobLine(BaseModel):
    """A job in a list."""

    job_id: str
    parent_id: str | None
    root_id: str
    depth: int
    batch: str | None
    kind: str
    title: str
    status: str
    reason: str | None
    activity: str | None
    cost_usd: float
    tokens: int
    attempts: int
    children: int
    open_children: int
    open_asks: int
    created_ms: int
    started_ms: int | None
    ended_ms: int | None
    deadline_ms: int | None
    seq: int


class Attempt(BaseModel):
    """One process that worked, or works, on a job."""

    number: int
    started_ms: int
    ended_ms: int | None
    host: str | None = Field(description="The machine that it ran on; null: that of the server.")
    lease_until_ms: int | None = Field(description="Until when it may live on another machine.")
    outcome: str | None
    reason: str | None
    error: str | None
    exit_code: int | None
    session_id: str | None
    cost_usd: float
    input_tokens: int
    output_tokens: int
    turns: int


class JobDetail(JobLine):
    """All of one job."""

    request: str
    argv: list[str] | None
    model: str | None
    priority: int
    needs: dict[str, Any] | None = Field(description="Of its machine: its own over its tree's.")
    result: str | None
    error: str | None
    data: Any
    denials: list[Any]
    own_cost_usd: float
    session_id: str | None
    workspace: Work | None = Field(default=None, description="Null where all work in the same folder.")
    attempt_list: list[Attempt]


class Jobs(BaseModel):
    """A page of root jobs, newest first."""

    jobs: list[JobLine]
    next_before: str | None = Field(description="For the next page: before=...; null at the end.")


class Subtree(BaseModel):
    """A job and all below it, parents first."""

    jobs: list[JobLine]
    truncated: bool


class Cancelled(BaseModel):
    """What a cancel did."""

    job_id: str
    ended: int = Field(description="Jobs that ended at once.")
    stopping: int = Field(description="Jobs whose worker is asked to end.")


class Holding(BaseModel):
    """Whether the calling job holds its slot."""

    holding: bool


class Health(BaseModel):
    """The server lives."""

    status: str


class Log(BaseModel):
    """A piece of what an attempt put out."""

    job_id: str
    attempt: int
    stream: str
    offset: int
    next_offset: int = Field(description="Where to go on; the same as offset where there is nothing (yet).")
    size: int = Field(description="Bytes of the file now.")
    text: str


class AskTold(BaseModel):
    """A permission request or a question of a worker to a person."""

    ask_id: int
    job_id: str
    root_id: str
    path: list[str] = Field(description="The jobs from the root down to the one that asks.")
    kind: str = Field(description="permission or question")
    tool: str | None
    input: Any
    question: str
    title: str | None = Field(description="What the call does, in Claude Code's words.")
    options: list[str]
    suggestions: list[str]
    created_ms: int
    answer: str | None = Field(description="allow, deny, answered; void: its job ended; null: open")
    text: str | None
    rule_id: int | None
    answered_ms: int | None


class Asks(BaseModel):
    """What waits for a person, oldest first."""

    asks: list[AskTold]


class RuleTold(BaseModel):
    """What a person has allowed or denied a job and all below it."""

    rule_id: int
    job_id: str
    verdict: str
    rule: str
    text: str | None
    ask_id: int | None
    created_ms: int
    removed_ms: int | None


class Rules(BaseModel):
    """Rules in force, oldest first."""

    rules: list[RuleTold]


class LimitsInForce(BaseModel):
    """A tree's limits."""

    max_depth: int
    max_jobs: int
    max_children: int
    max_workers: int
    max_attempts: int
    timeouts_s: list[float]
    budget_usd: float | None


class LimitsUsed(BaseModel):
    """What of them is used."""

    jobs: int
    deepest: int
    most_children: int
    running: int
    spent_usd: float


class TreeLimits(BaseModel):
    """A tree's limits and what of them is used."""

    root_id: str
    limits: LimitsInForce
    used: LimitsUsed
    paused_ms: int | None
    permission_mode: str
    allowed_tools: list[str]


class Retried(BaseModel):
    """What a retry did."""

    job_id: str
    queued: list[str] = Field(description="The jobs that run again.")


class Paused(BaseModel):
    """Whether a tree, or the store, is paused; ``changed`` tells whether it was not so before."""

    root_id: str | None
    paused: bool
    changed: bool


class Changes(BaseModel):
    """A page of rows for a copy of the store. All up to ``seq`` is in it and in the pages before it."""

    schema_version: int = Field(description="Of the store: rows mean the same where it is the same.")
    store_id: str
    seq: int = Field(description="Where to go on: since=...")
    more: bool = Field(description="Whether there is a next page already.")
    mark: str = Field(description="Send it with the next call: what is the same then is left out.")
    tables: dict[str, list[list[Any]]] = Field(description="Rows by table, their values in the order of the columns.")


class State(BaseModel):
    """The whole store at a glance."""

    seq: int
    counts: dict[str, int]
    slots: int
    using_slots: int
    open_asks: int
    paused_ms: int | None
    brake_reason: str | None
    brake_until_ms: int | None
