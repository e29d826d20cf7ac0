"""Asks: stored until a person answers, answered once, acted on once."""

from typing import Any

import pytest
from at_store import AtStore

from store import asks
from store.errors import BadInput, IllegalChange, NotFound, StaleAttempt
from store.models import Ask, Fence
from store.states import Status

BASH: dict[str, Any] = {"kind": "permission", "tool": "Bash", "input": {"command": "rm x", "env": {"b": 1, "a": 2}}}


def test_an_ask_is_stored_as_it_was_asked(at: AtStore) -> None:
    """With who asked, when, and what may be answered."""
    fence = at.start(at.tree())
    ask_id = at.ask(fence, "Which colour?", options=("red", "青"))
    with at.store.read() as reader:
        found = asks.get_ask(reader, ask_id)
    assert found == Ask(
        *(ask_id, 1, 1, 1, "question", None, None, "Which colour?", ("red", "青"), None, (), at.now_ms),
        *(None, None, None, None),
    )
    assert at.job(1).open_asks == 1


def test_only_a_running_attempt_asks(at: AtStore) -> None:
    """What is over wants to know nothing."""
    root = at.tree()
    old = at.start(root)
    at.release(old)
    for fence in (old, Fence(root, 2)):
        with pytest.raises(StaleAttempt):
            at.ask(fence)


def test_asks_are_listed_oldest_first_by_store_tree_and_job(at: AtStore) -> None:
    """Answered ones are no longer open, but belong to their job."""
    first, second = at.start(at.tree()), at.start(at.tree())
    one, two, three = at.ask(first, "1"), at.ask(second, "2"), at.ask(first, "3")
    at.answer(one, "answered", "yes")
    with at.store.read() as reader:
        assert [ask.id for ask in asks.open_asks(reader)] == [two, three]
        assert [ask.id for ask in asks.open_asks(reader, first.job_id)] == [three]
        assert [ask.id for ask in asks.open_asks(reader, limit=1)] == [two]
        assert [ask.id for ask in asks.job_asks(reader, first.job_id)] == [one, three]


def test_an_answer_lets_a_waiting_job_go_on(at: AtStore) -> None:
    """In the same transaction, once nothing of it is open any more."""
    fence = at.start(at.tree())
    one, two = at.ask(fence, "1"), at.ask(fence, "2")
    assert at.suspend(fence, "ask") is Status.WAITING
    assert at.states(1) == ["waiting (ask)"]
    at.answer(one, "answered", "yes")
    assert at.states(1) == ["waiting (ask)"]
    at.later(60)
    at.answer(two, "deny")
    assert at.states(1) == ["queued (resume)"]
    with at.store.read() as reader:
        found = asks.get_ask(reader, two)
    assert (found.answer, found.text, found.answered_ms) == ("deny", None, at.now_ms)


def test_a_job_that_waits_for_children_is_not_woken_by_an_answer(at: AtStore) -> None:
    """It goes on when they end."""
    fence = at.start(at.tree())
    at.spawn(fence, "a")
    ask_id = at.ask(fence)
    at.suspend(fence)
    at.answer(ask_id, "answered", "red")
    assert at.states(1) == ["waiting (children)"]


def test_an_ask_is_answered_once(at: AtStore) -> None:
    """The second answer is told what the first was."""
    ask_id = at.ask(at.start(at.tree()))
    at.answer(ask_id, "answered", "red")
    with pytest.raises(IllegalChange, match="ask 1 of job #1 is closed, already answered: answered"):
        at.answer(ask_id, "answered", "blue")
    with at.store.read() as reader:
        assert asks.get_ask(reader, ask_id).text == "red"


def test_an_ask_whose_job_has_ended_can_not_be_answered(at: AtStore) -> None:
    """Nobody is there to hear it."""
    fence = at.start(at.tree())
    ask_id = at.ask(fence)
    at.finish(fence)
    with pytest.raises(IllegalChange, match="its job ended before an answer came"):
        at.answer(ask_id, "answered", "red")


@pytest.mark.parametrize(
    ("asked", "verdict", "text", "says"),
    [
        ({}, "answered", None, "wants an answer in words; got nothing"),
        ({}, "answered", " \n", "wants an answer in words; got nothing"),
        ({}, "allow", None, r"is a question: answer it in words \(or deny it\)"),
        (BASH, "answered", "", "wants an answer in words"),
    ],
)
def test_an_answer_must_fit_the_ask(at: AtStore, asked: dict[str, Any], verdict: Any, text: str, says: str) -> None:
    """The ask stays open."""
    ask_id = at.ask(at.start(at.tree()), **asked)
    with pytest.raises(BadInput, match=says):
        at.answer(ask_id, verdict, text)
    with pytest.raises(NotFound, match="there is no ask 9; see: orch asks"):
        at.answer(9, verdict, text)
    assert at.job(1).open_asks == 1


def take(at: AtStore, fence: Fence, tool: str, given: dict[str, Any]) -> Ask | None:
    with at.store.write() as tx:
        return asks.take_answer(tx, fence, "permission", tool, given, at.now_ms)


def test_a_resumed_worker_gets_the_answer_to_the_same_ask_once(at: AtStore) -> None:
    """The same tool with the same input, whatever the order of its keys; a second call must be asked for again."""
    fence = at.start(at.tree())
    ask_id = at.ask(fence, "may I?", **BASH)
    at.suspend(fence, "ask")
    at.answer(ask_id, "allow")
    fence = at.start(1)
    assert take(at, fence, "Bash", {"command": "rm y"}) is None
    assert take(at, fence, "Write", BASH["input"]) is None
    found = take(at, fence, "Bash", {"env": {"a": 2, "b": 1}, "command": "rm x"})
    assert found is not None
    assert (found.id, found.answer) == (ask_id, "allow")
    assert take(at, fence, "Bash", BASH["input"]) is None


def test_of_two_answers_to_the_same_ask_the_older_is_taken_first(at: AtStore) -> None:
    """Asked twice, answered twice."""
    fence = at.start(at.tree())
    for verdict in ("deny", "allow"):
        at.answer(at.ask(fence, "may I?", **BASH), verdict)  # type: ignore[arg-type]
    with at.store.read() as reader:
        assert [ask.answer for ask in asks.unused_answers(reader, 1)] == ["deny", "allow"]
    taken = [take(at, fence, "Bash", BASH["input"]) for _ in range(3)]
    assert [ask and ask.answer for ask in taken] == ["deny", "allow", None]
    with at.store.read() as reader:
        assert asks.unused_answers(reader, 1) == []


def test_answers_are_for_the_job_that_asked(at: AtStore) -> None:
    """The same call of another job is another ask, and an attempt that is over gets nothing."""
    old = at.start(at.tree())
    other = at.start(at.tree())
    at.answer(at.ask(old, "may I?", **BASH), "allow")
    assert take(at, other, "Bash", BASH["input"]) is None
    at.release(old)
    with pytest.raises(StaleAttempt):
        take(at, old, "Bash", BASH["input"])


def test_a_used_answer_is_marked_once(at: AtStore) -> None:
    """The time of its use does not move."""
    ask_id = at.ask(at.start(at.tree()))
    at.answer(ask_id, "answered", "red")
    for _ in range(2):
        with at.store.write() as tx:
            asks.use_answer(tx, ask_id, at.later(1))
    assert at.value("SELECT used_ms FROM asks") == at.now_ms - 1000
