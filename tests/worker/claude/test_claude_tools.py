"""The tools against a real store, without Claude Code: what they store, and what they answer."""

from collections.abc import Mapping
from typing import Any

import pytest
from claude_bench import Bench, completed, now_ms

from store.asks import job_asks
from store.finish import finish
from store.models import Limits, Outcome
from store.rules import add_rule
from store.states import Kind, Reason, Status
from tui_orch.worker.claude.asking import Person
from tui_orch.worker.claude.fenced import FencedSteps
from tui_orch.worker.claude.tools import Tools, tools_of
from tui_orch.worker.claude.turn import Report, Turn
from tui_orch.worker.work import Work


class Desk:
    """A running job and its tools, called by name as Claude Code calls them."""

    def __init__(self, bench: Bench, **ways: Any) -> None:
        limits = ways.pop("limits", None)
        self.job_id = bench.submit("Build it.", limits, **ways)
        self.work: Work = bench.start(self.job_id)
        self.turn = Turn()
        self.steps = FencedSteps(self.work.steps)
        person = Person(self.steps, self.turn, park_after_s=0)
        self._tools = {tool.name: tool.handler for tool in tools_of(Tools(self.steps, self.turn, person))}

    async def call(self, name: str, **given: Any) -> tuple[str, bool]:
        """The answer's text, and whether the call failed."""
        answer: Mapping[str, Any] = await self._tools[name](given)
        return answer["content"][0]["text"], bool(answer.get("is_error"))


async def test_a_spawn_inserts_all_as_one_batch_and_ends_the_turn(bench: Bench) -> None:
    desk = Desk(bench)
    text, failed = await desk.call("spawn_subtasks", tasks=["Do one.", {"request": "Do two.", "title": "Two"}])
    assert not failed
    one, two = bench.ledger(desk.job_id)
    assert text.startswith(f"Batch {desk.job_id}-1: 2 subtask(s), #{one.id}, #{two.id}.")
    assert (one.kind, one.request, two.title) == (Kind.CLAUDE, "Do one.", "Two")
    assert desk.turn.waits_for == "children"


async def test_a_spawn_that_does_not_wait_leaves_the_turn_alone(bench: Bench) -> None:
    desk = Desk(bench)
    text, _ = await desk.call("spawn_subtasks", tasks=["Do one."], wait=False)
    assert "They run beside you" in text
    assert desk.turn.waits_for is None


async def test_two_spawns_of_one_message_are_two_batches(bench: Bench) -> None:
    desk = Desk(bench)
    await desk.call("spawn_subtasks", tasks=["Do one."])
    text, failed = await desk.call("spawn_subtasks", tasks=["Do two."])
    assert (failed, text.split(":")[0]) == (False, f"Batch {desk.job_id}-2")


async def test_a_mistake_in_the_tasks_is_one_line_and_stores_nothing(bench: Bench) -> None:
    desk = Desk(bench)
    text, failed = await desk.call("spawn_subtasks", tasks=["Do one.", {"request": ""}])
    assert (failed, text) == (True, "Not done: tasks[1].request is empty; it must be a text that says what to do")
    assert bench.ledger(desk.job_id) == []
    assert desk.turn.waits_for is None


@pytest.mark.parametrize(
    ("limits", "tasks", "said"),
    [
        (Limits(max_depth=0), ["Do one."], "max_depth of tree"),
        (Limits(max_children=1), ["Do one.", "Do two."], "max_children of tree"),
        (Limits(max_jobs=2), ["Do one.", "Do two."], "max_jobs is 2"),
        (None, ["Build it."], "this request is the same"),
        (None, ["\ud800 x", "y" * 300_000], "bytes; allowed: 262144"),
    ],
)
async def test_what_the_store_refuses_is_told_and_nothing_of_it_is_stored(
    bench: Bench, limits: Limits | None, tasks: list[str], said: str
) -> None:
    desk = Desk(bench, limits=limits)
    text, failed = await desk.call("spawn_subtasks", tasks=tasks)
    assert failed
    assert said in text
    assert bench.ledger(desk.job_id) == []
    assert desk.turn.waits_for is None


async def test_a_superseded_attempt_is_told_to_stop_and_marks_it(bench: Bench) -> None:
    desk = Desk(bench)
    with bench.store.write() as tx:
        finish(tx, desk.work.job.fence, Outcome(Status.FAILED, reason=Reason.LOST), now_ms())
    text, failed = await desk.call("spawn_subtasks", tasks=["Do one."])
    assert (failed, "This attempt is over: stop" in text) == (True, True)
    assert desk.steps.stale.is_set()


async def test_commands_are_asked_about_and_end_the_turn_while_nobody_answers(bench: Bench) -> None:
    desk = Desk(bench)
    text, failed = await desk.call("spawn_subtasks", tasks=[{"request": "make", "kind": "command"}])
    assert (failed, "A person is asked" in text) == (False, True)
    assert (desk.turn.waits_for, bench.ledger(desk.job_id)) == ("ask", [])


async def test_commands_that_a_rule_allows_are_started(bench: Bench) -> None:
    desk = Desk(bench, allowed_tools=("Bash(make)",))
    await desk.call("spawn_subtasks", tasks=[{"request": "make", "kind": "command"}])
    assert [entry.kind for entry in bench.ledger(desk.job_id)] == [Kind.COMMAND]


async def test_where_nothing_is_to_be_asked_commands_are_refused(bench: Bench) -> None:
    desk = Desk(bench, permission_mode="dontAsk")
    text, failed = await desk.call("spawn_subtasks", tasks=[{"request": "make", "kind": "command"}])
    assert (failed, "permission mode dontAsk" in text) == (True, True)


