"""`plan` decides who runs when; these are its rules, one a test."""

from hypothesis import given
from hypothesis import strategies as st

from store.queue import QueuedJob, QueuedTree, RunningJob
from store.states import Kind
from tui_orch.supervisor.plan import (
    CLAUDE_MEMORY_MB,
    MEMORY_LOOK_MS,
    Expand,
    Expire,
    GiveUp,
    Grant,
    Launch,
    Settle,
    Stop,
    plan,
)
from tui_orch.supervisor.snapshot import Lingering, Snapshot, Worker

NOW = 1_000_000


def queued(job_id: int, root_id: int = 1, depth: int = 1, kind: Kind = Kind.COMMAND, priority: int = 0) -> QueuedJob:
    return QueuedJob(job_id, root_id, depth, kind, priority)


def tree(root_id: int, *jobs: QueuedJob, max_workers: int = 5, paused: bool = False, over: bool = False) -> QueuedTree:
    return QueuedTree(root_id, max_workers, paused, over, jobs)


def worker(
    job_id: int,
    root_id: int = 1,
    *,
    alive: bool = True,
    lending: bool = False,
    wants_slot: bool = False,
    stop: str | None = None,
    asked_ms: int | None = None,
    killed: bool = False,
    depth: int = 1,
) -> Worker:
    job = RunningJob(job_id, root_id, 1, Kind.COMMAND, lending, wants_slot, stop, None, 1, 99, depth, 0)
    return Worker(job, alive, asked_ms, killed)


def moment(**changes: object) -> Snapshot:
    base: dict[str, object] = {
        "slots": 10,
        "grace_ms": 10_000,
        "free_memory_mb": 100_000,
        "min_free_memory_mb": 512,
        "held": None,
    }
    return Snapshot(**base | changes)  # type: ignore[arg-type]


def launched(snapshot: Snapshot) -> list[int]:
    return [action.job_id for action in plan(NOW, snapshot).actions if isinstance(action, Launch)]


def test_nothing_to_do_is_an_empty_plan_without_a_clock() -> None:
    """With nothing queued, running or due, the supervisor sleeps until something changes."""
    assert plan(NOW, moment()).actions == ()
    assert plan(NOW, moment()).wake_ms is None


def test_a_tree_never_gets_more_workers_than_its_limit() -> None:
    """max_workers counts what runs already."""
    jobs = [queued(n) for n in range(10, 16)]
    assert launched(moment(queued=(tree(1, *jobs, max_workers=3),), workers=(worker(2),))) == [10, 11]


def test_the_store_never_gets_more_workers_than_its_slots() -> None:
    """Slots bound all trees together."""
    trees = tuple(tree(root, *[queued(root * 100 + n, root) for n in range(5)]) for root in (1, 2, 3))
    assert len(launched(moment(slots=4, queued=trees))) == 4


def test_trees_share_the_slots_fairly() -> None:
    """The tree with the fewest workers comes first, however many jobs the other has queued."""
    big = tree(1, *[queued(100 + n, 1) for n in range(9)])
    small = tree(2, queued(200, 2), queued(201, 2))
    assert launched(moment(slots=4, queued=(big, small))) == [100, 200, 101, 201]


def test_a_tree_that_runs_already_steps_back_behind_one_that_does_not() -> None:
    """Fairness counts what runs, not what was started last."""
    snapshot = moment(
        slots=3, workers=(worker(5, 1), worker(6, 1)), queued=(tree(1, queued(100, 1)), tree(2, queued(200, 2)))
    )
    assert launched(snapshot) == [200]


def test_waiting_for_a_slot_keeps_the_order_of_the_tree() -> None:
    """The order within a tree is the store's: what stands first starts first."""
    assert launched(moment(slots=2, queued=(tree(1, queued(9, depth=3), queued(4, depth=2), queued(1)),))) == [9, 4]


def test_a_lending_worker_holds_no_slot() -> None:
    """A worker that blocks leaves room for the children it waits for: one slot is enough for any depth."""
    snapshot = moment(slots=1, workers=(worker(1, lending=True),), queued=(tree(1, queued(2), max_workers=1),))
    assert launched(snapshot) == [2]


def test_a_worker_gets_its_lent_slot_back_before_anyone_new_starts() -> None:
    """What has begun is finished first."""
    snapshot = moment(
        slots=1, workers=(worker(1, lending=True, wants_slot=True),), queued=(tree(1, queued(2), max_workers=1),)
    )
    assert plan(NOW, snapshot).actions == (Grant(1),)


def test_of_two_that_want_their_slot_back_the_deeper_comes_first() -> None:
    """The deepest first, here too."""
    back = (worker(1, lending=True, wants_slot=True, depth=1), worker(2, lending=True, wants_slot=True, depth=2))
    assert plan(NOW, moment(slots=1, workers=back)).actions == (Grant(2),)


def test_a_process_that_has_not_quite_gone_still_counts() -> None:
    """Never more processes than slots, and never two attempts of one job at once."""
    snapshot = moment(slots=2, lingering=(Lingering(7, 1),), queued=(tree(1, queued(7), queued(8), queued(9)),))
    assert launched(snapshot) == [8]


def test_a_held_store_starts_nothing_new_but_lets_running_workers_go_on() -> None:
    """A pause or a brake stops launches, not grants, stops or ends."""
    snapshot = moment(
        held="paused",
        workers=(worker(1, lending=True, wants_slot=True), worker(3, alive=False), worker(4, stop="cancelled")),
        queued=(tree(1, queued(2)),),
    )
    assert set(plan(NOW, snapshot).actions) == {Grant(1), GiveUp(3, 1), Stop(4, 1, kill=False)}


