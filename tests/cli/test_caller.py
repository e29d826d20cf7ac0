"""Inside a worker: its own subtree and nothing else, and nothing that is for a person."""

import json

import pytest
from at_orch import AtOrch

from store.database import Store
from store.home import Home
from store.states import Status


@pytest.mark.parametrize("verb", ["run", "submit"])
def test_a_worker_can_not_start_a_tree(orch: AtOrch, verb: str) -> None:
    """What it wants is a child, and the line says how."""
    worker = orch.worker(orch.start(orch.tree()))
    assert "orch spawn" in orch.refused(verb, "--request", "another tree", env=worker)
    assert orch.count() == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["limits", "1", "--max-depth", "5"],
        ["settings", "slots", "99"],
        ["answer", "1", "allow"],
        ["answer", "1", "allow", "--for", "tree"],
        ["rules", "1", "--allow", "Bash"],
        ["pause"],
        ["pause", "1"],
        ["resume"],
        ["up"],
        ["down"],
        ["supervise"],
    ],
)
def test_what_is_for_a_person_is_refused_to_a_worker(orch: AtOrch, arguments: list[str]) -> None:
    """It is told so, and nothing has changed."""
    fence = orch.start(orch.tree())
    orch.ask(fence, kind="permission", tool="Bash", input={"command": "rm -rf /"})
    before = orch("limits", "1", "--json").out, orch("settings", "--json").out, orch("asks", "--json").out
    line = orch.refused(*arguments, env=orch.worker(fence))
    assert "for a person" in line
    assert f"job #{fence.job_id}" in line
    assert (orch("limits", "1", "--json").out, orch("settings", "--json").out, orch("asks", "--json").out) == before
    assert json.loads(orch("status", "--json").out)["paused_ms"] is None


@pytest.mark.parametrize("verb", ["show", "result", "tree", "wait", "logs", "cancel", "retry"])
def test_a_worker_reaches_its_own_subtree_only(orch: AtOrch, verb: str) -> None:
    """Not its sibling, not its parent, not another tree."""
    parent = orch.start(orch.tree("ours"))
    own, sibling = orch.spawn(parent, "true", "false")
    other = orch.tree("another tree")
    worker = orch.worker(orch.start(own))
    for foreign in (sibling, parent.job_id, other):
        assert "its own subtree only" in orch.refused(verb, str(foreign), env=worker)
    assert orch.job(sibling).status is Status.QUEUED


def test_a_worker_sees_and_steers_what_is_below_it(orch: AtOrch) -> None:
    """The same verbs work there."""
    fence = orch.start(orch.tree())
    worker = orch.worker(fence)
    good, bad, late = orch.spawn(fence, "true", "false", "sleep 9")
    orch.run(good, result="found it")
    orch.run(bad, Status.FAILED, error="no luck")
    assert orch("result", str(good), env=worker).out == "found it\n"
    assert orch("result", str(bad), env=worker).code == 1
    assert f"#{late}" in orch("tree", env=worker).out, "without an id: its own job"
    assert orch("show", str(fence.job_id), env=worker).code == 0
    assert orch("cancel", str(late), env=worker).code == 0
    assert orch.job(late).status is Status.CANCELLED
    assert orch("retry", str(bad), env=worker).code == 0
    assert orch.job(bad).status is Status.QUEUED


def test_a_worker_may_look_at_the_limits_it_runs_under(orch: AtOrch) -> None:
    """At those of its own tree."""
    fence = orch.start(orch.tree("ours"))
    (child,) = orch.spawn(fence, "true")
    other = orch.tree("another")
    worker = orch.worker(orch.start(child))
    assert json.loads(orch("limits", str(fence.job_id), "--json", env=worker).out)["limits"]["max_jobs"]["used"] == 2
    assert "not that of job" in orch.refused("limits", str(other), env=worker)


def test_what_is_left_of_an_attempt_may_do_nothing(orch: AtOrch) -> None:
    """Its token is over; without the token its mark still tells what it is."""
    fence = orch.start(orch.tree())
    worker = orch.worker(fence)
    lost = {name: value for name, value in worker.items() if name != "ORCH_TOKEN"}
    assert "lost its ORCH_TOKEN" in orch.refused("limits", "1", "--max-depth", "5", env=lost)
    orch.finish(fence)
    assert "over" in orch.refused("cancel", "1", env=worker)
    assert "over" in orch.refused("list", env={"ORCH_TOKEN": "made up", "ORCH_HOME": str(orch.home.root)})


def test_a_worker_is_a_person_in_a_store_of_its_own(orch: AtOrch) -> None:
    """One that tests such a program, say: the token of our store counts for nothing there."""
    worker = orch.worker(orch.start(orch.tree()))
    theirs = orch.project / "sandbox"
    done = orch("--home", str(theirs), "submit", "--request", "x", "--no-supervisor", env=worker)
    assert (done.code, done.out) == (0, "1\n")
    with Store.open(Home(theirs)) as store, store.read() as reader:
        assert reader.value("SELECT count(*) FROM jobs") == 1
    assert orch.count() == 1
