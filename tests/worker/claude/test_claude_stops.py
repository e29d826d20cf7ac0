"""What ends a run from outside, with the real Claude Code: SIGTERM, a lost attempt, limits, a Claude Code that breaks."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from claude_bench import Bench, now_ms, python, says

from store import asks, control, finish
from store.database import Store
from store.errors import StaleAttempt
from store.models import Ask, Limits, Outcome, Usage
from store.settings import set_setting
from store.states import Reason, Status
from store.tree import store_state
from tui_orch.demo.faults import usage_limit
from tui_orch.demo.model import ScriptedModel
from tui_orch.demo.script import Turn
from tui_orch.worker.work import Finished, Released

pytestmark = pytest.mark.real_cli

PATIENCE_S = 30.0
#: Says in a file who it is and then works for longer than any test.
HERE = "import os, time; open('new', 'w').write(str(os.getpid())); os.rename('new', 'started')"
LONG = python(f"{HERE}; time.sleep(300)")
SCRIPT = says("^Work", Turn(text="I begin.", tools=(LONG,)), Turn(text="Here is the result."))


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def once_it_works(bench: Bench, do: Callable[[int], None]) -> Iterator[list[int]]:
    """Call ``do`` with the pid of the session's command as soon as that runs; yield a list that gets the pid."""
    started: Path = bench.project / "started"
    pids: list[int] = []

    def act() -> None:
        wait_until(started.exists)
        pids.append(int(started.read_text()))
        started.unlink()
        do(pids[0])

    thread = threading.Thread(target=act)
    thread.start()
    yield pids
    thread.join()


def terminate_us(_pid: int) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def kill_claude(pid: int) -> None:
    claude = next(above for above in psutil.Process(pid).parents() if "claude" in above.name())
    claude.kill()
    psutil.Process(pid).kill()


def test_sigterm_ends_the_turn_and_its_commands_and_keeps_the_session(bench: Bench) -> None:
    before = signal.getsignal(signal.SIGTERM)
    root = bench.submit("Work.", allowed_tools=("Bash",))
    with ScriptedModel(SCRIPT) as model, once_it_works(bench, terminate_us) as pids:
        first = bench.run(root, model)
        assert isinstance(first, Released)
        assert first.reason == Reason.SHUTDOWN
        assert first.usage.cost_usd > 0
        assert signal.getsignal(signal.SIGTERM) is before
        wait_until(lambda: not psutil.pid_exists(pids[0]))
        job = bench.job(root)
        assert (job.status, job.tries, job.session_id) == (Status.QUEUED, 0, first.session_id)
        second = bench.run(root, model)
    assert isinstance(second, Finished)
    assert second.outcome.session_id == first.session_id
    assert "You were interrupted from outside" in bench.prompt(root, 2)
    assert bench.job(root).result == "Here is the result."


def test_sigterm_after_a_cancel_ends_the_job_as_cancelled(bench: Bench) -> None:
    def cancel(pid: int) -> None:
        with bench.open_other() as store, store.write() as tx:
            control.cancel(tx, root, now_ms())
        terminate_us(pid)

    root = bench.submit("Work.", allowed_tools=("Bash",))
    with ScriptedModel(SCRIPT) as model, once_it_works(bench, cancel):
        ending = bench.run(root, model)
    assert isinstance(ending, Finished)
    job = bench.job(root)
    assert (job.status, job.reason) == (Status.CANCELLED, Reason.CANCELLED)
    assert job.session_id is not None


def test_an_attempt_that_the_store_has_given_up_stops_and_records_nothing(bench: Bench) -> None:
    def lose(_pid: int) -> None:
        with bench.open_other() as store, store.write() as tx:
            finish.finish(tx, work.job.fence, Outcome(Status.FAILED, reason=Reason.LOST), now_ms())
        (bench.project / "go").touch()

    wait = python(HERE)
    script = says(
        "^Work", Turn(tools=(wait,)), Turn(text="Too late.", hold=str(bench.project / "go")), Turn(text="More.")
    )
    root = bench.submit("Work.", allowed_tools=("Bash",))
    work = bench.start(root)
    with ScriptedModel(script) as model, once_it_works(bench, lose), pytest.raises(StaleAttempt):
        bench.finish(work, model)
    assert bench.job(root).activity != "Too late."


def test_a_claude_code_that_is_killed_fails_the_attempt_with_its_session_kept(bench: Bench) -> None:
    root = bench.submit("Work.", allowed_tools=("Bash",))
    with ScriptedModel(SCRIPT) as model, once_it_works(bench, kill_claude):
        ending = bench.run(root, model)
    assert isinstance(ending, Finished)
    outcome = ending.outcome
    assert (outcome.status, outcome.reason, outcome.retry) == (Status.FAILED, Reason.CLAUDE_ERROR, True)
    assert "broke off with exit code -9" in (outcome.error or "")
    assert outcome.usage.input_tokens > 0
    assert bench.job(root).session_id == outcome.session_id is not None


