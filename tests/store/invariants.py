"""What is true of every store between two statements, whoever wrote to it: recounted from the rows themselves."""

from collections import Counter, defaultdict
from typing import Any

from store.database import Reader
from store.feed import newest_seq
from store.models import Job
from store.rows import JOB_COLUMNS, job
from store.states import FINAL, Kind, Status


def check(reader: Reader) -> None:
    """Fail with the first thing that is not as it must be."""
    jobs = {found.id: found for found in map(job, reader.rows(f"SELECT {JOB_COLUMNS} FROM jobs ORDER BY id"))}
    below: dict[int | None, list[Job]] = defaultdict(list)
    for each in jobs.values():
        below[each.parent_id].append(each)
    limits = {row[0]: row[1:] for row in reader.rows("SELECT root_id, max_depth, max_workers, jobs FROM trees")}
    assert set(limits) == {each.id for each in below[None]}, "each root has its tree, and no other job has one"
    for each in jobs.values():
        _check_place(each, jobs, limits)
        _check_state(each, below[each.id])
    _check_counters(reader, jobs, below, limits)
    _check_attempts(reader, jobs)
    _check_history(reader, jobs)
    assert reader.row("SELECT busy_job, given_ms FROM store") == (None, None), "no bookkeeping is left undone"


def _check_place(each: Job, jobs: dict[int, Job], limits: dict[int, Any]) -> None:
    parent = None if each.parent_id is None else jobs[each.parent_id]
    assert each.depth == (0 if parent is None else parent.depth + 1), f"depth of #{each.id}"
    assert each.root_id == (each.id if parent is None else parent.root_id), f"tree of #{each.id}"
    assert each.depth <= limits[each.root_id][0], f"#{each.id} lies within max_depth"
    if parent and each.status not in FINAL and each.deadline_ms is not None and parent.deadline_ms is not None:
        assert each.deadline_ms <= parent.deadline_ms, f"#{each.id} ends no later than its parent"


def _check_state(each: Job, children: list[Job]) -> None:
    open_children = [child for child in children if child.status not in FINAL]
    if each.status in FINAL:
        assert not open_children, f"#{each.id} has ended, its children too"
        assert each.ended_ms is not None, f"#{each.id} has ended at some time"
        assert each.open_asks == 0, f"#{each.id} has ended and asks nothing"
    else:
        assert each.ended_ms is None, f"#{each.id} has not ended"
    if each.status is Status.COMPLETED:
        assert all(child.status is Status.COMPLETED for child in children), f"#{each.id} completed with its children"
    if each.status is Status.WAITING:
        asks = each.waiting_for == "ask" and each.own_status is None and each.kind is not Kind.GROUP
        assert each.open_asks if asks else open_children, f"#{each.id} waits for something that will come"
    if each.status is Status.QUEUED and each.stop_reason is not None:
        assert open_children, f"#{each.id} is stopped and ends with its last child"
    if each.status is not Status.RUNNING:
        assert not each.lending, f"#{each.id} lends nothing"
        assert not each.wants_slot, f"#{each.id} wants nothing"


def _check_counters(
    reader: Reader, jobs: dict[int, Job], below: dict[int | None, list[Job]], limits: dict[int, Any]
) -> None:
    asks = Counter(row[0] for row in reader.rows("SELECT job_id FROM asks WHERE answer IS NULL"))
    used = {
        row[0]: row[1:]
        for row in reader.rows(
            "SELECT job_id, total(cost_usd), sum(input_tokens + output_tokens) FROM attempts GROUP BY job_id"
        )
    }
    subtree: dict[int, tuple[float, int]] = {}
    for each in reversed(jobs.values()):
        children = below[each.id]
        cost_usd, tokens = used.get(each.id, (0.0, 0))
        assert (each.children, each.open_children) == (
            len(children),
            sum(child.status not in FINAL for child in children),
        ), f"counters of #{each.id}"
        assert each.open_asks == asks[each.id], f"open asks of #{each.id}"
        assert (each.cost_usd, each.tokens) == (cost_usd, tokens), f"own cost of #{each.id}"
        subtree[each.id] = (
            cost_usd + sum(subtree[child.id][0] for child in children),
            tokens + sum(subtree[child.id][1] for child in children),
        )
        assert abs(each.subtree_cost_usd - subtree[each.id][0]) < 1e-9, f"cost of all below #{each.id}"
        assert each.subtree_tokens == subtree[each.id][1], f"tokens of all below #{each.id}"
    in_tree = Counter(each.root_id for each in jobs.values())
    assert {root_id: counted for root_id, (_, _, counted) in limits.items()} == in_tree, "jobs per tree"
    states = Counter((each.root_id, each.status.value) for each in jobs.values())
    states += Counter((0, each.status.value) for each in jobs.values())
    found = {(root_id, status): count for root_id, status, count in reader.rows("SELECT * FROM status_counts") if count}
    assert found == dict(states), "jobs per state"


def _check_attempts(reader: Reader, jobs: dict[int, Job]) -> None:
    opened = Counter(row[0] for row in reader.rows("SELECT job_id FROM attempts WHERE ended_ms IS NULL"))
    numbers: dict[int, list[int]] = defaultdict(list)
    for job_id, number in reader.rows("SELECT job_id, number FROM attempts ORDER BY job_id, number"):
        numbers[job_id].append(number)
    for each in jobs.values():
        assert opened[each.id] == (each.status is Status.RUNNING), f"open attempts of #{each.id}"
        assert numbers[each.id] == list(range(1, each.attempt + 1)), f"attempts of #{each.id}"
    for root_id, max_workers in reader.rows("SELECT root_id, max_workers FROM trees"):
        working = [each for each in jobs.values() if each.root_id == root_id and each.status is Status.RUNNING]
        assert sum(not each.lending for each in working) <= max_workers, f"workers of tree #{root_id}"


def _check_history(reader: Reader, jobs: dict[int, Job]) -> None:
    last: dict[int, str] = {}
    seen = 0
    for seq, job_id, status in reader.rows("SELECT seq, job_id, status FROM changes ORDER BY seq"):
        assert seq > seen, "history is told in order"
        assert status != last.get(job_id), "history tells changes only"
        last[job_id], seen = status, seq
    assert last == {each.id: each.status.value for each in jobs.values()}, "history ends where the jobs are"
    seqs = [each.seq for each in jobs.values()]
    assert len(set(seqs)) == len(seqs), "no two jobs have the same seq"
    assert max(seqs, default=0) <= newest_seq(reader), "nothing is newer than the newest"
