"""The inbox with real Claude Code workers two levels deep: an ask is answered from another process, whatever happened since."""

import json
import signal

import pytest
from at_work import AtWork
from scripted import report, scripted, spawn

from store.models import Job
from store.states import Kind, Status
from tui_orch.demo.script import Role, Script, ToolCall, Turn

pytestmark = [pytest.mark.real_cli, pytest.mark.timeout(60)]


def run(code: str) -> ToolCall:
    """A call that Claude Code asks about."""
    return ToolCall("Bash", {"command": f'python3 -c "{code}"'})


TOUCH = run("open('touched', 'a').write('yes')")


def below(*low: Turn, middle: tuple[Turn, ...] = ()) -> Script:
    """The root hands its task to #2, which hands it to #3, which takes these turns."""
    return Script(
        (
            Role(r"^LOW", (*low, *report("done below"))),
            Role(r"^MIDDLE", (*middle, spawn("LOW does it"), *report("handed on"))),
            Role(r"^ROOT", (spawn("MIDDLE hands on"), *report("all there"))),
        )
    )


def the_ask(work: AtWork) -> dict[str, object]:
    """Wait until something is asked, and return it as the command line shows it."""
    work.until(lambda reader: reader.value("SELECT id FROM asks WHERE answer IS NULL"), "an ask")
    (found,) = json.loads(work.orch("asks", "--json").stdout)
    assert isinstance(found, dict)
    return found


def ended(work: AtWork, root: int) -> list[Job]:
    """Wait for the end, and return the root, #2 and #3."""
    assert work.until_ended(root).status is Status.COMPLETED
    return work.jobs(root)


@pytest.mark.parametrize("supervisor", ["lives", "was killed"])
def test_an_ask_two_levels_down_is_answered_from_another_process(work: AtWork, supervisor: str) -> None:
    """The tool runs then and no sooner. kill -9 of the supervisor between ask and answer changes nothing."""
    with scripted(work, below(Turn("I need a command.", (TOUCH,)))):
        process = work.supervise()
        root = work.submit("ROOT", Kind.CLAUDE)
        ask = the_ask(work)
        assert [above["id"] for above in ask["path"]] == [1, 2, 3]  # type: ignore[attr-defined]
        assert (ask["tool"], ask["input"]) == ("Bash", TOUCH.input)
        assert ask["offered"] == [f"Bash({TOUCH.input['command']})"]
        if supervisor == "was killed":
            process.send_signal(signal.SIGKILL)
            process.wait()
            work.supervise()
            assert the_ask(work) == ask
        assert not (work.project / "touched").exists()
        work.orch("answer", str(ask["id"]), "allow")
        *_, low = ended(work, root)
    assert (work.project / "touched").read_text() == "yes"
    assert (low.depth, low.attempt, low.denials) == (2, 1, ())


def test_an_ask_of_a_parked_worker_resumes_it_though_the_supervisor_was_killed(work: AtWork) -> None:
    """No process of the tree is left while it waits; the same session makes the call again."""
    work.set("park_after_s", 0.2)
    with scripted(work, below(Turn("I need a command.", (TOUCH,)), Turn("Again.", (TOUCH,)))):
        process = work.supervise()
        root = work.submit("ROOT", Kind.CLAUDE)
        ask = the_ask(work)
        work.until(lambda reader: reader.value("SELECT id FROM jobs WHERE waiting_for = 'ask'"), "a parked worker")
        work.wait_for(lambda: not work.processes(), "the end of the parked worker")
        parked = work.job(3)
        process.send_signal(signal.SIGKILL)
        process.wait()
        work.supervise()
        work.orch("answer", str(ask["id"]), "allow")
        *_, low = ended(work, root)
    assert (work.project / "touched").read_text() == "yes"
    assert (low.attempt, low.session_id, low.denials) == (2, parked.session_id, ())
    assert json.loads(work.orch("show", "3", "--json").stdout)["asks"][0]["answer"] == "allow"


def test_an_answer_for_the_subtree_lets_a_child_make_such_calls_unasked(work: AtWork) -> None:
    """Another line of the same kind, in a session that began later; and the worker itself is not asked again."""
    script = below(
        Turn("Mine.", (run("open('low', 'a').write('1')"),)),
        middle=(
            Turn("First.", (TOUCH,)),
            Turn("Once more, and another.", (TOUCH, run("open('middle', 'a').write('1')"))),
        ),
    )
    with scripted(work, script):
        work.supervise()
        root = work.submit("ROOT", Kind.CLAUDE)
        ask = the_ask(work)
        assert ask["job_id"] == 2
        work.orch("answer", str(ask["id"]), "allow", "--for", "subtree", "--rule", "Bash(python3 -c:*)")
        ended(work, root)
    assert (work.project / "touched").read_text() == "yesyes"
    assert (work.project / "middle").read_text() == (work.project / "low").read_text() == "1"
    with work.store.read() as reader:
        assert reader.value("SELECT count(*) FROM asks") == 1
    (rule,) = json.loads(work.orch("rules", "1", "--json").stdout)["rules"]
    assert (rule["job_id"], rule["rule"], rule["ask_id"]) == (2, "Bash(python3 -c:*)", ask["id"])


def test_a_rule_answers_an_ask_that_is_open_and_what_it_denies_stands_in_the_result(work: AtWork) -> None:
    """Made while the worker waits; the same call again, and one more that the rule names, are refused unasked."""
    again = ToolCall("Bash", {"command": "python3 -V"})
    with scripted(work, below(Turn("I try.", (TOUCH,)), Turn("Again.", (TOUCH, again)))):
        work.supervise()
        root = work.submit("ROOT", Kind.CLAUDE)
        the_ask(work)
        work.orch("rules", str(root), "--deny", f"Bash({TOUCH.input['command']})", "--why", "not that")
        work.orch("rules", str(root), "--deny", "Bash(python3 -V:*)")
        *_, low = ended(work, root)
    assert not (work.project / "touched").exists()
    told = [(one["input"]["command"], one.get("text"), one["rule_id"]) for one in low.denials]
    assert told == [(TOUCH.input["command"], "not that", 1), ("python3 -V", None, 2)]
    assert json.loads(work.orch("result", "3", "--json").stdout)["denials"] == list(low.denials)
