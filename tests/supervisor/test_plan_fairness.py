"""Trees share the slots fairly: what ``plan`` launches is what looking at every tree before every launch would choose."""

from hypothesis import given
from hypothesis import strategies as st

from store.queue import QueuedJob, QueuedTree
from store.states import Kind
from tui_orch.supervisor.plan import Launch, plan
from tui_orch.supervisor.snapshot import Snapshot

TREES = st.lists(
    st.tuples(st.integers(1, 4), st.booleans(), st.lists(st.integers(-2, 2), max_size=6)), min_size=1, max_size=8
)


@given(TREES, st.integers(1, 12))
def test_the_tree_with_the_fewest_workers_comes_next(found: list[tuple[int, bool, list[int]]], slots: int) -> None:
    """Of equals the one with the more urgent job, then the older; a paused one has no turn, nor one with all its workers."""
    trees = [
        QueuedTree(root, most, paused, False, tuple(_job(root, place, urgency) for place, urgency in enumerate(jobs)))
        for root, (most, paused, jobs) in enumerate(found, 1)
    ]
    snapshot = Snapshot(slots, 10_000, 100_000, 0, None, queued=tuple(reversed(trees)))
    assert [action.job_id for action in plan(0, snapshot).actions if isinstance(action, Launch)] == _by_looking(
        trees, slots
    )


def _job(root_id: int, place: int, priority: int) -> QueuedJob:
    return QueuedJob(root_id * 100 + place, root_id, 1, Kind.COMMAND, priority)


def _by_looking(trees: list[QueuedTree], slots: int) -> list[int]:
    left = {tree.root_id: list(tree.queued) for tree in trees if not tree.paused}
    most = {tree.root_id: tree.max_workers for tree in trees}
    started: list[QueuedJob] = []
    used = dict.fromkeys(most, 0)
    while len(started) < slots:
        able = [root_id for root_id, jobs in left.items() if jobs and used[root_id] < most[root_id]]
        if not able:
            break
        root_id = min(able, key=lambda root_id: (used[root_id], -left[root_id][0].priority, root_id))
        started.append(left[root_id].pop(0))
        used[root_id] += 1
    return [job.id for job in started]
