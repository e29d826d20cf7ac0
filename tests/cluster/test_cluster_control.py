"""What a person does to a tree that runs on the nodes of a real cluster, and a head that dies and comes back."""

import json
import time

from store.models import NewJob
from store.states import Kind, Status
from tests.cluster.at_head import LEASE_S, AtHead, on
from tests.cluster.figures import note


def spawned_on(node: str, command: str) -> str:
    return f"orch spawn --wait --kind command --needs '{json.dumps(on(node).as_json())}' '{command}'"


#: What a worker may leave: a child, one in a session of its own, one whose parents are gone, one that ignores SIGTERM.
CLINGING = """
sleep 7731 & setsid sleep 7732 & (setsid sleep 7733 &)
sh -c 'trap "" TERM; touch clinging; while :; do sleep 7734; done'
"""


def test_a_cancelled_branch_leaves_nothing_on_any_node_and_the_rest_goes_on(far: AtHead) -> None:
    """The branch spreads over both nodes; what it started clings to life in every way there is."""
    (far.project / "cling.sh").write_text(CLINGING)
    (far.project / "branch.sh").write_text(spawned_on("n2", "sh cling.sh"))
    root = far.group(
        NewJob("sh branch.sh", Kind.COMMAND, needs=on("n1")), NewJob("sh beat.sh beats", Kind.COMMAND, needs=on("n1"))
    )
    far.serve()
    far.wait_for(lambda: (far.project / "clinging").exists() and far.beats("beats"), "both branches", 120.0)
    branch = far.jobs(root)[1]
    assert any("sleep 773" in line for line in far.on_nodes())
    start_s = time.monotonic()
    far.orch("cancel", str(branch.id), "--yes")
    far.wait_for(lambda: not any("773" in line for line in far.on_nodes()), "the end of what clings", 60.0)
    gone_s = time.monotonic() - start_s
    far.wait_for(lambda: not [line for line in far.on_nodes() if f"--attempt {branch.id}." in line], "its worker", 60.0)
    assert not [process for node in far.cluster.nodes for process in _sleeping(far, node)]
    for job in far.jobs(branch.id):
        assert far.until_ended(job.id).status is Status.CANCELLED
    note(far.cluster.kind, cancel_to_nothing_left_s=round(gone_s, 2))
    (far.project / "go").touch()
    assert far.until_ended(root, 120.0).status is Status.PARTIAL, far.describe()
    (rest,) = (job for job in far.jobs(root) if job.request == "sh beat.sh beats")
    assert rest.status is Status.COMPLETED
    far.until_nothing_is_left()


def test_a_head_killed_and_started_again_takes_over_what_runs(far: AtHead) -> None:
    """kill -9 of `orch serve`, while a tree of two levels lives on both nodes: no second attempt, and all ends right."""
    first = far.serve()
    (far.project / "above.sh").write_text(spawned_on("n2", "sh beat.sh below"))
    root = far.group(
        NewJob("sh above.sh", Kind.COMMAND, needs=on("n1")), NewJob("sh beat.sh beside", Kind.COMMAND, needs=on("n1"))
    )
    far.wait_for(lambda: far.beats("below") and far.beats("beside"), "all workers", 120.0)
    first.end()
    seen = len(far.beats("below"))
    far.wait_for(lambda: len(far.beats("below")) > seen + LEASE_S / 4 / 0.1, "life without a head")
    start_s = time.monotonic()
    far.serve()
    took_s = time.monotonic() - start_s
    seen = len(far.beats("below"))
    far.wait_for(lambda: len(far.beats("below")) > seen + 1.5 * LEASE_S / 0.1, "more than a lease", 120.0)
    (far.project / "go").touch()
    assert far.until_ended(root, 120.0).status is Status.COMPLETED, far.describe()
    assert [(job.status, job.attempt) for job in far.jobs(root)[1:]] == [(Status.COMPLETED, 1)] * 3
    note(far.cluster.kind, head_up_again_s=round(took_s, 2))
    far.until_nothing_is_left()


def test_what_ends_while_the_head_is_down_is_handed_in_when_it_is_back(far: AtHead) -> None:
    """The worker keeps its outcome, also beyond its lease's end, as long as the head has not given it up."""
    first = far.serve()
    root = far.group(NewJob("sh beat.sh beats", Kind.COMMAND))
    far.wait_for(lambda: far.beats("beats"), "its first beat", 120.0)
    first.end()
    (far.project / "go").touch()
    far.wait_for(lambda: not [pid for pid in far.processes() if _is_shell(pid)], "the command's end")
    far.serve()
    assert far.until_ended(root, 120.0).status is Status.COMPLETED, far.describe()
    (job,) = far.jobs(root)[1:]
    assert (job.attempt, (job.result or "")[:9]) == (1, "beaten at")
    far.until_nothing_is_left()


def test_a_pause_holds_back_what_is_new_and_a_deadline_ends_what_runs(far: AtHead) -> None:
    """Both are the head's to decide; the nodes only carry it out."""
    far.serve()
    far.orch("pause")
    held = far.group(NewJob("echo later", Kind.COMMAND))
    running = far.group(NewJob("echo now", Kind.COMMAND))
    (job,) = far.jobs(held)[1:]
    assert far.job(job.id).attempt == 0
    far.orch("resume")
    assert far.until_ended(held, 120.0).status is Status.COMPLETED
    assert far.until_ended(running, 120.0).status is Status.COMPLETED
    late = far.group(NewJob("sh beat.sh beats", Kind.COMMAND, timeout_s=15.0), max_attempts=1)
    far.wait_for(lambda: far.beats("beats"), "its first beat", 120.0)
    far.until_ended(late, 120.0)
    (job,) = far.jobs(late)[1:]
    assert (far.job(job.id).status, far.job(job.id).reason) == (Status.FAILED, "timeout")
    far.until_nothing_is_left()


def _sleeping(far: AtHead, node: str) -> list[str]:
    return [each.command for each in far.cluster.hosts[node].processes() if "sleep 773" in each.command]


def _is_shell(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return "beat.sh" in file.read()
    except OSError:
        return False
