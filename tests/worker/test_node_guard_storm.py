"""Whoever of front, guard, backstop and worker is killed, at whatever point: what they have started does not live on.

Random, but from a seed: a round can be played again. Guard and backstop are never both killed in one; that is one too many.
"""

import os
import random
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from guarded import PROGRAM, Guarded, parent_of
from hostile import tagged, until

SEED = 8
ROUNDS = 15
#: How many processes a round has when it is complete: four, and what the tricks have.
COMPLETE = 10
TRICKS = ("ignore_term", "double_fork", "empty_environment", "polite", "shell")
WITHIN_S = 2.5
VICTIMS = (
    ("front",),
    ("guard",),
    ("backstop",),
    ("worker",),
    ("front", "guard"),
    ("guard", "worker"),
    ("worker", "front"),
    ("backstop", "worker"),
    ("front", "backstop"),
    ("front", "guard", "worker"),
)


def roles(guarded: Guarded) -> dict[str, int]:
    """Return who is who by now, as far as they are there: each is the child of the one before, but for the backstop."""
    ours = {pid for pid in tagged(guarded.tag) if str(PROGRAM) in arguments(pid)}
    found = {"front": guarded.front.pid}
    ours.discard(guarded.front.pid)
    parent = {pid: parent_of(pid) for pid in ours}
    for pid in ours:
        if parent[pid] not in {*ours, guarded.front.pid, 0}:
            found["backstop"] = pid
    for who, above in (("guard", "backstop"), ("worker", "guard")):
        below = [pid for pid in ours if above in found and parent[pid] == found[above]]
        if below:
            found[who] = below[0]
    return found


def arguments(pid: int) -> Sequence[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return ()


@pytest.fixture
def swept() -> Iterator[list[Guarded]]:
    begun: list[Guarded] = []
    yield begun
    for each in begun:
        each.sweep()


@pytest.mark.parametrize("number", range(ROUNDS))
def test_no_process_lives_on_whoever_is_killed(tmp_path: Path, swept: list[Guarded], number: int) -> None:
    chance = random.Random(SEED * 1000 + number)
    then = chance.choice(["obey", "obey", "obey", "pass_on", "freeze"])
    guarded = Guarded(tmp_path / "front", then=then, tricks=chance.sample(TRICKS, len(TRICKS)))
    swept.append(guarded)
    point = chance.randint(1, COMPLETE)
    until(lambda: len(guarded.left()) >= point, "never so many")
    victims = chance.sample(chosen := chance.choice(VICTIMS), len(chosen))
    found = roles(guarded)
    for who in victims:
        with suppress(ProcessLookupError):  # another's end was faster
            os.kill(found.get(who, guarded.front.pid), signal.SIGKILL)
    until(guarded.is_gone, f"{victims} killed at {point}: not all has ended", WITHIN_S)
