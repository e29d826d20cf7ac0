"""The brakes, with real Claude Code workers: what one worker meets holds up all, costs no try, and ends by itself or by a person."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from at_work import AtWork, now_ms
from scripted import report, scripted

from store.database import Reader
from store.models import Limits, NewJob, NewTree
from store.states import Kind, Status
from store.tree import StoreState, attempts, store_state
from tui_orch.demo.faults import overloaded, unauthorized, usage_limit
from tui_orch.demo.model import ScriptedModel
from tui_orch.demo.script import Role, Script, ToolCall, Turn

pytestmark = [pytest.mark.real_cli, pytest.mark.timeout(120)]

BANNER = "usage limit is reached"


def workers(work: AtWork, *requests: str, **limits: object) -> tuple[int, tuple[int, ...]]:
    """Submit a group of Claude Code workers; return it and them."""
    jobs = tuple(NewJob(request, Kind.CLAUDE) for request in requests)
    new = NewTree(NewJob("all of them", Kind.GROUP), jobs, Limits(**limits), str(work.project))  # type: ignore[arg-type]
    root = work.submit_tree(new)
    return root, tuple(job.id for job in work.jobs(root)[1:])


def by_subscription(work: AtWork) -> None:
    """Claude Code tells a usage limit only where it is logged in."""
    del work.env["ANTHROPIC_API_KEY"]
    work.env["CLAUDE_CODE_OAUTH_TOKEN"] = "made-up"


def state(work: AtWork) -> StoreState:
    with work.store.read() as reader:
        return store_state(reader)


def outcomes(work: AtWork, job_id: int) -> list[tuple[str | None, str | None]]:
    with work.store.read() as reader:
        return [(attempt.outcome, attempt.reason) for attempt in attempts(reader, job_id)]


def paused(reader: Reader) -> StoreState | None:
    found = store_state(reader)
    return found if found.paused_ms is not None else None


def meeting(turns: tuple[Turn, ...], **fault: object) -> tuple[Turn, ...]:
    """Return these turns with a fault in the way of the first one, which is said when the fault is over."""
    return (replace(turns[0], **fault), *turns[1:])  # type: ignore[arg-type]


def working(then: Turn | tuple[Turn, ...], *, name: str = "PART") -> Role:
    """A worker that does something first, so that there is a session to lose, and then says this."""
    first = Turn("I begin.", (ToolCall("Bash", {"command": "true"}),))
    return Role(rf"^{name}", (first, *((then,) if isinstance(then, Turn) else then)))


def soon_s(seconds: float = 4.0) -> int:
    """Return a second of the clock that is so far away, as a limit's reset is told."""
    return int(time.time() + seconds) + 1


def cut_the_wait_short(work: AtWork) -> None:
    """Once all workers have gone: let an API's brake end now, and jobs go on with it and not up to half a minute later."""
    work.wait_for(lambda: not work.processes(), "the end of all workers")
    with work.store.write() as tx:
        tx.run("UPDATE store SET brake_until_ms = ? WHERE brake_kind = 'api'", (now_ms() + 500,))
        until_ms = tx.value("SELECT brake_until_ms FROM store") or now_ms()
        tx.run("UPDATE jobs SET not_before_ms = ? WHERE status = 'queued' AND not_before_ms IS NOT NULL", (until_ms,))


def answered_once(model: ScriptedModel) -> None:
    paid = [(entry.prompt, entry.turn) for entry in model.entries() if entry.what == "answered"]
    assert len(paid) == len(set(paid)), "a turn was paid for twice"


def test_a_usage_limit_parks_all_and_each_goes_on_in_its_own_session(work: AtWork) -> None:
    """Nothing starts before the reset; no try is used up; the banner is nobody's result."""
    resets_s = soon_s()
    turns = meeting(report("{part} is done"), error=usage_limit(resets_s, times=1))
    script = Script((working(turns, name=r"(?P<part>PART \w+)"),))
    with scripted(work, script) as model:
        by_subscription(work)
        work.supervise()
        root, parts = workers(work, "PART one", "PART two")
        work.until(lambda reader: store_state(reader).brake_until_ms, "the brake")
        braked = state(work)
        assert (braked.brake_until_ms, braked.paused_ms) == (resets_s * 1000, None)
        assert "five_hour" in (braked.brake_reason or "")
        cut_the_wait_short(work)
        ended = work.until_ended(root)
        answered_once(model)
        sessions = {entry.prompt: entry.session for entry in model.entries()}
    assert ended.status is Status.COMPLETED
    for number, job_id in enumerate(parts):
        job = work.job(job_id)
        assert (job.status, job.result) == (Status.COMPLETED, f"PART {('one', 'two')[number]} is done")
        assert job.session_id == sessions[job.request]
        with work.store.read() as reader:
            first, last = attempts(reader, job_id)
        assert (first.outcome, first.reason) == ("released", "usage_limit")
        assert last.started_ms >= resets_s * 1000, "nobody starts in vain"
        assert BANNER not in json.dumps([job.result, job.error, job.data])


