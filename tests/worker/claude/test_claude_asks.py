"""Permission requests and questions with the real Claude Code: answered while the worker waits, or after it has gone."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from claude_bench import Bench, now_ms, orch, python, says

from store import asks
from store.claim import grant_slot
from store.database import Store
from store.models import Ask, Job, Outcome
from store.rules import add_rule
from store.states import Status
from store.tree import get_job
from tui_orch.demo.model import ScriptedModel
from tui_orch.demo.script import Script, ToolCall, Turn
from tui_orch.worker.work import Finished, Suspended

pytestmark = pytest.mark.real_cli

CALL = python("print(6*7)")
PATIENCE_S = 30.0


class Office:
    """A person and a supervisor in a thread of their own: answers each ask, then gives the slot back."""

    def __init__(
        self, bench: Bench, verdict: Literal["allow", "deny", "answered"], text: str | None, scope: asks.Scope
    ) -> None:
        self._bench = bench
        self._scope = scope
        self._verdict = verdict
        self._text = text
        self.asked: list[Ask] = []
        self.lent: list[Job] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Office":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        with self._bench.open_other() as store:
            while not self._stop.is_set():
                found = wait_for(lambda: read(store, asks.open_asks), self._stop)
                if not found:
                    return
                self.asked += found
                with store.write() as tx:
                    self.lent.append(get_job(tx, found[0].job_id))
                    asks.answer(tx, found[0].id, self._verdict, self._text, now_ms(), scope=self._scope)
                give_slot_back(store, found[0].job_id, self._stop)


def read(store: Store, look: Callable[..., Any]) -> Any:
    with store.read() as reader:
        return look(reader)


def wait_for(look: Callable[[], Any], stop: threading.Event) -> Any:
    end = time.monotonic() + PATIENCE_S
    while not (found := look()):
        if stop.wait(0.01):
            return None
        assert time.monotonic() < end
    return found


def give_slot_back(store: Store, job_id: int, stop: threading.Event) -> None:
    wait_for(lambda: read(store, lambda reader: get_job(reader, job_id).wants_slot), stop)
    with store.write() as tx:
        grant_slot(tx, job_id)


def after(call: ToolCall) -> Script:
    return says("^Compute", Turn(tools=(call,)), Turn(text="I went on."))


@contextmanager
def answered(
    bench: Bench,
    verdict: Literal["allow", "deny", "answered"],
    text: str | None = None,
    scope: asks.Scope = "once",
) -> Iterator[Office]:
    with Office(bench, verdict, text, scope) as office:
        yield office


def tool_results(bench: Bench, job_id: int, attempt: int) -> list[dict[str, Any]]:
    lines = bench.transcript(job_id, attempt)
    blocks = [block for line in lines if line["type"] == "UserMessage" for block in line["content"]]
    return [block for block in blocks if block["block"] == "ToolResultBlock"]


def test_a_permission_is_asked_with_the_slot_lent_and_the_call_runs_once_it_is_allowed(bench: Bench) -> None:
    root = bench.submit("Compute.")
    with ScriptedModel(after(CALL)) as model, answered(bench, "allow") as office:
        ending = bench.run(root, model)
    assert isinstance(ending, Finished)
    (ask,) = office.asked
    assert (ask.kind, ask.tool, ask.input) == ("permission", "Bash", CALL.input)
    assert office.lent[0].lending
    assert not bench.job(root).lending
    assert tool_results(bench, root, 1)[0]["content"] == "42"
    assert ending.outcome.denials == ()


def test_a_refusal_reaches_the_model_in_the_persons_words_and_stands_among_the_denials(bench: Bench) -> None:
    root = bench.submit("Compute.")
    with ScriptedModel(after(CALL)) as model, answered(bench, "deny", "not on this machine"):
        ending = bench.run(root, model)
    assert isinstance(ending, Finished)
    assert "not on this machine" in tool_results(bench, root, 1)[0]["content"]
    job = bench.job(root)
    assert job.status is Status.COMPLETED
    assert job.denials == ({"tool": "Bash", "input": CALL.input, "text": "not on this machine"},)


def test_an_ask_that_nobody_answers_in_time_parks_the_job_and_its_answer_resumes_it(bench: Bench) -> None:
    script = says("^Compute", Turn(tools=(CALL,)), Turn(tools=(CALL,)), Turn(text="It is 42."))
    root = bench.submit("Compute.", park_after_s=0)
    with ScriptedModel(script) as model:
        first = bench.run(root, model)
        assert isinstance(first, Suspended)
        assert first.waiting_for == "ask"
        assert (bench.job(root).status, bench.job(root).waiting_for) == (Status.WAITING, "ask")
        with bench.store.write() as tx:
            (ask,) = asks.open_asks(tx)
            asks.answer(tx, ask.id, "allow", None, now_ms())
        assert bench.job(root).status is Status.QUEUED
        second = bench.run(root, model)
    assert isinstance(second, Finished)
    assert "A person allowed it" in bench.prompt(root, 2)
    assert tool_results(bench, root, 2)[0]["content"] == "42"
    # What was stopped to ask is no denial, and the same call was not asked about twice.
    assert bench.job(root).denials == ()
    with bench.store.read() as reader:
        assert len(asks.job_asks(reader, root)) == 1
        assert asks.unused_answers(reader, root) == []


def test_a_parked_question_of_the_worker_is_answered_in_the_prompt_that_resumes_it(bench: Bench) -> None:
    script = says(
        "^Compute", Turn(tools=(orch("ask_user", question="Which base?", options=["2", "10"]),)), Turn(text="Ten.")
    )
    root = bench.submit("Compute.", park_after_s=0)
    with ScriptedModel(script) as model:
        assert isinstance(bench.run(root, model), Suspended)
        with bench.store.write() as tx:
            (ask,) = asks.open_asks(tx)
            assert (ask.kind, ask.question, ask.options) == ("question", "Which base?", ("2", "10"))
            asks.answer(tx, ask.id, "answered", "10, as always", now_ms())
        assert isinstance(bench.run(root, model), Finished)
    assert "10, as always" in bench.prompt(root, 2)
    with bench.store.read() as reader:
        assert asks.unused_answers(reader, root) == []


def test_claude_codes_own_questions_are_asked_and_answered_the_same_way(bench: Bench) -> None:
    options = [{"label": "Red", "description": "r"}, {"label": "Blue", "description": "b"}]
    one = {"question": "Which colour?", "header": "Colour", "options": options, "multiSelect": False}
    root = bench.submit("Compute.")
    with (
        ScriptedModel(after(ToolCall("AskUserQuestion", {"questions": [one]}))) as model,
        answered(bench, "answered", "Green") as office,
    ):
        assert isinstance(bench.run(root, model), Finished)
    assert (office.asked[0].kind, office.asked[0].options) == ("question", ("Red", "Blue"))
    assert '"Which colour?"="Green"' in tool_results(bench, root, 1)[0]["content"]
    assert bench.job(root).denials == ()


def test_a_command_subtask_is_no_way_around_the_permission_rules(bench: Bench) -> None:
    task = {"request": "rm -rf build", "kind": "command"}
    root = bench.submit("Compute.")
    with (
        ScriptedModel(after(orch("spawn_subtasks", tasks=[task]))) as model,
        answered(bench, "deny", "keep it") as office,
    ):
        assert isinstance(bench.run(root, model), Finished)
    assert office.asked[0].input == {"commands": ["rm -rf build"]}
    assert bench.ledger(root) == []
    assert "keep it" in str(tool_results(bench, root, 1)[0]["content"])


def rule(bench: Bench, job_id: int, verdict: str, text: str, words: str | None = None) -> None:
    with bench.store.write() as tx:
        add_rule(tx, job_id, verdict, text, now_ms(), text=words)


def test_what_rules_decide_is_asked_of_nobody_and_a_denied_call_stands_among_the_denials(bench: Bench) -> None:
    """Also with a rule that can not be told to Claude Code (brackets), and one that comes before the run (a prefix)."""
    lines = ('python3 -c "print(6*7)"', "touch made; rm made", "python3 -V", "python3 -V")
    calls = [ToolCall("Bash", {"command": line}) for line in lines]
    root = bench.submit("Compute.")
    rule(bench, root, "allow", 'Bash(python3 -c "print(6)")')
    rule(bench, root, "deny", "Bash(rm:*)", "nothing goes")
    rule(bench, root, "allow", "Bash(python3 -V)")
    rule(bench, root, "deny", 'Bash(python3 -c "print(6*7)")', "not that")
    script = says("^Compute", *(Turn(tools=(call,)) for call in calls), Turn(text="Done."))
    with ScriptedModel(script) as model:
        ending = bench.run(root, model)
    assert isinstance(ending, Finished)
    results = [result["content"] for result in tool_results(bench, root, 1)]
    assert 'A rule refuses it (rule 4, made by a person: Bash(python3 -c "print(6*7)"))' in results[0]
    assert 'They say: "not that"' in results[0]
    assert "denied" in results[1]
    assert results[2] == results[3]
    assert results[2].startswith("Python 3")
    assert [(one["input"]["command"], one.get("text")) for one in bench.job(root).denials] == [
        (lines[0], "not that"),
        (lines[1], None),
    ]
    with bench.store.read() as reader:
        assert [ask.rule_id for ask in asks.job_asks(reader, root)] == [4]


def test_a_call_allowed_for_good_is_not_asked_about_again_in_the_same_run(bench: Bench) -> None:
    """Claude Code is told the rule, and applies it by itself."""
    calls = [ToolCall("Bash", {"command": line}) for line in ("python3 -V", "python3 -V; python3 -V", "python3 -V")]
    root = bench.submit("Compute.")
    script = says("^Compute", *(Turn(tools=(call,)) for call in calls), Turn(text="Done."))
    with ScriptedModel(script) as model, answered(bench, "allow", scope="subtree") as office:
        assert isinstance(bench.run(root, model), Finished)
    assert [ask.input for ask in office.asked] == [calls[0].input]
    assert office.asked[0].suggestions == ("Bash(python3 -V)",)
    assert [result["is_error"] for result in tool_results(bench, root, 1)] == [False] * 3


def test_an_answer_for_good_to_a_parked_ask_allows_the_call_in_the_next_run(bench: Bench) -> None:
    script = says("^Compute", Turn(tools=(CALL,)), Turn(tools=(CALL, CALL)), Turn(text="It is 42."))
    root = bench.submit("Compute.", park_after_s=0)
    with ScriptedModel(script) as model:
        assert isinstance(bench.run(root, model), Suspended)
        with bench.store.write() as tx:
            (ask,) = asks.open_asks(tx)
            asks.answer(tx, ask.id, "allow", None, now_ms(), scope="tree")
        assert isinstance(bench.run(root, model), Finished)
    assert [result["content"] for result in tool_results(bench, root, 2)] == ["42", "42"]


def test_what_a_rule_denied_before_the_job_waited_is_in_its_result(bench: Bench) -> None:
    """Claude Code tells of it only in the run in which it happened."""
    root = bench.submit("Compute.")
    rule(bench, root, "deny", "Bash(python3:*)")
    rule(bench, root, "allow", "Bash(true)")
    work = orch("spawn_subtasks", tasks=[{"request": "true", "kind": "command"}])
    with ScriptedModel(says("^Compute", Turn(tools=(CALL,)), Turn(tools=(work,)), Turn(text="Done."))) as model:
        assert isinstance(bench.run(root, model), Suspended)
        denied = ({"tool": "Bash", "input": CALL.input},)
        assert bench.job(root).denials == denied
        (child,) = bench.ledger(root)
        bench.end_child(child.id, Outcome(Status.COMPLETED, result="fine"))
        assert isinstance(bench.run(root, model), Finished)
    assert bench.job(root).denials == denied
