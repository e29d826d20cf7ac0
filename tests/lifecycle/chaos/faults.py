"""The faults of a storm: what each does to whom. What is expected of it stands beside it and in docs/reliability.md.

A fault returns what it hit, or None where there was nothing to hit. What it breaks it mends itself after a while, by
``storm.later``: a fault is a moment, not a state.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from store import control
from store.errors import Refused, StoreBusy
from store.models import Limits
from store.repair import retry_failed
from store.states import Status
from store.tree import subtree
from store.upkeep import back_up
from tests.lifecycle.chaos.stage import wait_for

if TYPE_CHECKING:
    from tests.lifecycle.chaos.storm import Storm

_HOLD = """
import sys, time, apsw
connection = apsw.Connection(sys.argv[1])
connection.set_busy_timeout(20000)
connection.execute(sys.argv[2]).fetchall()
connection.execute("SELECT count(*) FROM jobs").fetchall()
time.sleep(float(sys.argv[3]))
connection.execute("COMMIT").fetchall()
"""
_TERMS = 5
#: What fills the disk, in the project's folder.
BALLAST = "ballast"


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table. ``weight``: how often it comes, beside the others."""

    name: str
    expected: str
    do: "Callable[[Storm], str | None]"
    weight: int = 1
    needs: str = ""  # small_disk | claude: only where the storm has it


def _kill_supervisor(storm: "Storm") -> str | None:
    return "supervisor" if _end_supervisor(storm, signal.SIGKILL) else None


def _terminate_supervisor(storm: "Storm") -> str | None:
    return "supervisor" if _end_supervisor(storm, signal.SIGTERM) else None


def _end_supervisor(storm: "Storm", number: int) -> bool:
    storm.expect_end()
    return storm.stage.hit_supervisor(number)


def _stop_supervisor(storm: "Storm") -> str | None:
    stopped = storm.stage.supervisor
    if stopped is None or not storm.stage.hit_supervisor(signal.SIGSTOP):
        return None
    storm.later(storm.random.uniform(0.5, 3.0), lambda: stopped.send_signal(signal.SIGCONT))
    return "supervisor"


def _second_supervisor(storm: "Storm") -> str | None:
    return _second(storm, delete=False)


def _second_supervisor_without_note(storm: "Storm") -> str | None:
    return _second(storm, delete=True)


def _second(storm: "Storm", *, delete: bool) -> str | None:
    first = storm.stage.supervisor
    if first is None or first.poll() is not None:
        return None
    if delete:
        storm.stage.home.supervisor_note.unlink(missing_ok=True)
        storm.stage.home.write_lock.unlink(missing_ok=True)
    second = storm.stage.another_supervisor()
    wait_for(lambda: second.poll() is not None or first.poll() is not None, 20)
    if second.poll() is None and first.poll() is None:
        storm.stage.journal.say("two supervisors", pids=[first.pid, second.pid])
        second.kill()
    if second.poll() is None and first.poll() is not None:  # the first died meanwhile: the second came in time
        second.terminate()
    second.wait()
    return f"code {second.returncode}"


def _arm(place: str) -> "Callable[[Storm], str | None]":
    def do(storm: "Storm") -> str | None:
        storm.arm(place)
        return place

    return do


def _kill_forker(storm: "Storm") -> str | None:
    killed = storm.stage.kill_forker(storm.random.choice)
    return None if killed is None else f"process {killed}"


def _hit_worker(storm: "Storm", number: int, times: int = 1) -> str | None:
    workers = storm.stage.workers()
    if not workers:
        return None
    pid, label = storm.random.choice(workers)
    return label if all(storm.stage.hit(pid, label, number) for _ in range(times)) else None


def _kill_worker(storm: "Storm") -> str | None:
    return _hit_worker(storm, signal.SIGKILL)


def _terminate_worker(storm: "Storm") -> str | None:
    return _hit_worker(storm, signal.SIGTERM, _TERMS)


def _stop_worker(storm: "Storm") -> str | None:
    workers = storm.stage.workers()
    if not workers:
        return None
    pid, label = storm.random.choice(workers)
    if not storm.stage.hit(pid, label, signal.SIGSTOP):
        return None
    storm.later(storm.random.uniform(0.5, 3.0), lambda: storm.stage.hit(pid, label, signal.SIGCONT))
    return label


def _kill_both(storm: "Storm") -> str | None:
    return _kill_worker(storm) if _kill_supervisor(storm) else None


def _kill_all(storm: "Storm") -> str | None:
    """Everything of the store at once, as a crash of the machine does, but for what hides."""
    if not _kill_supervisor(storm):
        return None
    killed = [label for pid, label in storm.stage.workers() if storm.stage.hit(pid, label, signal.SIGKILL)]
    return ", ".join(killed)


def _kill_command(storm: "Storm") -> str | None:
    return _kill_program(storm, "actor.py")


def _kill_claude(storm: "Storm") -> str | None:
    return _kill_program(storm, "claude --")


def _kill_program(storm: "Storm", part: str) -> str | None:
    found = storm.stage.programs(part)
    if not found:
        return None
    pid, label = storm.random.choice(found)
    return label if storm.stage.hit(pid, label, signal.SIGKILL) else None


def _lock_database(storm: "Storm") -> str | None:
    return _hold(storm, "BEGIN IMMEDIATE")


def _read_long(storm: "Storm") -> str | None:
    return _hold(storm, "BEGIN")


