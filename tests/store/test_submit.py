"""Inserting jobs: a tree, or children of a running job."""

import pytest
from at_store import AtStore
from invariants import check

from store import submit, tree
from store.errors import BadInput, IllegalChange, StaleAttempt
from store.models import MAX_REQUEST_BYTES, Fence, Limits, NewJob, NewTree
from store.states import Kind, Status


def test_a_submitted_tree_is_one_queued_job_at_depth_0(at: AtStore) -> None:
    """It is its own root, and the first line of its request is its title."""
    job = at.job(at.tree("\n  Build it all  \nwith tests"))
    assert (job.id, job.parent_id, job.root_id, job.depth) == (1, None, 1, 0)
    assert (job.kind, job.status, job.attempt, job.reason) == (Kind.CLAUDE, Status.QUEUED, 0, None)
    assert (job.title, job.request) == ("Build it all", "\n  Build it all  \nwith tests")
    assert (job.created_ms, job.changed_ms, job.deadline_ms) == (at.now_ms, at.now_ms, None)


def test_everything_given_is_stored(at: AtStore) -> None:
    """A tree's ways and limits, a job's own."""
    root = NewJob("run it", Kind.COMMAND, "a title", ("echo", "日本語"), 12.5, None, 7)
    new = NewTree(
        root,
        limits=Limits(1, 2, 3, 4, 5, (6.0, 7.0), 8.5),
        work_dir="/somewhere",
        model="opus",
        permission_mode="plan",
        allowed_tools=("Bash(ls)",),
        setting_sources=("user",),
        park_after_s=9.0,
    )
    root_id = at.submit(new)
    with at.store.read() as reader:
        found = tree.tree_of(reader, root_id)
    job = at.job(root_id)
    assert (job.title, job.argv, job.timeout_s, job.model, job.priority) == (
        "a title",
        ("echo", "日本語"),
        12.5,
        None,
        7,
    )
    limits = (found.max_depth, found.max_jobs, found.max_children, found.max_workers, found.max_attempts)
    assert limits == (1, 2, 3, 4, 5)
    assert (found.timeouts_s, found.budget_usd) == ((6.0, 7.0), 8.5)
    assert (found.work_dir, found.model, found.permission_mode) == ("/somewhere", "opus", "plan")
    assert (found.allowed_tools, found.setting_sources, found.park_after_s) == (("Bash(ls)",), ("user",), 9.0)


def test_a_group_waits_for_its_items_from_the_start(at: AtStore) -> None:
    """It has no process of its own, but a deadline, which covers its items."""
    root = at.group("a", "b", timeouts_s=(60.0, 600.0))
    group = at.job(root)
    assert (group.status, group.reason, group.waiting_for) == (Status.WAITING, "children", "children")
    assert (group.children, group.open_children, group.deadline_ms) == (2, 2, at.now_ms + 60_000)
    assert [(at.job(child).depth, at.job(child).batch) for child in (2, 3)] == [(1, 1), (1, 1)]
    at.later(10)
    at.start(2)
    assert at.job(2).deadline_ms == group.deadline_ms


def test_a_group_below_a_job_ends_no_later_than_it(at: AtStore) -> None:
    """Its own timeout would be longer than what its parent has left."""
    fence = at.start(at.tree(timeouts_s=(60.0, 600.0)))
    (group,) = at.spawn(fence, NewJob("1. a\n2. b", Kind.GROUP))
    with at.store.write() as tx:
        submit.expand_group(tx, group, [NewJob("a"), NewJob("b")], at.later(20))
    assert at.job(group).deadline_ms == at.job(1).deadline_ms


def test_a_group_gets_its_items_once(at: AtStore) -> None:
    """Two plans for the same group do not insert them twice, and nothing else has items."""
    fence = at.start(at.tree())
    (group, other) = at.spawn(fence, NewJob("1. a\n2. b", Kind.GROUP), "a command")
    with at.store.write() as tx:
        submit.expand_group(tx, group, [NewJob("a")], at.now_ms)
    for job_id, says in ((group, "is a group and waiting"), (other, "is a command and queued"), (1, "is a claude")):
        with pytest.raises(IllegalChange, match=f"job #{job_id} {says}"), at.store.write() as tx:
            submit.expand_group(tx, job_id, [NewJob("b")], at.now_ms)
    assert at.value("SELECT count(*) FROM jobs") == 4


@pytest.mark.parametrize(
    "new",
    [
        NewTree(NewJob("a list of nothing", Kind.GROUP)),
        NewTree(NewJob("no group"), (NewJob("an item"),)),
    ],
)
def test_items_belong_to_groups_and_groups_have_items(at: AtStore, new: NewTree) -> None:
    """One line says so."""
    with pytest.raises(BadInput, match="a group has items, and only a group has them"):
        at.submit(new)