@pytest.mark.parametrize(("answer", "goes_on"), [("go on when it resets", True), ("stay paused", False)])
def test_a_person_is_asked_once_whether_to_go_on(work: AtWork, answer: str, goes_on: bool) -> None:
    """Policy ``ask``: all stand still until an answer, and then by it."""
    work.set("usage_limit_policy", "ask")
    resets_s = soon_s(2.0)
    turns = meeting(report("done"), error=usage_limit(resets_s, times=1))
    with scripted(work, Script((working(turns),))):
        by_subscription(work)
        work.supervise()
        root, parts = workers(work, "PART one", "PART two")
        work.until(paused, "the pause")
        (ask,) = json.loads(work.orch("asks", "--json").stdout)
        assert "Go on by itself then?" in ask["question"]
        work.wait_for(lambda: not work.processes(), "the end of both workers")
        cut_the_wait_short(work)
        work.orch("answer", str(ask["id"]), answer)
        if goes_on:
            assert work.until_ended(root).status is Status.COMPLETED
        else:
            work.wait_for(lambda: time.time() > resets_s + 0.5, "the reset")
            assert state(work).paused_ms is not None
            assert {work.job(job_id).status for job_id in parts} == {Status.QUEUED}
            work.orch("resume")
            assert work.until_ended(root).status is Status.COMPLETED


def test_an_overloaded_api_is_left_alone_by_all_and_uses_up_no_try(work: AtWork) -> None:
    """One brake, told in one line; every worker goes on in its session, with its only try."""
    with scripted(work, Script((working(meeting(report("done"), error=overloaded(times=1))),))) as model:
        work.supervise()
        root, parts = workers(work, "PART one", "PART two", max_attempts=1)
        work.until(lambda reader: store_state(reader).brake_until_ms, "the brake")
        assert "the API can not be used" in (state(work).brake_reason or "")
        cut_the_wait_short(work)
        assert work.until_ended(root).status is Status.COMPLETED
        answered_once(model)
    for job_id in parts:
        assert outcomes(work, job_id) == [("released", "api_error"), ("completed", None)]
        assert work.job(job_id).tries == 0
    assert work.home.supervisor_log.read_text().count("nothing new starts: ") == 1


@pytest.mark.parametrize("drop_after", [0, 4], ids=["before a word", "in the middle"])
def test_a_stream_that_breaks_off_is_asked_for_again_and_is_no_result(work: AtWork, drop_after: int) -> None:
    """Claude Code does so by itself; what was said until then is nobody's result."""
    turns = meeting(report("the whole of it"), drop_after=drop_after)
    with scripted(work, Script((working(turns),))) as model:
        work.supervise()
        ended = work.until_ended(work.submit("PART alone", Kind.CLAUDE, max_attempts=1))
        assert "dropped" in {entry.what for entry in model.entries()}
    assert (ended.status, ended.result, ended.tries) == (Status.COMPLETED, "the whole of it", 0)


def test_an_api_that_nobody_answers_for_is_left_alone_until_it_answers(work: AtWork) -> None:
    """A connection that is refused in the middle of a session: the same brake, and no try is used up."""
    held = Turn("never said", hold=str(work.project / "never"))
    with scripted(work, Script((working(held),))) as model:
        port = int(model.url.rpartition(":")[2])
        work.supervise()
        root = work.submit("PART alone", Kind.CLAUDE, max_attempts=1)
        work.wait_for(lambda: any(entry.what == "held" for entry in model.entries()), "the second turn")
        model.close()
        work.until(lambda reader: store_state(reader).brake_until_ms, "the brake")
        first = work.job(root)
    with ScriptedModel(Script((working(report("done")),)), port=port):
        cut_the_wait_short(work)
        ended = work.until_ended(root)
    assert (ended.status, ended.result, ended.tries) == (Status.COMPLETED, "done", 0)
    assert ended.session_id == first.session_id
    assert outcomes(work, root) == [("released", "api_error"), ("completed", None)]


