"""A budget with real Claude Code workers: at the limit a tree pauses, and goes on in its sessions when a person gives more."""

import pytest
from at_work import AtWork
from scripted import report, scripted

from store.models import Attempt, Limits, NewJob, NewTree
from store.states import Kind, Reason, Status
from store.tree import attempts
from tui_orch.demo.script import Role, Script, ToolCall, Turn

pytestmark = [pytest.mark.real_cli, pytest.mark.timeout(120)]

SMALL_USD = 0.000_5
FIRST = Turn("I begin.", (ToolCall("Bash", {"command": "true"}),))
SCRIPT = Script((Role(r"^PART", (FIRST, *report("done"))),))


def test_at_its_limit_a_tree_pauses_and_more_money_lets_it_go_on(work: AtWork) -> None:
    parts = tuple(NewJob(f"PART {number}", Kind.CLAUDE) for number in (1, 2))
    limits = Limits(budget_usd=SMALL_USD, max_workers=2)
    with scripted(work, SCRIPT):
        root = work.submit_tree(
            NewTree(NewJob("both", Kind.GROUP), parts, limits, str(work.project), allowed_tools=("Bash",))
        )
        work.supervise()
        work.wait_for(
            lambda: all(job.status is Status.QUEUED and job.reason == Reason.BUDGET for job in work.jobs(root)[1:]),
            "both to wait for money",
        )
        spent, turns = (
            work.job(root).subtree_cost_usd,
            [sum(each.usage.turns for each in tried) for tried in tries(work, root)],
        )
        assert spent >= SMALL_USD
        assert all(number <= 1 for number in turns), "no more than one model turn beyond what was set aside"
        work.orch("limits", str(root), "--budget", "5")
        assert work.until_ended(root).status is Status.COMPLETED
    for tried in tries(work, root):
        assert len({each.session_id for each in tried if each.session_id}) == 1
    assert [job.tries for job in work.jobs(root)[1:]] == [0, 0]


def tries(work: AtWork, root: int) -> list[list[Attempt]]:
    """Return the attempts of each part."""
    parts = work.jobs(root)[1:]
    with work.store.read() as reader:
        return [attempts(reader, part.id) for part in parts]
