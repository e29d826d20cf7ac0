"""The promise, clause by clause: each a pure check over the log of a storm and what is true at its end.

A check returns what it found broken, with its evidence. It starts nothing and reads nothing.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from store.states import FINAL, Kind, Status
from tests.lifecycle.chaos.facts import Facts
from tests.lifecycle.chaos.journal import Line, digest


@dataclass(frozen=True, slots=True)
class Broken:
    """One breach of one clause."""

    clause: int
    said: str


Check = Callable[[list[Line], Facts], Iterator[str]]


def attempts_never_overlap(log: list[Line], _: Facts) -> Iterator[str]:
    """No process of an attempt works while one of another attempt of the same job does: caught by a lock, or by times."""
    for line in of(log, "refused"):
        if line["lock"] == "job":
            yield f"#{line['job']}.{line['attempt']} ran while another attempt of #{line['job']} held the job's lock"
    for line in of(log, "two workers"):
        yield f"#{line['job']}: the worker of attempt {line['attempt'] - 1} lived beside that of {line['attempt']}"
    ends = {(line["job"], line["attempt"]): line["at"] for line in of(log, "end")}
    starts: dict[int, list[Line]] = defaultdict(list)
    for line in of(log, "start"):
        starts[line["job"]].append(line)
    for job_id, begun in starts.items():
        numbers = [line["attempt"] for line in begun]
        if len(set(numbers)) < len(numbers):
            yield f"an attempt of #{job_id} ran twice: {numbers}"
        for earlier, later in pairwise(begun):
            if ends.get((job_id, earlier["attempt"]), 0.0) > later["at"]:
                yield f"#{job_id}: attempt {later['attempt']} began before {earlier['attempt']} had ended"


def every_job_ends_or_says_why(_: list[Line], facts: Facts) -> Iterator[str]:
    """Final, or waiting for something that is shown; and whatever did not go well has a reason."""
    for job in facts.jobs.values():
        if job.status in FINAL:
            if job.status is not Status.COMPLETED and job.reason is None:
                yield f"#{job.id} is {job.status} without a reason"
            continue
        paused = facts.held is not None or facts.trees[job.root_id].paused_ms is not None
        later = job.not_before_ms is not None and job.not_before_ms > time.time() * 1000
        below = any(other.parent_id == job.id and other.status not in FINAL for other in facts.jobs.values())
        if not (job.open_asks or (job.status is Status.QUEUED and (paused or later)) or below):
            yield f"#{job.id} is {job.status} ({job.reason}) and nothing that is shown holds it up"


def no_acknowledged_result_is_lost(log: list[Line], facts: Facts) -> Iterator[str]:
    """What was seen ended stays so, what was said to be inserted is there, and success is what the worker really did."""
    for line in of(log, "submitted"):
        if line["job"] not in facts.jobs:
            yield f"#{line['job']} was acknowledged and is gone"
    for line in of(log, "spawned"):
        for child_id, status in line["children"]:
            child = facts.jobs.get(child_id)
            if child is None or child.parent_id != line["job"]:
                yield f"#{child_id} was acknowledged to #{line['job']} and is not its child"
            elif line["waited"] and status not in {each.value for each in FINAL}:
                yield f"#{line['job']} was told that #{child_id} had ended, as {status}"
    retried = {line["job"] for line in of(log, "retried")}
    for line in of(log, "ended"):
        job = facts.jobs.get(line["job"])
        if job is None:
            yield f"#{line['job']} ended as {line['status']} and is gone"
        elif line["status"] == Status.COMPLETED or job.id not in retried:
            told = line["status"], line["result"], line["attempt"]
            if (job.status, digest(job.result), job.attempt) != told:
                yield f"#{job.id} ended as {told}, and is now {job.status} in attempt {job.attempt}"
    yield from _success_is_true(log, facts)


def _success_is_true(log: list[Line], facts: Facts) -> Iterator[str]:
    done = {(line["job"], line["attempt"]) for line in of(log, "end") if line["code"] == 0}
    plans = {line["job"]: line["plan"] for line in of(log, "start")}
    for job in facts.jobs.values():
        if job.kind is Kind.GROUP or job.own_status is not Status.COMPLETED:
            continue
        if job.kind is Kind.CLAUDE:  # see ``claude_work``: the first word of the request is its result
            if job.result != job.request.split()[0].lower():
                yield f"#{job.id} is completed with another's result: {(job.result or '')[-60:]!r}"
            continue
        if (job.id, job.attempt) not in done:
            yield f"#{job.id} is completed in attempt {job.attempt}, which never said that it was done"
        elif not (job.result or "").endswith(f"done {plans[job.id]}\n"):
            yield f"#{job.id} is completed with another's result: {(job.result or '')[-60:]!r}"


def nothing_stays_alive(log: list[Line], facts: Facts) -> Iterator[str]:
    """No process of an ended attempt, but what nobody can find (`out_of_reach`)."""
    spared = {f"{label} bare" for label in out_of_reach(log, facts)}
    for line in of(log, "left over"):
        if not line["process"].endswith(tuple(spared)):
            yield f"process {line['pid']} outlived attempt {line['label']}: {line['process']}"
    for each in facts.alive:
        if not each.what.endswith(tuple(spared)):
            yield f"process {each.pid} of {each.label} is alive at the end: {each.what}"


def limits_hold(log: list[Line], facts: Facts) -> Iterator[str]:
    """Workers at once, caught by tokens; depth, jobs and children, counted; and what was recounted during the storm."""
    for line in of(log, "refused"):
        if line["lock"] != "job":
            yield f"#{line['job']} worked as one more than {line['most']} of {line['lock']}"
    for line in of(log, "invariant"):
        yield f"during the storm: {line['error']}"
    children = Counter(job.parent_id for job in facts.jobs.values())
    rows = Counter(job.root_id for job in facts.jobs.values())
    for job in facts.jobs.values():
        tree = facts.trees[job.root_id]
        if job.depth > tree.max_depth or children[job.id] > tree.max_children or rows[job.root_id] > tree.max_jobs:
            yield f"#{job.id}: depth {job.depth}, {children[job.id]} children, {rows[job.root_id]} jobs in its tree"


def the_database_is_whole(log: list[Line], facts: Facts) -> Iterator[str]:
    """`PRAGMA integrity_check`, of the store and of every copy made meanwhile; foreign keys; the rules as shipped."""
    if facts.integrity != ("ok",):
        yield f"integrity_check: {facts.integrity[:3]}"
    if facts.foreign_keys or facts.schema:
        yield f"{facts.foreign_keys} broken references; schema: {facts.schema}"
    for line in of(log, "copied"):
        if line["integrity"] != "ok":
            yield f"a backup is not whole: {line['integrity']}"


def feed_and_tables_agree(_: list[Line], facts: Facts) -> Iterator[str]:
    """Whoever followed the changes from the first on knows every row as it stands."""
    for job_id in facts.jobs.keys() | facts.mirror.keys():
        if facts.jobs.get(job_id) != facts.mirror.get(job_id):
            yield f"#{job_id}: the feed says {facts.mirror.get(job_id)}, the table {facts.jobs.get(job_id)}"


def files_keep_their_modes(_: list[Line], facts: Facts) -> Iterator[str]:
    """Folders 0700, files 0600, no links."""
    for path, wrong in facts.modes:
        yield f"{path}: {wrong}"


def one_supervisor_that_lives(log: list[Line], _: Facts) -> Iterator[str]:
    """It ends when it is told to or killed, never by itself, and never are there two."""
    for line in of(log, "supervisor died"):
        yield f"the supervisor ended by itself, code {line['code']}: {line['said']}"
    for line in of(log, "two supervisors"):
        yield f"a second supervisor ran beside the first: {line['pids']}"


def nothing_is_spawned_twice(log: list[Line], facts: Facts) -> Iterator[str]:
    """A command that is run again by itself has no children yet: only a person has work done once more."""
    retried = {line["job"] for line in of(log, "retried")}
    spawned = Counter((job.parent_id, job.request) for job in facts.jobs.values() if job.parent_id is not None)
    for (parent_id, request), times in spawned.items():
        if times > 1 and parent_id not in retried:
            yield f"#{parent_id} has {times} children for {request[-20:]!r}"


CLAUSES: dict[int, Check] = {
    1: attempts_never_overlap,
    2: every_job_ends_or_says_why,
    3: no_acknowledged_result_is_lost,
    4: nothing_stays_alive,
    5: limits_hold,
    6: the_database_is_whole,
    7: feed_and_tables_agree,
    8: files_keep_their_modes,
    9: one_supervisor_that_lives,
    10: nothing_is_spawned_twice,
}


def broken(log: list[Line], facts: Facts) -> list[Broken]:
    """Check every clause."""
    return [Broken(number, said) for number, check in CLAUSES.items() for said in check(log, facts)]


def out_of_reach(log: list[Line], facts: Facts) -> Iterator[str]:
    """Yield attempts that may leave a process with an emptied environment behind: worker and its supervisor both killed.

    The mark in the environment is gone, and with the two processes the parenthood that would tell.
    """
    deaths = [line["wall_ms"] for line in of(log, "supervisor gone")]
    for attempt in facts.attempts:
        ended_ms = attempt.ended_ms or float("inf")
        if attempt.outcome != "completed" and any(attempt.started_ms <= at <= ended_ms + 1000 for at in deaths):
            yield f"{attempt.job_id}.{attempt.number}"


def of(log: list[Line], what: str) -> Iterator[Line]:
    """Yield the lines that tell ``what``."""
    return (line for line in log if line["what"] == what)