def test_a_missing_claude_code_is_named_with_what_to_do(bench: Bench) -> None:
    bench.env["ORCH_CLAUDE_PATH"] = str(bench.project / "no-claude")
    with ScriptedModel(SCRIPT) as model:
        ending = bench.run(bench.submit("Work."), model)
    assert isinstance(ending, Released)
    assert ending.reason == Reason.CLAUDE_ERROR
    assert "ORCH_CLAUDE_PATH" in (ending.error or "")
    with bench.store.read() as reader:
        state = store_state(reader)
    assert state.paused_ms is not None, "no job could run, so nothing goes on until a person has mended it"
    assert (state.brake_reason or "").endswith("then: orch resume")


def test_a_claude_code_that_is_no_program_stops_everyone_too(bench: Bench) -> None:
    path = bench.project / "claude"
    path.write_text("not a program")
    bench.env["ORCH_CLAUDE_PATH"] = str(path)
    with ScriptedModel(SCRIPT) as model:
        ending = bench.run(bench.submit("Work."), model)
    assert isinstance(ending, Released)
    assert ending.trouble is not None
    assert ending.trouble.kind == "stop"


def test_a_claude_code_that_says_nothing_for_too_long_is_ended(bench: Bench) -> None:
    with bench.store.write() as tx:
        set_setting(tx, "idle_timeout_s", 2.0)
    with ScriptedModel(SCRIPT) as model:
        ending = bench.run(bench.submit("Work.", allowed_tools=("Bash",)), model)
    assert isinstance(ending, Finished)
    assert (ending.outcome.reason, ending.outcome.session_id is None) == (Reason.IDLE, False)


def test_a_usage_limit_gives_the_job_back_until_it_resets(bench: Bench) -> None:
    resets_at_s = int(time.time()) + 3_600
    bench.env["CLAUDE_CODE_OAUTH_TOKEN"] = "made-up"
    del bench.env["ANTHROPIC_API_KEY"]
    with ScriptedModel(says("^Work", Turn(error=usage_limit(resets_at_s, times=None)))) as model:
        ending = bench.run(bench.submit("Work."), model)
    assert isinstance(ending, Released)
    assert ending.reason == Reason.USAGE_LIMIT
    with bench.store.read() as reader:
        assert store_state(reader).brake_until_ms == resets_at_s * 1_000


def test_a_budget_ends_the_run_and_a_spent_one_starts_none(bench: Bench) -> None:
    root = bench.submit("Work.", Limits(budget_usd=0.000_2))
    with ScriptedModel(says("^Work", Turn(tools=(python("print(1)"),)))) as model:
        first = bench.run(root, model)
        assert isinstance(first, Released)
        assert first.reason == Reason.BUDGET
        assert bench.job(root).cost_usd > 0.000_2
    with ScriptedModel(SCRIPT) as model:
        second = bench.run(root, model)
        assert isinstance(second, Released)
        assert second.usage == Usage()
        assert model.entries() == ()


def test_claude_code_gets_the_environment_of_the_attempt_and_nothing_else(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMEONES_SECRET", "s3cret")
    bench.env["ORCH_JOB_ID"] = "1"
    show = python("import os; open('seen', 'w').write(chr(10).join(os.environ))")
    with ScriptedModel(says("^Work", Turn(tools=(show,)), Turn(text="Done."))) as model:
        bench.run(bench.submit("Work.", allowed_tools=("Bash",)), model)
    seen = (bench.project / "seen").read_text().splitlines()
    assert "ORCH_JOB_ID" in seen
    assert "SOMEONES_SECRET" not in seen
    assert os.environ["SOMEONES_SECRET"] == "s3cret"


def test_a_stop_before_the_first_word_says_nothing_to_the_model(bench: Bench) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def stop_early() -> None:
        wait_until(lambda: signal.getsignal(signal.SIGTERM) is not before)
        terminate_us(0)

    thread = threading.Thread(target=stop_early)
    thread.start()
    with ScriptedModel(SCRIPT) as model:
        ending = bench.run(bench.submit("Work."), model)
        assert model.entries() == ()
    thread.join()
    assert isinstance(ending, Released)
    assert (ending.reason, ending.usage) == (Reason.SHUTDOWN, Usage())


def test_a_stop_while_a_person_is_asked_keeps_the_ask_for_the_resumed_session(bench: Bench) -> None:
    call = python("print(6*7)")
    root = bench.submit("Work.")

    def stop_at_ask() -> None:
        with bench.open_other() as store:
            wait_until(lambda: bool(open_asks_of(store)))
        terminate_us(0)

    thread = threading.Thread(target=stop_at_ask)
    thread.start()
    with ScriptedModel(says("^Work", Turn(tools=(call,)), Turn(tools=(call,)), Turn(text="42."))) as model:
        assert isinstance(bench.run(root, model), Released)
        thread.join()
        assert not bench.job(root).lending
        with bench.store.write() as tx:
            (ask,) = asks.open_asks(tx)
            asks.answer(tx, ask.id, "allow", None, now_ms())
        assert isinstance(bench.run(root, model), Finished)
    with bench.store.read() as reader:
        assert [ask.answer for ask in asks.job_asks(reader, root)] == ["allow"]
    assert bench.job(root).denials == ()


def open_asks_of(store: Store) -> list[Ask]:
    with store.read() as reader:
        return asks.open_asks(reader)