def _hold(storm: "Storm", begin: str) -> str:
    seconds = f"{storm.random.uniform(0.5, 3.0):.1f}"
    argv = [sys.executable, "-c", _HOLD, str(storm.stage.home.database), begin, seconds]
    storm.foreign.append(subprocess.Popen(argv, stderr=subprocess.DEVNULL))
    return f"{seconds} s"


def _fill_disk(storm: "Storm") -> str | None:
    ballast = storm.stage.project / BALLAST
    with ballast.open("ab", buffering=0) as file:
        for size in (1_048_576, 4096, 64):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
    storm.later(storm.random.uniform(0.5, 2.5), lambda: ballast.unlink(missing_ok=True))
    return "until it is freed"


def _cancel(storm: "Storm") -> str | None:
    open_jobs = [job.id for job in storm.observer.mirror.values() if job.ended_ms is None]
    if not open_jobs:
        return None
    job_id = storm.random.choice(open_jobs)
    return _by_person(storm, job_id, lambda: _written(storm, lambda tx: control.cancel(tx, job_id, storm.now_ms())))


def _retry(storm: "Storm") -> str | None:
    ended = [
        job.id
        for job in storm.observer.mirror.values()
        if job.parent_id is None and job.status in (Status.PARTIAL, Status.FAILED, Status.CANCELLED)
    ]
    if not ended:
        return None
    root_id = storm.random.choice(ended)
    with storm.stage.store.read() as reader:
        for job in subtree(reader, root_id):
            storm.stage.journal.say("retried", job=job.id)
    return _by_person(storm, root_id, lambda: _written(storm, lambda tx: retry_failed(tx, root_id, storm.now_ms())))


def _raise_limits(storm: "Storm") -> str | None:
    open_roots = [job.id for job in storm.observer.mirror.values() if job.parent_id is None and job.ended_ms is None]
    if not open_roots:
        return None
    root_id = storm.random.choice(open_roots)
    limits = Limits(timeouts_s=(storm.random.choice((300.0, 900.0)),))
    return _by_person(storm, root_id, lambda: _written(storm, lambda tx: control.set_limits(tx, root_id, limits)))


def _pause(storm: "Storm") -> str | None:
    storm.later(storm.random.uniform(0.2, 1.5), storm.resume)
    return _by_person(storm, 0, lambda: _written(storm, lambda tx: control.pause(tx, None, storm.now_ms())))


def _by_person(storm: "Storm", job_id: int, act: Callable[[], object]) -> str:
    try:
        act()
    except (Refused, StoreBusy) as error:
        return f"#{job_id}: refused: {error}"
    return f"#{job_id}"


def _written(storm: "Storm", change: Callable[..., object]) -> None:
    with storm.stage.store.write() as tx:
        change(tx)


def _copy(storm: "Storm") -> str | None:
    to = storm.stage.folder / f"copy-{storm.random.getrandbits(32):08x}"
    size = back_up(storm.stage.store, to)
    copy = apsw.Connection(str(to), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        found = copy.execute("PRAGMA integrity_check").fetchall()[0][0]
    finally:
        copy.close()
    mode = os.stat(to).st_mode & 0o777
    storm.stage.journal.say("copied", integrity=found if mode == 0o600 else oct(mode))
    Path(to).unlink()
    return f"{size} bytes"


FAULTS = (
    Fault("kill -9 of the supervisor", "workers go on; the next one takes them over", _kill_supervisor, 4),
    Fault("SIGTERM of the supervisor", "it ends in order; workers go on", _terminate_supervisor, 2),
    Fault("SIGSTOP of the supervisor", "workers go on; it goes on where it was", _stop_supervisor, 2),
    Fault("a second supervisor", "refused", _second_supervisor),
    Fault("a second supervisor, note and lock file deleted", "refused", _second_supervisor_without_note),
    Fault("kill -9 of the process that forks workers", "workers go on; another takes its place", _kill_forker, 3),
    Fault("supervisor dies before the process exists", "released; no try is used up", _arm("after_start"), 2),
    Fault("supervisor dies after the process exists", "the worker is taken over", _arm("after_spawn"), 2),
    Fault("worker dies after its claim", "lost; swept; tried again", _arm("after_claim"), 2),
    Fault("worker dies before the outcome", "lost; tried again", _arm("before_outcome"), 2),
    Fault("worker dies after the outcome", "the outcome stands", _arm("after_outcome"), 2),
    Fault("kill -9 of a worker", "lost; what it left is ended first; tried again", _kill_worker, 4),
    Fault("SIGTERM of a worker, five times", "back to the queue, once", _terminate_worker, 2),
    Fault("SIGSTOP of a worker", "its attempt stands still and goes on", _stop_worker, 2),
    Fault("kill -9 of worker and supervisor", "lost; swept by the mark", _kill_both, 2),
    Fault("kill -9 of the supervisor and all workers", "as one", _kill_all),
    Fault("kill -9 of a command", "failed by signal 9; tried again", _kill_command, 2),
    Fault("kill -9 of claude", "claude_error; its session is resumed", _kill_claude, 4, "claude"),
    Fault("the database is locked", "writers wait", _lock_database, 2),
    Fault("a long reader", "nobody waits", _read_long),
    Fault("the disk is full", "writers wait until it is freed", _fill_disk, 2, "small_disk"),
    Fault("a person cancels", "the subtree ends", _cancel),
    Fault("a person retries what failed", "only that runs again", _retry, 2),
    Fault("a person raises limits", "deadlines move", _raise_limits),
    Fault("a person pauses the store", "nothing starts until it goes on", _pause),
    Fault("a copy while everything runs", "it is whole", _copy),
)
