"""Whole trees of real Claude Code workers against the scripted model, with a real supervisor and the real command line."""

import json
from collections import Counter

import pytest
from at_work import AtWork, most_at_once
from scripted import report, scripted, spawn

from store.states import Status
from store.tree import history
from tui_orch.demo.script import Branch, Role, Script

pytestmark = [pytest.mark.real_cli, pytest.mark.timeout(180)]


LEVELS = Script(
    (
        Role(
            r"^LEVEL-3", (spawn("LEVEL-4"), Branch("max_depth", then=report("three, by myself"), otherwise=report("?")))
        ),
        Role(r"^LEVEL-2", (spawn("LEVEL-3"), *report("two"))),
        Role(r"^LEVEL-1", (spawn("LEVEL-2"), *report("one"))),
        Role(r"^FAIL", report("can not be done", success=False)),
        Role(r"^BOTH", (spawn("FAIL", "GOOD"), *report("one of two"))),
        Role(r"^GOOD", report("good")),
        Role(r"^ROOT", (spawn("LEVEL-1"), *report("root"))),
    )
)


def test_a_tree_of_depth_3_completes_with_one_worker_at_a_time(work: AtWork) -> None:
    """Parents wait without a process: the log of starts and ends shows never two, and each turn is paid for once.

    The deepest worker tries to split further, is refused by the limit, told why, and finishes by itself.
    """
    with scripted(work, LEVELS) as model:
        work.supervise()
        done = work.orch("run", "--request", "ROOT of it all", "--max-workers", "1", "--json")
        work.wait_for(lambda: not work.processes(), "the end of all processes")
        work.orch("down")
    said = json.loads(done.stdout)
    assert (said["status"], said["result"]) == ("completed", "root")
    jobs = work.jobs(said["id"])
    assert [(job.depth, job.status, job.result) for job in jobs] == [
        (0, Status.COMPLETED, "root"),
        (1, Status.COMPLETED, "one"),
        (2, Status.COMPLETED, "two"),
        (3, Status.COMPLETED, "three, by myself"),
    ]
    assert [job.attempt for job in jobs] == [2, 2, 2, 1]
    assert len({job.session_id for job in jobs}) == 4
    lives = work.lives()
    assert len(lives) == 7
    assert most_at_once(lives) == 1
    paid = Counter((entry.prompt, entry.turn) for entry in model.entries() if entry.what == "answered")
    assert set(paid.values()) == {1}, "a turn was paid for twice"
    with work.store.read() as reader:
        waited = [change for change in history(reader, said["id"]) if change.status is Status.WAITING]
    (wait,) = waited
    assert not [
        life for life in lives if life.job_id == said["id"] and life.start_ms < wait.at_ms < life.end_ms - 2_000
    ]
    assert said["cost_usd"] == pytest.approx(sum(job.cost_usd for job in jobs))
    assert said["cost_usd"] > 0


def test_a_failing_leaf_makes_the_tree_partial_and_hides_nothing(work: AtWork) -> None:
    """The parent is resumed with both results; the tree ends partial, exit code 3, with the good one kept."""
    with scripted(work, LEVELS) as model:
        work.supervise()
        done = work.orch("run", "--request", "BOTH of them", "--json", code=3)
        resumed = [entry for entry in model.entries() if entry.prompt.startswith("BOTH") and entry.turn > 0]
    said = json.loads(done.stdout)
    assert (said["status"], said["reason"], said["result"]) == ("partial", "children_failed", "one of two")
    _, bad, good = work.jobs(said["id"])
    assert (bad.status, bad.reason, bad.error) == (Status.FAILED, "reported_failure", "can not be done")
    assert (good.status, good.result) == (Status.COMPLETED, "good")
    assert resumed, "the parent went on after its children"
    assert [child["status"] for child in said["ledger"]] == ["failed", "completed"]
