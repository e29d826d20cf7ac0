"""The states of a job and the legal steps between them.

Owns the words. The same steps stand in the schema's trigger ``jobs_guard_update`` (which refuses any other writer)
and in docs/job_states.md; a test holds the three together. Imports nothing, decides nothing else.
"""

from enum import StrEnum


class Status(StrEnum):
    """Where a job is. "Is it final?" and "how did it end?" are two questions: see ``FINAL`` and the value."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Kind(StrEnum):
    """What a worker runs for the job."""

    CLAUDE = "claude"
    COMMAND = "command"
    GROUP = "group"


class Reason(StrEnum):
    """Why a job is in its state, where the state alone does not say."""

    CHILDREN = "children"  # waiting: for its children to end
    ASK = "ask"  # waiting: for a person's answer
    RETRY = "retry"  # queued: tried again after a failure, not before `not_before_ms`
    RESUME = "resume"  # queued: what it waited for has come
    LOST = "lost"  # its worker vanished without an outcome
    TIMEOUT = "timeout"  # its deadline, or that of a job above it, passed
    BUDGET = "budget"  # the tree's dollars are spent
    CANCELLED = "cancelled"  # a person or a job above it cancelled it
    PARENT_ENDED = "parent_ended"  # a job above it ended, so nobody waits for its result
    CHILDREN_FAILED = "children_failed"  # its own work may be fine; not all of its children's is
    EXIT_CODE = "exit_code"  # its command ended with a code other than 0
    NO_RESULT = "no_result"  # Claude Code ended without a result
    API_ERROR = "api_error"  # the model's API answered with an error
    USAGE_LIMIT = "usage_limit"  # queued: the subscription's usage limit is reached, until `not_before_ms`
    IDLE = "idle"  # its worker said nothing for longer than the store's idle timeout
    OUTPUT_LIMIT = "output_limit"  # its output went beyond the store's cap
    CLAUDE_ERROR = "claude_error"  # Claude Code could not be started, or broke off
    REPORTED_FAILURE = "reported_failure"  # the worker itself reported that it failed
    MERGE = "merge"  # queued: its own work is done, and what its children have committed is to be merged
    CONFLICT = "conflict"  # what its children have committed does not go together, and nobody has resolved it
    WORKSPACE = "workspace"  # its git worktree could not be made, committed or merged
    BAD_REQUEST = "bad_request"  # the row can not be run as it stands (kind, argv, folder)
    WORKER_ERROR = "worker_error"  # the worker itself broke: a fault of tui-orch, its log says where
    SHUTDOWN = "shutdown"  # queued: its worker was asked to stop with the supervisor


FINAL = frozenset({Status.COMPLETED, Status.PARTIAL, Status.FAILED, Status.CANCELLED})
OPEN = frozenset(set(Status) - FINAL)
RETRYABLE = frozenset({Status.PARTIAL, Status.FAILED, Status.CANCELLED})

#: Every legal step. A job that is ``completed`` never moves again; the other final states move by a retry alone:
#: to ``queued`` (the job itself) or to ``waiting`` (a job above it, which consumed the failure).
EDGES: frozenset[tuple[Status, Status]] = frozenset(
    {(Status.QUEUED, to) for to in (Status.RUNNING, Status.WAITING, Status.FAILED, Status.CANCELLED)}
    | {(Status.RUNNING, to) for to in (Status.QUEUED, Status.WAITING, *FINAL)}
    | {(Status.WAITING, to) for to in (Status.QUEUED, *FINAL)}
    | {(done, to) for done in RETRYABLE for to in (Status.QUEUED, Status.WAITING)}
)
