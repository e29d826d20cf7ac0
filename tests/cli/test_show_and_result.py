"""What is told of a job, for people and as JSON, and that nothing of it can act on a terminal."""

import json
import unicodedata
from typing import Any

import pytest
from at_orch import AtOrch

from store.claim import set_activity, start_attempt
from store.leases import claim_remote
from store.models import Limits, NewJob, NewTree, Usage
from store.needs import Needs
from store.states import Kind, Status
from store.submit import spawn, submit_tree
from tests.by_hand import now_ms

HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\x9b31m\u202egpj\u200b\U000e0041\x7f日本語"


def test_a_job_has_the_same_keys_everywhere(orch: AtOrch) -> None:
    """In lists, in trees, alone."""
    wanted = {
        "id",
        "parent_id",
        "root_id",
        "depth",
        "kind",
        "status",
        "reason",
        "request",
        "result",
        "cost_usd",
        "attempts",
    }
    fence = orch.start(orch.tree())
    (child,) = orch.spawn(fence, "true")
    orch.run(child)
    alone = json.loads(orch("show", "1", "--json").out)
    assert wanted | {"ledger"} <= set(alone)
    for arguments in (["list"], ["tree"], ["wait", str(child)]):
        found = json.loads(orch(*arguments, "--json").out)
        assert all(set(job) == set(found[0]) >= wanted for job in found), arguments
    assert wanted - {"depth", "root_id"} <= set(alone["ledger"][0])
    assert [(job["id"], job["parent_id"], job["batch"]) for job in json.loads(orch("tree", "--json").out)] == [
        (1, None, None),
        (child, 1, "1-1"),
    ]


def test_the_cost_is_that_of_all_below(orch: AtOrch) -> None:
    """Its own stands beside it."""
    fence = orch.start(orch.tree())
    (child,) = orch.spawn(fence, NewJob("a part"))
    orch.run(child, usage=Usage(cost_usd=0.25, input_tokens=10, turns=2))
    orch.finish(fence, usage=Usage(cost_usd=1.0))
    found = json.loads(orch("show", "1", "--json").out)
    assert (found["cost_usd"], found["own_cost_usd"], found["ledger"][0]["cost_usd"]) == (1.25, 1.0, 0.25)
    assert json.loads(orch("show", str(child), "--json").out)["attempt_list"][0]["turns"] == 2
    assert "$1.00, with all below it $1.25" in orch("show", "1").out


def test_show_tells_everything_about_a_job(orch: AtOrch) -> None:
    """Request, result, error, data, attempts, children, asks, denied calls, history and limits."""
    fence = orch.start(orch.tree("Build it\n\nwith care"))
    orch.spawn(fence, "true")
    orch.run(2, result="fine")
    orch.ask(fence, question="which colour?")
    orch.finish(
        fence, Status.FAILED, result="half", error="no luck", data={"files": 3}, denials=({"tool": "Bash"},),
        reason="api_error", exit_code=2, session_id="s-1",
    )  # fmt: skip
    out = orch("show", "1").out
    for said in (
        "#1 ✘ failed (api_error)  Build it",
        "  with care",
        "  half",
        "  no luck",
        '  "files": 3',
        "failed  (api_error)  0s  exit code 2",
        "✔ completed #2 true",
        "which colour?  [void]",
        '{"tool": "Bash"}',
        "  session:    s-1",
        "max_jobs: 200  (jobs: 2)",
    ):
        assert said in out, said
    states = [change["status"] for change in json.loads(orch("show", "1", "--json").out)["history"]]
    assert states == ["queued", "running", "failed"]


def test_a_result_has_the_exit_code_of_its_job(orch: AtOrch) -> None:
    """On stdout the result, on stderr what went wrong."""
    good, bad = orch.tree("one"), orch.tree("two")
    orch.run(good, result="the answer\n")
    orch.run(bad, Status.FAILED, error="no luck", reason="lost")
    assert (orch("result", "1").code, orch("result", "1").out, orch("result", "1").err) == (0, "the answer\n", "")
    assert (orch("result", "2").code, orch("result", "2").out) == (1, "")
    assert orch("result", "2").err == "orch: #2 failed (lost): no luck\n"


