"""Writes to a store as a worker does, at a steady pace, and tells when each commit was done. A process of its own.

``python benchmarks/writer.py DATABASE LOG KIND PER_SECOND SECONDS PARENT ID...`` where KIND is ``update`` (a new activity of
one of the jobs, in turn), ``sporadic`` (the same at uneven times) or ``insert`` (a new child of PARENT). LOG gets a line for
each commit: its activity, the job, and the moment after it in nanoseconds since 1970.
"""

import random
import sys
import time
from pathlib import Path
from typing import NamedTuple

import apsw


class Commit(NamedTuple):
    """One line of the log."""

    activity: str
    job_id: int
    at_ns: int


def activity(number: int) -> str:
    """Return words that stand for a number, found in the bytes for a terminal as well as in a row."""
    return f"<{number:06}>"


def commits(log: Path) -> list[Commit]:
    """Read a log."""
    lines = (line.split() for line in log.read_text().splitlines())
    return [Commit(said, int(job_id), int(at_ns)) for said, job_id, at_ns in lines]


def lags_ms(written: list[Commit], shown: list[tuple[str, int]]) -> list[float]:
    """Return, for each commit, the milliseconds until its job was shown as it was then, or as it was later.

    ``shown``: activities with the moment at which each stood on the screen. Commits never shown are infinite.
    """
    job_of = {commit.activity: commit.job_id for commit in written}
    waiting: dict[int, list[Commit]] = {}
    for commit in written:
        waiting.setdefault(commit.job_id, []).append(commit)
    lags: list[float] = []
    for said, at_ns in shown:
        of_job = waiting.get(job_of.get(said, 0), [])
        while of_job and of_job[0].activity <= said:
            lags.append((at_ns - of_job.pop(0).at_ns) / 1e6)
    return lags + [float("inf") for left in waiting.values() for _ in left]


def main() -> None:
    """Write."""
    database, log, kind = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    per_second, seconds, parent = float(sys.argv[4]), float(sys.argv[5]), int(sys.argv[6])
    ids = [int(number) for number in sys.argv[7:]]
    connection = apsw.Connection(database)
    connection.set_busy_timeout(1000)
    uneven = random.Random(7)
    begin, lines = time.monotonic(), []
    for number in range(int(per_second * seconds)):
        shift = uneven.random() if kind == "sporadic" else 0.0
        time.sleep(max(0.0, begin + (number + shift) / per_second - time.monotonic()))
        job_id = ids[number % len(ids)]
        if kind == "insert":
            connection.execute(
                "INSERT INTO jobs(parent_id, request, title) VALUES (?, ?, 'new')", (parent, str(number))
            )
        else:
            connection.execute("UPDATE jobs SET activity = ? WHERE id = ?", (activity(number), job_id))
        lines.append(f"{activity(number)} {job_id} {time.time_ns()}\n")
    log.write_text("".join(lines))


if __name__ == "__main__":
    main()
