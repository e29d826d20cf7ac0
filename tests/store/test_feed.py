"""The change feed: who follows it has what is there, and pays for what changed."""

from at_store import AtStore

from store import control, feed
from store.database import Reader
from store.models import Job, Limits
from store.rows import JOB_COLUMNS, job
from store.states import Status


def changed(at: AtStore, seq: int, **chosen: int) -> list[int]:
    with at.store.read() as reader:
        return [each.id for each in feed.changed_since(reader, seq, **chosen)]


def newest(at: AtStore) -> int:
    with at.store.read() as reader:
        return feed.newest_seq(reader)


def test_nothing_new_is_nothing(at: AtStore) -> None:
    """Also for who has never looked, in an empty store."""
    assert changed(at, 0) == []
    at.tree()
    assert changed(at, newest(at)) == []


def test_a_change_shows_the_job_and_those_above_it_once(at: AtStore) -> None:
    """As they are now, the oldest change first."""
    root, (one, two) = at.waiting_parent("a", "b")
    other = at.tree()
    seq = newest(at)
    at.run(one)
    assert sorted(changed(at, seq)) == [root, one]
    seq = newest(at)
    with at.store.write() as tx:
        tx.run("UPDATE jobs SET activity = 'x' WHERE id = ?", (other,))
        tx.run("UPDATE jobs SET activity = 'x' WHERE id = ?", (two,))
        tx.run("UPDATE jobs SET activity = 'y' WHERE id = ?", (other,))
    assert changed(at, seq) == [two, other]


def test_plain_sql_is_in_the_feed(at: AtStore) -> None:
    """A row by hand, and a change by hand."""
    root, _ = at.waiting_parent("a")
    seq = newest(at)
    at.shell(f"INSERT INTO jobs(parent_id, request) VALUES ({root}, 'by hand')")
    assert sorted(changed(at, seq)) == [root, 3]
    seq = newest(at)
    at.shell("UPDATE jobs SET priority = 5 WHERE id = 3")
    assert changed(at, seq) == [3]


def test_limits_and_counts_of_asks_are_changes_of_a_job(at: AtStore) -> None:
    """Everything that a screen shows beside the row."""
    root = at.tree()
    fence = at.start(root)
    for change in (
        lambda tx: control.set_limits(tx, root, Limits(max_jobs=9)),
        lambda tx: tx.insert("INSERT INTO asks(job_id, attempt, kind, question, created_ms) VALUES (1, 1, 'question', '?', 1)"),
        lambda tx: tx.run("UPDATE attempts SET cost_usd = 1 WHERE job_id = ?", (fence.job_id,)),
    ):  # fmt: skip
        seq = newest(at)
        with at.store.write() as tx:
            change(tx)
        assert changed(at, seq) == [root]


def test_the_feed_goes_on_from_the_last_one_in_pages(at: AtStore) -> None:
    """Nothing comes twice, nothing is left out."""
    at.group(*"abcdefg")
    seq, seen = 0, []
    with at.store.read() as reader:
        while page := feed.changed_since(reader, seq, limit=3):
            assert len(page) <= 3
            seen += [each.id for each in page]
            seq = page[-1].seq
        assert seq <= feed.newest_seq(reader)
    assert sorted(seen) == list(range(1, 9))


def test_the_feed_of_one_tree_holds_only_its_jobs(at: AtStore) -> None:
    """The others may change as they like."""
    one, two = at.group("a", "b"), at.group("c", "d")
    assert sorted(changed(at, 0, root_id=one)) == [1, 2, 3]
    seq = newest(at)
    at.run(two + 1)
    assert changed(at, seq, root_id=one) == []
    assert sorted(changed(at, seq, root_id=two)) == [two, two + 1]


def test_what_is_rolled_back_never_shows(at: AtStore) -> None:
    """Not even its number is used up."""
    root = at.tree()
    seq = newest(at)
    try:
        with at.store.write() as tx:
            tx.run("UPDATE jobs SET activity = 'x' WHERE id = ?", (root,))
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert (newest(at), changed(at, seq)) == (seq, [])


def test_a_change_has_the_same_number_in_the_feed_and_in_history(at: AtStore) -> None:
    """So a line of history is found from what the feed shows."""
    at.run(at.tree())
    numbers = dict(at.rows("SELECT status, seq FROM changes"))
    assert list(numbers) == [Status.QUEUED, Status.RUNNING, Status.COMPLETED]
    assert at.job(1).seq == numbers["completed"]


def test_a_mirror_of_the_feed_is_the_table(at: AtStore) -> None:
    """Through starts, ends, asks, cancels and retries."""
    mirror: dict[int, Job] = {}
    seq = 0

    def follow(reader: Reader) -> None:
        nonlocal seq
        for each in feed.changed_since(reader, seq):
            mirror[each.id], seq = each, each.seq
        rows = reader.rows(f"SELECT {JOB_COLUMNS} FROM jobs")
        assert mirror == {row[0]: job(row) for row in rows}

    root, (one, two) = at.waiting_parent("a", "b")
    steps = [
        lambda: at.run(one, Status.FAILED),
        lambda: at.ask(at.start(two)),
        lambda: at.answer(1, "answered", "yes"),
        lambda: at.cancel(root),
        lambda: at.finish(at.job(two).fence, Status.CANCELLED),
        lambda: at.retry(one),
        lambda: at.run(one),
    ]
    for step in steps:
        with at.store.read() as reader:
            follow(reader)
        step()
    with at.store.read() as reader:
        follow(reader)
    assert at.states(root) == ["queued (resume)"]
