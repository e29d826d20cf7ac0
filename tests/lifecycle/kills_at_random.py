"""A storm over one tree at work: kill -9 of its supervisor, its workers and whatever they have started, at random moments."""

import os
import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass

from at_work import AtWork

from store.states import FINAL

#: Every so many kills one is aimed at a worker, so that chance does not pass them all over.
_AIMED = 3


@dataclass(frozen=True, slots=True)
class Storm:
    """How hard it blows. ``pause_s``: the shortest and the longest time between two kills."""

    seed: int
    pause_s: tuple[float, float]
    most_kills: int
    supervisor_share: float = 0.15
    end_s: float = 200.0


def blow(storm: Storm, work: AtWork, root: int) -> int:
    """Kill until the tree has ended or ``most_kills`` are reached, then wait for its end; return the number of kills.

    A supervisor that is gone is started again, and a store that paused itself over its crashed workers is resumed.
    """
    chance = random.Random(storm.seed)
    kills, end = 0, time.monotonic() + storm.end_s

    def ended() -> bool:
        return work.job(root).status in FINAL

    while not ended() and time.monotonic() < end:
        supervisor = work.supervisors[-1]
        if supervisor.poll() is not None:
            supervisor = work.supervise()
        if work.store_is_paused():
            work.orch("resume")
        pause = time.monotonic() + chance.uniform(*storm.pause_s)
        work.wait_for(lambda until=pause: ended() or time.monotonic() >= until, "the next kill")  # type: ignore[misc]
        if kills >= storm.most_kills or ended():
            continue
        hit = _workers(work) if kills % _AIMED == 0 else work.processes()
        if chance.random() < storm.supervisor_share:
            hit = [supervisor.pid]
        if not hit:
            continue
        with suppress(ProcessLookupError):  # it has just ended by itself
            os.kill(chance.choice(hit), signal.SIGKILL)
            kills += 1
    assert ended(), work.describe()
    return kills


def lost(work: AtWork) -> int:
    """Return how many attempts ended because their worker was gone."""
    with work.store.read() as reader:
        return int(reader.value("SELECT count(*) FROM attempts WHERE reason = 'lost'"))


def _workers(work: AtWork) -> list[int]:
    with work.store.read() as reader:
        noted = reader.rows("SELECT pid FROM attempts WHERE ended_ms IS NULL AND pid IS NOT NULL")
    living = set(work.processes())
    return [pid for (pid,) in noted if pid in living]
