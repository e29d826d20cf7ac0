"""Asks and repairs through the command line, with real Claude Code workers below a root."""

import json
from collections import Counter

import pytest
from at_work import AtWork
from scripted import report, scripted, spawn

from store.states import Kind, Status
from tui_orch.demo.script import Role, Script, ToolCall, Turn

pytestmark = [pytest.mark.real_cli, pytest.mark.timeout(180)]


def asks(work: AtWork) -> list[dict[str, object]]:
    said = json.loads(work.orch("asks", "--json").stdout)
    assert isinstance(said, list)
    return said


def test_a_permission_of_a_child_is_asked_for_and_given_by_the_command_line(work: AtWork) -> None:
    """The tool runs only after `orch answer`; what is asked is shown with the tool and its input."""
    touch = ToolCall("Bash", {"command": "python3 -c \"open('touched', 'w').write('yes')\""})
    script = Script(
        (
            Role(r"^TOUCH", (Turn("I need a command.", (touch,)), *report("touched it"))),
            Role(r"^ROOT", (spawn("TOUCH a file"), *report("all there"))),
        )
    )
    with scripted(work, script):
        work.supervise()
        root = work.submit("ROOT", Kind.CLAUDE)
        work.until(lambda reader: reader.value("SELECT id FROM asks WHERE answer IS NULL"), "an ask")
        (ask,) = asks(work)
        assert ask["tool"] == "Bash"
        assert "touched" in json.dumps(ask["input"])
        assert not (work.project / "touched").exists()
        work.orch("answer", str(ask["id"]), "allow")
        assert work.until_ended(root).status is Status.COMPLETED
    assert (work.project / "touched").read_text() == "yes"
    work.orch("answer", str(ask["id"]), "deny", code=2)
    assert not asks(work)


def test_a_parked_question_holds_no_process_and_its_answer_resumes_the_session(work: AtWork) -> None:
    """With no patience at all the worker ends at once; the answer comes as the next prompt of the same session."""
    question = ToolCall("mcp__orch__ask_user", {"question": "Which colour?", "options": ["red", "blue"]})
    script = Script((Role(r"^PAINT", (Turn("I ask.", (question,)), *report("painted it"))),))
    work.set("park_after_s", 0.0)
    with scripted(work, script) as model:
        work.supervise()
        root = work.submit("PAINT the door", Kind.CLAUDE)
        work.until(lambda reader: reader.value("SELECT id FROM jobs WHERE status = 'waiting'"), "a parked worker")
        work.wait_for(lambda: not work.processes(), "the end of the parked worker")
        first = work.job(root)
        assert (first.status, first.reason, first.waiting_for) == (Status.WAITING, "ask", "ask")
        (ask,) = asks(work)
        assert (ask["question"], ask["options"]) == ("Which colour?", ["red", "blue"])
        work.orch("answer", str(ask["id"]), "blue")
        ended = work.until_ended(root)
        assert all(entry.session == model.entries()[0].session for entry in model.entries())
    assert (ended.status, ended.result, ended.attempt) == (Status.COMPLETED, "painted it", 2)
    assert ended.session_id == first.session_id


def test_retry_of_a_failed_leaf_resumes_it_and_its_parent_with_the_repaired_ledger(work: AtWork) -> None:
    """Both go on in their own sessions; the child that had succeeded is not run again."""
    script = Script(
        (
            Role(r"^BREAKS", (*report("no luck", success=False), *report("mended"))),
            Role(r"^HOLDS", report("fine")),
            Role(r"^ROOT", (spawn("BREAKS first", "HOLDS always"), *report("half of it"), *report("all of it"))),
        )
    )
    with scripted(work, script) as model:
        work.supervise()
        root = work.submit("ROOT", Kind.CLAUDE)
        assert work.until_ended(root).status is Status.PARTIAL
        _, broken, fine = work.jobs(root)
        work.orch("retry", str(broken.id))
        ended = work.until_ended(root)
        paid = Counter((entry.prompt, entry.turn) for entry in model.entries() if entry.what == "answered")
    assert (ended.status, ended.result) == (Status.COMPLETED, "all of it")
    _, mended, still_fine = work.jobs(root)
    assert (mended.status, mended.result, mended.session_id) == (Status.COMPLETED, "mended", broken.session_id)
    assert still_fine.attempt == fine.attempt == 1
    assert set(paid.values()) == {1}, "a turn was paid for twice"