async def test_the_status_shows_each_result_once_in_full_and_counts_it_as_delivered(bench: Bench) -> None:
    desk = Desk(bench)
    await desk.call("spawn_subtasks", tasks=["Do one.", "Do two."], wait=False)
    one, two = (entry.id for entry in bench.ledger(desk.job_id))
    bench.end_child(one, completed("One's result."))
    text, _ = await desk.call("subtask_status")
    assert text.startswith("2 subtasks: 1 completed, 1 queued.")
    assert "One's result." in text
    assert f"- #{two} queued" in text
    assert desk.turn.delivered == {one}
    again, _ = await desk.call("subtask_status")
    assert "One's result." not in again
    assert f"- #{one} completed" in again


async def test_the_status_of_one_batch(bench: Bench) -> None:
    desk = Desk(bench)
    assert (await desk.call("subtask_status"))[0] == "No subtasks."
    await desk.call("spawn_subtasks", tasks=["Do one."], wait=False)
    await desk.call("spawn_subtasks", tasks=["Do two."], wait=False)
    second = bench.ledger(desk.job_id)[1].id
    for batch in (2, "2", f"{desk.job_id}-2"):
        assert (await desk.call("subtask_status", batch=batch))[
            0
        ] == f"1 subtask: 1 queued.\n\n- #{second} queued, batch 2"
    assert (await desk.call("subtask_status", batch=9))[0] == "There is no batch 9 of yours."
    text, failed = await desk.call("subtask_status", batch="99-1")
    assert (failed, "allowed: a batch of yours" in text) == (True, True)


async def test_the_last_report_is_kept(bench: Bench) -> None:
    desk = Desk(bench)
    await desk.call("report_result", summary="Early.")
    text, failed = await desk.call("report_result", summary=" Late \ud800. ", data={"n": [1]}, success=False)
    assert (failed, text) == (False, "Kept. End your turn now.")
    assert desk.turn.report == Report("Late \ufffd.", {"n": [1]}, success=False)


async def test_a_report_before_the_children_have_ended_is_to_be_made_again(bench: Bench) -> None:
    desk = Desk(bench)
    await desk.call("spawn_subtasks", tasks=["Do one."], wait=False)
    text, _ = await desk.call("report_result", summary="Early.")
    assert "report again then" in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"summary": " "}, "Not done: summary is empty; say what you did and found"),
        ({"summary": "é" * 200_000}, "summary has 400000 bytes; allowed: 262144"),
        ({"summary": "a", "data": ["x" * 70_000]}, "data has 70004 bytes; allowed: 65536"),
    ],
)
async def test_a_report_that_can_not_be_kept_says_why(bench: Bench, given: dict[str, Any], said: str) -> None:
    desk = Desk(bench)
    text, failed = await desk.call("report_result", **given)
    assert failed
    assert said in text
    assert desk.turn.report is None


async def test_a_question_without_words_is_refused(bench: Bench) -> None:
    text, failed = await Desk(bench).call("ask_user", question="")
    assert (failed, text) == (True, "Not done: question is empty; say what a person must decide")


COMMANDS = [{"request": "make a", "kind": "command"}, {"request": "make b", "kind": "command"}]


@pytest.mark.parametrize(
    ("mode", "allowed", "rules", "says"),
    [
        ("bypassPermissions", (), (), "Batch"),
        (
            "bypassPermissions",
            (),
            ("deny Bash(make b)",),
            "Not done: A rule refuses it (rule 1, made by a person: Bash",
        ),
        ("acceptEdits", (), (), "A person is asked"),
        ("dontAsk", (), (), "not allowed here (permission mode dontAsk)"),
        ("plan", (), (), "not allowed here (permission mode plan)"),
        ("dontAsk", ("Bash",), (), "Batch"),
        ("acceptEdits", ("Bash(*)",), (), "Batch"),
        ("acceptEdits", ("Bash(make a)",), (), "A person is asked"),
        ("acceptEdits", ("Bash(make a)",), ("allow Bash(make b)",), "Batch"),
        ("acceptEdits", (), ("allow Bash(make:*)",), "Batch"),
        ("acceptEdits", ("Bash",), ("deny Bash(make:*)",), "no, says the person"),
    ],
)
async def test_command_subtasks_need_the_leave_of_a_rule_or_a_person(
    bench: Bench, mode: str, allowed: tuple[str, ...], rules: tuple[str, ...], says: str
) -> None:
    """A command runs without Claude Code's own rules, so it must not be a way around them."""
    desk = Desk(bench, permission_mode=mode, allowed_tools=allowed)
    with bench.store.write() as tx:
        for line in rules:
            verdict, _, rule = line.partition(" ")
            add_rule(tx, desk.job_id, verdict, rule, now_ms(), text="no, says the person")
    text, failed = await desk.call("spawn_subtasks", tasks=COMMANDS)
    assert says in text
    assert failed is ("Batch" not in says and "asked" not in says)
    assert len(bench.ledger(desk.job_id)) == (2 if says == "Batch" else 0)


async def test_a_refusal_by_rule_is_kept_for_the_result(bench: Bench) -> None:
    """However often the model tries."""
    desk = Desk(bench)
    with bench.store.write() as tx:
        add_rule(tx, desk.job_id, "deny", "Bash(make:*)", now_ms())
    for _ in range(2):
        await desk.call("spawn_subtasks", tasks=COMMANDS)
    with bench.store.read() as reader:
        (kept,) = job_asks(reader, desk.job_id)
    assert (kept.answer, kept.rule_id, kept.input) == ("deny", 1, {"commands": ["make a", "make b"]})
