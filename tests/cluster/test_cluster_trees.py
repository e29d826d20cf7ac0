"""Trees of command workers spread over the nodes of a real cluster."""

import json

from store.models import NewJob
from store.needs import Needs
from store.states import Kind, Status
from tests.cluster.at_head import AtHead, on
from tests.cluster.figures import note


def spawn(node: str, *commands: str) -> str:
    """Return the command by which a worker splits its work, and waits."""
    quoted = " ".join(f"'{command}'" for command in commands)
    return f"orch spawn --wait --kind command --needs '{json.dumps(on(node).as_json())}' {quoted}"


def test_a_tree_of_three_levels_spreads_over_both_nodes_and_ends_right(far: AtHead) -> None:
    """Each level is bound to another node than the one above; results come up through the head."""
    (far.project / "second.sh").write_text(spawn("n1", "echo leaf one at $(hostname)", "echo leaf two at $(hostname)"))
    (far.project / "first.sh").write_text(spawn("n2", "sh second.sh; echo middle at $(hostname)"))
    root = far.group(NewJob("sh first.sh; echo top at $(hostname)", Kind.COMMAND, needs=on("n1")))
    far.serve()
    assert far.until_ended(root, 240.0).status is Status.COMPLETED, far.describe()
    jobs = far.jobs(root)
    assert [job.depth for job in jobs] == [0, 1, 2, 3, 3]
    assert [(job.result or "").splitlines()[-1] for job in jobs[1:]] == [
        "top at n1",
        "middle at n2",
        "leaf one at n1",
        "leaf two at n1",
    ]
    assert [job.attempt for job in jobs[1:]] == [1, 1, 1, 1]
    assert [far.attempts(job.id)[0].host for job in jobs[1:]] == ["n1", "n2", "n1", "n1"]
    far.until_nothing_is_left()


def test_a_worker_starts_within_seconds(far: AtHead) -> None:
    """From the row to the first word of the command; one job at a time."""
    far.serve()
    took_s = []
    for _ in range(5):
        root = far.group(NewJob("cat /proc/uptime", Kind.COMMAND))
        far.until_ended(root, 120.0)
        (job,) = far.jobs(root)[1:]
        (attempt,) = far.attempts(job.id)
        assert job.status is Status.COMPLETED, far.describe()
        assert attempt.claimed_ms is not None
        assert attempt.ended_ms is not None
        took_s.append(((attempt.claimed_ms - job.created_ms) / 1000, (attempt.ended_ms - attempt.claimed_ms) / 1000))
    note(
        far.cluster.kind,
        start_s=sorted(round(start, 2) for start, _ in took_s),
        claim_to_end_s=sorted(round(end, 2) for _, end in took_s),
    )


def test_a_worker_that_runs_takes_so_much_memory_on_its_node(far: AtHead) -> None:
    """Measured while a command runs; the engine's own share is told beside it."""
    far.serve()
    idle_mb = far.cluster.hosts["n1"].memory_mb()
    root = far.group(*(NewJob(f"sh beat.sh beats{n}", Kind.COMMAND, needs=on("n1")) for n in range(3)))
    far.wait_for(lambda: all(far.beats(f"beats{n}") for n in range(3)), "three workers", 120.0)
    busy_mb = far.cluster.hosts["n1"].memory_mb()
    note(
        far.cluster.kind,
        node_idle_mb=idle_mb,
        node_per_worker_mb=round((busy_mb - idle_mb) / 3, 1),
        head_mb=far.head.memory_mb(),
    )
    (far.project / "go").touch()
    assert far.until_ended(root, 120.0).status is Status.COMPLETED
    far.until_nothing_is_left()


def test_a_need_that_no_node_has_is_refused_with_a_reason_or_waits(far: AtHead) -> None:
    """Slurm says at once that it will never run; Ray waits for a node that has it, and a cancel ends the wait."""
    far.serve()
    never = Needs(resources={"no_such_thing": 1})
    root = far.group(NewJob("echo never", Kind.COMMAND, needs=never))
    (job,) = far.jobs(root)[1:]
    if far.cluster.kind == "ray":
        far.wait_for(lambda: far.attempts(job.id), "its attempt")
        far.orch("cancel", str(root), "--yes")
    ended = far.until_ended(job.id, 120.0)
    if far.cluster.kind == "ray":
        assert ended.status is Status.CANCELLED, far.describe()
    else:
        assert (ended.status, ended.attempt) == (Status.FAILED, 1), far.describe()
        assert "Slurm" in (ended.error or "")