def test_a_ledger_shows_each_child(orch: AtOrch) -> None:
    """Before the parent has ended, too."""
    fence = orch.start(orch.tree())
    orch.spawn(fence, "one", "two")
    orch.run(2, result="found\nit")
    done = orch("result", "1", "--ledger")
    assert (done.code, done.out) == (0, "✔ completed #2 one\nfound\nit\n\n○ queued #3 two\n")
    assert len(json.loads(orch("result", "1", "--ledger", "--json").out)["ledger"]) == 2


def test_a_parent_whose_child_failed_tells_of_it(orch: AtOrch) -> None:
    """Exit code 3; its own result is printed, the child's failure is a line on stderr."""
    fence = orch.start(orch.tree())
    orch.spawn(fence, "one")
    orch.run(2, Status.FAILED, error="no luck")
    orch.finish(fence, result="the rest is there")
    done = orch("result", "1")
    assert (done.code, done.out) == (3, "the rest is there\n")
    assert "#2 failed · one: no luck" in done.err


def hostile_tree(orch: AtOrch) -> None:
    new = NewTree(NewJob(f"do {HOSTILE}", Kind.CLAUDE, f"title {HOSTILE}"), limits=Limits(), work_dir=f"/tmp/{HOSTILE}")
    with orch.store.write() as tx:
        submit_tree(tx, new, 1)
    fence = orch.start(1)
    orch.ask(fence, kind="permission", question=HOSTILE, tool=HOSTILE, input={HOSTILE: HOSTILE}, options=(HOSTILE,))
    with orch.store.write() as tx:
        set_activity(tx, fence, HOSTILE, 2)
    told: dict[str, Any] = {"result": HOSTILE, "error": HOSTILE, "data": {HOSTILE: HOSTILE}, "reason": HOSTILE}
    child, other = orch.spawn(fence, f"child {HOSTILE}", NewJob(f"x {HOSTILE}", Kind.CLAUDE, HOSTILE, model=HOSTILE))
    for job_id in (child, other):
        orch.run(job_id, Status.FAILED, denials=({HOSTILE: HOSTILE},), session_id=HOSTILE, **told)


@pytest.mark.parametrize(
    "arguments",
    [["list"], ["tree"], ["show", "1"], ["show", "3"], ["result", "2"], ["result", "1", "--ledger"], ["asks"],
     ["wait", "2", "3"], ["status"], ["limits", "1"], ["retry", "2"], ["answer", "1", "deny", HOSTILE]],
)  # fmt: skip
def test_nothing_that_a_worker_wrote_acts_on_the_terminal(orch: AtOrch, arguments: list[str]) -> None:
    """Titles, activity, results, errors, data, asks, reasons: in text and in JSON."""
    hostile_tree(orch)
    for more in ([], ["--json"]):
        if more and arguments[0] in ("retry", "answer"):
            continue
        done = orch(*arguments, *more)
        unsafe = {char for char in done.out + done.err if unicodedata.category(char) in ("Cc", "Cf", "Cs")} - {"\n"}
        assert not unsafe, unsafe
        assert done.code != 2


def test_json_gives_back_exactly_what_was_stored(orch: AtOrch) -> None:
    """Escaped for the terminal, the same for a program."""
    hostile_tree(orch)
    assert json.loads(orch("show", "2", "--json").out)["result"] == HOSTILE


def test_needs_and_the_machine_of_an_attempt_are_told(orch: AtOrch) -> None:
    """Those in force: a job's own over its tree's."""
    options = ["--kind", "command", "--no-supervisor", "--needs", '{"cpus": 2, "labels": {"zone": "a"}}']
    assert orch("submit", "--request", "true", *options).out == "1\n"
    with orch.store.write() as tx:
        fence = start_attempt(tx, 1, "its code", now_ms())
        claim_remote(tx, fence, "its token", "node-7", 60_000, now_ms())
        spawn(tx, fence, [NewJob("ls", Kind.COMMAND, needs=Needs(cpus=4.0))], now_ms())
    assert '  needs:      {"cpus": 2.0, "labels": {"zone": "a"}}' in orch("show", "1").out
    assert "running  on node-7" in orch("show", "1").out
    found = json.loads(orch("show", "1", "--json").out)
    assert (found["attempt_list"][0]["host"], found["needs"]["cpus"]) == ("node-7", 2.0)
    assert json.loads(orch("show", "2", "--json").out)["needs"] == {"cpus": 4.0, "labels": {"zone": "a"}}
    assert json.loads(orch("tree", "1", "--json").out)