def test_a_paused_tree_and_one_over_budget_start_nothing() -> None:
    """Another tree goes on meanwhile."""
    trees = (tree(1, queued(10, 1), paused=True), tree(2, queued(20, 2), over=True), tree(3, queued(30, 3)))
    assert launched(moment(queued=trees)) == [30]


def test_a_group_is_expanded_without_a_slot() -> None:
    """A group has no process, so a full store does not hold it up."""
    snapshot = moment(slots=1, workers=(worker(1),), queued=(tree(1, queued(2, kind=Kind.GROUP)),))
    assert plan(NOW, snapshot).actions == (Expand(2),)


def test_a_dead_worker_is_given_up_whatever_else_holds() -> None:
    """Its attempt is named, so that a later one is never given up by mistake."""
    assert plan(NOW, moment(workers=(worker(3, alive=False, stop="cancelled"),))).actions == (GiveUp(3, 1),)


def test_a_stop_is_asked_once_and_a_kill_follows_after_the_grace() -> None:
    """SIGTERM, grace, SIGKILL; each once, and the plan says when to look again."""
    first = plan(NOW, moment(workers=(worker(1, stop="cancelled"),)))
    assert (first.actions, first.wake_ms) == ((Stop(1, 1, kill=False),), NOW + 10_000)
    during = plan(NOW + 9_999, moment(workers=(worker(1, stop="cancelled", asked_ms=NOW),)))
    assert (during.actions, during.wake_ms) == ((), NOW + 10_000)
    after = plan(NOW + 10_000, moment(workers=(worker(1, stop="cancelled", asked_ms=NOW),)))
    assert after.actions == (Stop(1, 1, kill=True),)
    done = plan(NOW + 20_000, moment(workers=(worker(1, stop="cancelled", asked_ms=NOW, killed=True),)))
    assert (done.actions, done.wake_ms) == ((), None)


def test_overdue_and_left_behind_jobs_are_dealt_with() -> None:
    """Deadlines expire jobs; waiting jobs that plain SQL left behind are settled."""
    assert set(plan(NOW, moment(overdue=(4,), to_settle=(5,))).actions) == {Expire(4), Settle(5)}


def test_the_next_look_is_at_the_first_time_that_matters() -> None:
    """Deadlines of the store and kills of this supervisor: whichever comes first."""
    busy = moment(next_time_ms=NOW + 500, workers=(worker(1, stop="cancelled", asked_ms=NOW),))
    assert plan(NOW, busy).wake_ms == NOW + 500


def test_claude_waits_for_memory_beside_others_and_commands_do_not() -> None:
    """Each Claude Code worker is counted with what it will take before the next one starts."""
    jobs = (*(queued(n, kind=Kind.CLAUDE) for n in (10, 11, 12)), queued(13))
    snapshot = moment(free_memory_mb=512 + 2 * CLAUDE_MEMORY_MB, workers=(worker(1),), queued=(tree(1, *jobs),))
    assert launched(snapshot) == [10, 11, 13]
    assert plan(NOW, snapshot).wake_ms == NOW + MEMORY_LOOK_MS


def test_one_worker_may_run_however_little_memory_there_is() -> None:
    """With nothing running no memory would ever come free by waiting."""
    snapshot = moment(free_memory_mb=100, queued=(tree(1, queued(1, kind=Kind.CLAUDE), queued(2, kind=Kind.CLAUDE)),))
    assert launched(snapshot) == [1]


@given(
    slots=st.integers(1, 6),
    trees=st.lists(
        st.tuples(st.integers(1, 4), st.lists(st.sampled_from([Kind.COMMAND, Kind.CLAUDE, Kind.GROUP]), max_size=8)),
        max_size=4,
    ),
    running=st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.booleans(), st.booleans()), max_size=6),
)
def test_whatever_the_moment_no_limit_is_passed_and_no_job_is_touched_twice(
    slots: int, trees: list[tuple[int, list[Kind]]], running: list[tuple[int, bool, bool, bool]]
) -> None:
    """Slots and max_workers hold for any moment; no two actions name the same queued job."""
    queued_trees = tuple(
        tree(root, *[queued(root * 1000 + n, root, kind=kind) for n, kind in enumerate(kinds)], max_workers=most)
        for root, (most, kinds) in enumerate(trees, start=1)
    )
    workers = tuple(
        worker(n, root, alive=alive, lending=lending, wants_slot=lending and wants)
        for n, (root, alive, lending, wants) in enumerate(running, start=1)
    )
    snapshot = moment(slots=slots, queued=queued_trees, workers=workers)
    actions = plan(NOW, snapshot).actions
    starting = [action.job_id for action in actions if isinstance(action, (Launch, Expand))]
    assert len(starting) == len(set(starting))
    using = [found.job.root_id for found in workers if not found.job.lending]
    taken = using + [
        next(w.job.root_id for w in workers if w.job.id == a.job_id) for a in actions if isinstance(a, Grant)
    ]
    taken += [action.job_id // 1000 for action in actions if isinstance(action, Launch)]
    assert len(taken) <= max(slots, len(using))
    for found in queued_trees:
        before = using.count(found.root_id)
        assert taken.count(found.root_id) <= max(found.max_workers, before) or not any(
            isinstance(a, Launch) and a.job_id // 1000 == found.root_id for a in actions
        )
    room_left = len(taken) < slots
    for found in queued_trees:
        if room_left and taken.count(found.root_id) < found.max_workers:
            assert all(job.id in starting for job in found.queued), "a free slot is never left while a job could start"