@pytest.mark.parametrize(
    ("job", "says"),
    [
        (NewJob(""), "the request is empty"),
        (NewJob(" \t\n\u3000\u00a0"), "the request is empty"),
        (NewJob("x" * (MAX_REQUEST_BYTES + 1)), "the request has 262145 bytes; allowed: 262144"),
        (NewJob("あ" * (MAX_REQUEST_BYTES // 3 + 1)), "the request has 262146 bytes; allowed: 262144"),
        (NewJob("half a pair \ud83d"), "not valid Unicode at character 12"),
        (NewJob("a\0b"), "the request holds a NUL byte"),
        (NewJob("x", title="half a pair \ud83d"), "not valid Unicode"),
        (NewJob("x", priority=101), "priority is 101; allowed: -100 to 100"),
        (NewJob("x", priority=10**30), "allowed: 64 bits"),
        (NewJob("x", timeout_s=0), "timeout_s is 0.0; allowed: above 0, up to 604800"),
        (NewJob("x", timeout_s=float("nan")), "not a number"),
        (NewJob("x", timeout_s=1e9), "timeout_s is 1000000000.0"),
        (NewJob("x", argv=("ls",)), "for kind command alone"),
        (NewJob("x", Kind.COMMAND, argv=()), "argv is a JSON array of strings, at least one"),
        (NewJob("x", Kind.COMMAND, argv=("a\0",)), "without NUL"),
    ],
    ids=lambda value: None if isinstance(value, str) else " ",
)
def test_a_bad_job_is_refused_as_root_and_as_child(at: AtStore, job: NewJob, says: str) -> None:
    """One line that says what and what is allowed; nothing is stored."""
    with pytest.raises(BadInput, match=says):
        at.submit(NewTree(job))
    fence = at.start(at.tree())
    with pytest.raises(BadInput, match=says):
        at.spawn(fence, "fine", job)
    assert at.value("SELECT count(*) FROM jobs") == 1


def test_a_request_may_be_as_long_as_it_may(at: AtStore) -> None:
    """Exactly 256 KiB, and it comes back as it was."""
    request = "あ" * (MAX_REQUEST_BYTES // 3) + "x"
    assert at.job(at.tree(request)).request == request


@pytest.mark.parametrize(
    ("given", "request_text", "title"),
    [
        (None, "first\nsecond", "first"),
        (None, "\r\n first \r\nsecond", "first"),
        (None, "x" * 200, "x" * 80),
        ("given\nin two lines", "request", "given"),
        ("  \n ", "request", "request"),
        ("t" * 300, "request", "t" * 200),
        ("…" * 90, "request", "…" * 90),
    ],
)
def test_a_title_is_one_line_of_bounded_length(at: AtStore, given: str | None, request_text: str, title: str) -> None:
    """Given or taken from the request: screens have one line for it."""
    assert at.job(at.submit(NewTree(NewJob(request_text, title=given)))).title == title


def test_spawned_children_are_one_batch_in_order(at: AtStore) -> None:
    """The second call makes the second batch; both are named by the parent and their number."""
    fence = at.start(at.tree())
    with at.store.write() as tx:
        first = submit.spawn(tx, fence, [NewJob("a"), NewJob("b", Kind.COMMAND)], at.now_ms)
        second = submit.spawn(tx, fence, [NewJob("c")], at.now_ms)
    assert (first.name, first.job_ids, second.name, second.job_ids) == ("1-1", (2, 3), "1-2", (4,))
    with at.store.read() as reader:
        found = tree.children(reader, 1)
        assert [entry.id for entry in tree.ledger(reader, 1, 1)] == [2, 3]
        check(reader)
    assert [(job.request, job.kind, job.batch, job.depth) for job in found] == [
        ("a", Kind.CLAUDE, 1, 1),
        ("b", Kind.COMMAND, 1, 1),
        ("c", Kind.CLAUDE, 2, 1),
    ]
    assert at.job(1).open_children == 3


def test_spawning_nothing_is_an_error(at: AtStore) -> None:
    """A worker that waits for no children would wait for ever."""
    with pytest.raises(BadInput, match="there are no tasks to spawn"):
        at.spawn(at.start(at.tree()))


def test_only_the_running_attempt_spawns(at: AtStore) -> None:
    """Not one that is over, nor one to come."""
    root = at.tree()
    old = at.start(root)
    at.release(old)
    with pytest.raises(StaleAttempt, match="attempt 1 of job #1 is over: the job is queued at attempt 1"):
        at.spawn(old, "a")
    new = at.start(root)
    for fence in (old, Fence(root, new.attempt + 1)):
        with pytest.raises(StaleAttempt):
            at.spawn(fence, "a")
    at.finish(new)
    with pytest.raises(StaleAttempt, match="the job is completed"):
        at.spawn(new, "a")


def test_a_job_that_is_being_stopped_spawns_no_more(at: AtStore) -> None:
    """It is told why."""
    fence = at.start(at.tree())
    at.cancel(1)
    with pytest.raises(IllegalChange, match=r"job #1 is being stopped \(cancelled\); it takes no more children"):
        at.spawn(fence, "a")


def test_a_request_of_an_ancestor_is_refused_at_any_depth(at: AtStore) -> None:
    """The same words again, in other space or kind, are no part of the work; a sibling's words are fine."""
    fence = at.start(at.tree("count the lines"))
    (child,) = at.spawn(fence, "count them in a")
    below = at.start(child)
    for again in ("count the lines", " count the lines\n", "count them in a"):
        with pytest.raises(Exception, match="repeats: this request is the same as that of job #2 or of one above it"):
            at.spawn(below, again)
    assert at.spawn(fence, "count them in a") == (3,)


@pytest.mark.parametrize("rule", ["", "rm -rf", "Bash(ls", "Bash(\x1b)"])
def test_allowed_tools_are_rules(at: AtStore, rule: str) -> None:
    """Whoever hands the tree in."""
    with pytest.raises(BadInput, match="is no permission rule"):
        at.submit(NewTree(NewJob("x"), allowed_tools=("Read", rule)))
    assert at.value("SELECT count(*) FROM jobs") == 0
