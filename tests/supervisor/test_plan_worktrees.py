"""How many worktrees may be on disk decides who starts, like memory: beyond the limit one worker runs at a time."""

from store.queue import QueuedJob, QueuedTree, RunningJob
from store.states import Kind
from tui_orch.supervisor.plan import Launch, plan
from tui_orch.supervisor.snapshot import Snapshot, Worker


def queued(job_id: int, *, needs: bool = True, kind: Kind = Kind.COMMAND, merges: bool = False) -> QueuedJob:
    return QueuedJob(job_id, 1, 1, kind, 0, merges=merges, needs_worktree=needs)


def launched(*jobs: QueuedJob, left: int | None, running: int = 0) -> list[int]:
    workers = tuple(
        Worker(RunningJob(100 + n, 1, 1, Kind.COMMAND, False, False, None, None, 1, 1, 1, 0), alive=True)
        for n in range(running)
    )
    now = Snapshot(
        slots=10,
        grace_ms=1000,
        free_memory_mb=100_000,
        min_free_memory_mb=0,
        held=None,
        queued=(QueuedTree(1, 10, False, False, jobs),),
        workers=workers,
        worktrees_left=left,
    )
    return [action.job_id for action in plan(0, now).actions if isinstance(action, Launch)]


def test_no_more_start_than_worktrees_may_be_made() -> None:
    jobs = [queued(number) for number in range(1, 6)]
    assert launched(*jobs, left=3) == [1, 2, 3]
    assert launched(*jobs, left=3, running=1) == [1, 2, 3]
    assert launched(*jobs, left=None) == [1, 2, 3, 4, 5]


def test_one_starts_beyond_the_limit_when_nothing_runs() -> None:
    """Nothing would ever be merged and removed otherwise."""
    jobs = [queued(1), queued(2)]
    assert launched(*jobs, left=0) == [1]
    assert launched(*jobs, left=0, running=1) == []


def test_whoever_has_a_worktree_already_goes_on() -> None:
    assert launched(queued(1), queued(2, needs=False), left=0, running=1) == [2]


def test_a_group_that_merges_is_started_and_not_expanded() -> None:
    assert launched(queued(1, kind=Kind.GROUP, merges=True, needs=False), left=None) == [1]
    assert launched(queued(1, kind=Kind.GROUP, needs=False), left=None) == []
