"""Nodes that are lost: killed, cut off, or left without their engine. Each attempt of theirs is made once more, and
never while the first may still live.
"""

import os
import signal
import time

import pytest

from store.models import NewJob
from store.states import Kind, Status
from tests.cluster.at_head import LEASE_S, AtHead, on
from tests.cluster.figures import note
from tests.cluster.hosts import Host

#: A loss is told by the engine in its own time: a cut takes Ray 65 s.
LOSS_S = 240.0


def beating(far: AtHead) -> tuple[int, int, Host]:
    """Start a tree with a command that says that it lives; return its root, that job, and the host it runs on."""
    root = far.group(NewJob("sh beat.sh beats", Kind.COMMAND))
    far.wait_for(lambda: far.beats("beats"), "the first beat", 120.0)
    (job,) = far.jobs(root)[1:]
    return root, job.id, far.cluster.hosts[far.beats("beats")[0][1]]


def bystander(far: AtHead, node: str) -> int:
    """Start a tree of two levels bound to another node, which lives until it may go."""
    spawn = f'orch spawn --wait --kind command --needs \'{{"labels": {{"zone": "{node}"}}}}\' \'sh beat.sh others\''
    root = far.group(NewJob(spawn, Kind.COMMAND, needs=on(node)))
    far.wait_for(lambda: far.beats("others"), "its first beat", 120.0)
    return root


def gap_s(far: AtHead) -> float:
    """Return how long nothing of the job lived: from the first attempt's last beat to the next one's first."""
    beats = far.beats("beats")
    last = max(up_s for number, _, up_s in beats if number == 1)
    first = min(up_s for number, _, up_s in beats if number == 2)
    return first - last


@pytest.mark.parametrize("how", ["kill", "cut"])
def test_a_lost_node_s_work_is_done_again_elsewhere_and_never_twice_at_a_time(far: AtHead, how: str) -> None:
    """The node that is cut off keeps its processors and its files: that its worker stops is the lease's doing."""
    far.serve()
    root, job, lost = beating(far)
    (other,) = (name for name in far.cluster.nodes if name != lost.name)
    aside = bystander(far, other)
    at_s = _up_s()
    lost.kill() if how == "kill" else lost.cut()
    far.wait_for(lambda: any(number == 2 for number, _, _ in far.beats("beats")), "a second attempt", LOSS_S)
    assert gap_s(far) > 0, far.beats("beats")
    assert far.until_ended(root, LOSS_S).status is Status.COMPLETED, far.describe()
    first, second = far.attempts(job)
    assert (first.host, second.host) == (lost.name, other)
    assert {host for number, host, _ in far.beats("beats") if number == 2} == {other}
    assert far.job(job).result == f"beaten at {other}\n"
    assert not [line for line in far.on_nodes() if line.startswith(lost.name)], (
        "the guard has ended all, without a word"
    )
    assert max(up_s for number, _, up_s in far.beats("beats") if number == 1) - at_s < LEASE_S
    again_s = min(up_s for number, _, up_s in far.beats("beats") if number == 2) - at_s
    last_s = max(up_s for number, _, up_s in far.beats("beats") if number == 1) - at_s
    note(
        far.cluster.kind,
        **{
            f"{how}_to_last_sign_s": round(last_s, 2),
            f"{how}_to_next_attempt_s": round(again_s, 2),
            "lease_s": LEASE_S,
        },
    )
    lost.heal() if how == "cut" else None
    (far.project / "go").touch()
    assert far.until_ended(aside, LOSS_S).status is Status.COMPLETED, far.describe()
    assert [far.job(each.id).attempt for each in far.jobs(aside)[1:]] == [1, 1], "who was not lost goes on"
    far.until_nothing_is_left()


def test_a_cut_shorter_than_the_lease_is_not_noticed(far: AtHead) -> None:
    """The worker goes on, and hands in what it has once the head can be reached again."""
    far.serve()
    root, job, node = beating(far)
    node.cut()
    (far.project / "go").touch()
    end = time.monotonic() + LEASE_S / 3
    far.wait_for(lambda: time.monotonic() > end, "a third of the lease")
    node.heal()
    assert far.until_ended(root, LOSS_S).status is Status.COMPLETED, far.describe()
    assert [each.number for each in far.attempts(job)] == [1]
    assert far.job(job).result == f"beaten at {node.name}\n"
    far.until_nothing_is_left()


def test_a_worker_whose_engine_dies_around_it_is_lost_only_if_it_is_dead(far: AtHead) -> None:
    """All of the engine's own processes on the node are killed, and the engine says that the work is lost.

    Slurm's leave the worker alive, which still has its lease and goes on; Ray's take it with them, and it is done again.
    """
    far.serve()
    root, job, node = beating(far)
    mine = set(far.processes())
    ours = {process.pid for process in node.processes() if process.pid in mine or "worker --url" in process.command}
    _kill([process.pid for process in node.processes() if process.pid not in ours])
    far.wait_for(lambda: f"#{job}.1: lost on" in far.home.supervisor_log.read_text(), "the engine's word", LOSS_S)
    (far.project / "go").touch()
    assert far.until_ended(root, LOSS_S).status is Status.COMPLETED, far.describe()
    numbers = [attempt.number for attempt in far.attempts(job)]
    assert numbers in ([1], [1, 2])
    if numbers == [1, 2]:
        assert gap_s(far) > 0
    note(far.cluster.kind, attempts_when_the_engine_dies_on_the_node=len(numbers))
    far.until_nothing_is_left()


@pytest.mark.parametrize("which", range(4))
def test_whichever_process_of_a_worker_is_killed_it_is_never_there_twice(far: AtHead, which: int) -> None:
    """Front, guards and worker watch each other: either the work goes on under what is left of them, or all of it ends."""
    far.serve()
    root, job, node = beating(far)
    parts = sorted(process.pid for process in node.processes() if "orch worker --url" in process.command)
    if which >= len(parts):
        pytest.skip(f"a worker has {len(parts)} processes")
    at_s = _up_s()
    _kill([parts[which]])

    def is_decided() -> bool:
        number, _, up_s = far.beats("beats")[-1]
        return number == 2 or up_s > at_s + 1.5 * LEASE_S

    far.wait_for(is_decided, "a second attempt, or a life longer than the lease", LOSS_S)
    (far.project / "go").touch()
    assert far.until_ended(root, LOSS_S).status is Status.COMPLETED, far.describe()
    numbers = [attempt.number for attempt in far.attempts(job)]
    assert numbers in ([1], [1, 2])
    if numbers == [1, 2]:
        assert gap_s(far) > 0
    note(far.cluster.kind, **{f"attempts_when_process_{which}_of_{len(parts)}_is_killed": len(numbers)})
    far.until_nothing_is_left()


def _kill(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _up_s() -> float:
    with open("/proc/uptime") as file:
        return float(file.read().split()[0])