def test_a_refused_login_pauses_all_with_one_message_and_resume_goes_on(work: AtWork) -> None:
    """No retries: the model is asked once by each worker that was running, and again only after `orch resume`."""
    with scripted(work, Script((working(meeting(report("done"), error=unauthorized(times=1))),))) as model:
        work.supervise()
        root, parts = workers(work, "PART one", "PART two", max_attempts=1)
        work.until(paused, "the pause")
        work.wait_for(lambda: not work.processes(), "the end of both workers")
        reason = state(work).brake_reason or ""
        assert "the API refuses the account" in reason
        assert reason.endswith("then: orch resume")
        assert reason in work.orch("status").stdout.replace("\n", " ")
        asked = len(model.entries())
        assert {work.job(job_id).status for job_id in parts} == {Status.QUEUED}
        work.orch("resume")
        assert work.until_ended(root).status is Status.COMPLETED
        answered_once(model)
        assert len(model.entries()) > asked
    assert work.home.supervisor_log.read_text().count("nothing new starts: ") == 1


def missing(path: Path) -> None:
    assert not path.exists()


def not_executable(path: Path) -> None:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o600)


def too_old(path: Path) -> None:
    path.write_text(
        '#!/bin/sh\nif [ "$1" = -v ] || [ "$1" = --version ]; then echo "1.0.9 (Claude Code)"; fi\nexit 1\n'
    )
    path.chmod(0o700)


@pytest.mark.parametrize("fault", [missing, not_executable, too_old])
def test_a_claude_code_that_can_not_be_started_pauses_all_and_resume_goes_on(
    work: AtWork, fault: Callable[[Path], None]
) -> None:
    """One message with the way out; mended, the same job goes on with its only try."""
    claude = work.project / "my-claude"
    fault(claude)
    with scripted(work, Script((Role(r"^PART", report("done")),))):
        work.env["ORCH_CLAUDE_PATH"] = str(claude)
        first = work.supervise()
        root = work.submit("PART alone", Kind.CLAUDE, max_attempts=1)
        reason = work.until(paused, "the pause").brake_reason or ""
        assert "1.0.9 (Claude Code) is too old, 2.1.0 is needed" in reason or str(claude) in reason
        assert reason.endswith("then: orch resume")
        first.terminate()
        first.wait()
        del work.env["ORCH_CLAUDE_PATH"]
        work.supervise()
        work.orch("resume")
        ended = work.until_ended(root)
    assert (ended.status, ended.attempt, ended.tries) == (Status.COMPLETED, 2, 0)


def test_a_worker_that_says_nothing_for_too_long_is_ended_with_a_reason_of_its_own(work: AtWork) -> None:
    """Only where a person has set a limit."""
    work.set("idle_timeout_s", 1.5)
    silent = Turn("never said", hold=str(work.project / "never"))
    with scripted(work, Script((working(silent),))):
        work.supervise()
        root = work.submit("PART alone", Kind.CLAUDE, max_attempts=1)
        ended = work.until_ended(root)
    assert (ended.status, ended.reason) == (Status.FAILED, "idle")
    work.wait_for(lambda: not work.processes(), "the end of the worker")


def test_five_workers_that_are_gone_at_once_pause_the_store(work: AtWork) -> None:
    """An installation that is broken burns no more than that; the message says where to look."""
    with work.store.write() as tx:
        tx.run("UPDATE settings SET retry_base_s = 0.01")
    (work.project / "sitecustomize.py").write_text("import os\nif 'ORCH_TOKEN' in os.environ: os._exit(3)\n")
    # Workers that are started anew meet that; those that are forked are killed as soon as they are there.
    broken = [work.project / f"broken-{number}" for number in range(8)]
    for file in broken:
        file.touch()
    work.env["ORCH_ENV_PASS"] = "PYTHONPATH,ORCH_FAILPOINT"
    work.env["PYTHONPATH"] = str(work.project)
    work.env["ORCH_FAILPOINT"] = ",".join(f"after_fork={file}" for file in broken)
    work.supervise()
    roots = [work.submit("echo never") for _ in range(2)]
    reason = work.until(paused, "the pause").brake_reason or ""
    assert reason.startswith("5 workers in a row were gone as soon as they had started")
    assert reason.endswith("then: orch resume")
    work.until(lambda reader: not reader.value("SELECT 1 FROM jobs WHERE status = 'running'"), "the end of both")
    tries = [work.job(root) for root in roots]
    assert sum(job.attempt for job in tries) in (5, 6), "two start side by side"
    assert {job.status for job in tries} == {Status.QUEUED}
    (work.project / "sitecustomize.py").unlink()
    for file in broken:
        file.unlink(missing_ok=True)
    work.orch("resume")
    assert {work.until_ended(root).status for root in roots} == {Status.COMPLETED}
