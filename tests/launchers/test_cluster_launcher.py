"""The cluster's launcher on an engine that fails in every way: the lease decides who lives, and no attempt is blamed wrongly."""

import os
import select
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.home import Home, create_home
from store.needs import Needs
from tests.launchers.conformance import begun, until
from tests.launchers.scripted_engine import ScriptedEngine
from tui_orch.supervisor.engines import conversation
from tui_orch.supervisor.engines.cluster import ClusterLauncher, engine_name
from tui_orch.supervisor.engines.engine import EngineDown, EngineRefusal, EngineState
from tui_orch.supervisor.launcher import Handle, Launcher, Order

PATIENCE_S = 20.0
DOWN = EngineDown("the engine does not answer: nobody there")
LATE = EngineDown("the engine does not answer: timed out", in_doubt=True)
RUNNING = EngineState("running", node="n1")
LOST = EngineState("lost", node="n1", why="its node has died")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def order(job: int = 1, attempt: int = 1, needs: Needs | None = None) -> Order:
    return Order(job, attempt, {"ORCH_TOKEN": f"code-{job}", "ANTHROPIC_API_KEY": "a secret"}, needs=needs)


def name(job: int = 1, attempt: int = 1) -> str:
    return engine_name("a store", job, attempt)


class Bench:
    """A launcher, its engine, and the leases in the store."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.engine = ScriptedEngine()
        self.leases: dict[tuple[int, int], int] = {}
        self.launcher = self.another(self.engine)

    def another(self, engine: ScriptedEngine, *, logs_in_home: bool = False) -> ClusterLauncher:
        return ClusterLauncher(
            engine,
            self.home,
            "a store",
            url="https://head:8000",
            lease_until_ms=lambda job, attempt: self.leases.get((job, attempt)),
            program="/opt/orch/bin/orch",
            needs=Needs(cpus=1, resources={"claude": 1}),
            logs_in_home=logs_in_home,
        )

    def running(self) -> Handle:
        (handle,) = begun(self.launcher, order())
        self.until(lambda: self.engine.submitted)
        self.engine.states[name()] = RUNNING
        looks = self.engine.looks
        self.until(lambda: self.engine.looks > looks + 1)
        return handle

    def until(self, condition: object) -> None:
        assert callable(condition)
        until(condition, "never came", PATIENCE_S)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(conversation, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(conversation, "RETRY_LONGEST_S", 0.05)
    monkeypatch.setattr(conversation, "REFUSED_LONGEST_S", 0.05)
    home = Home(tmp_path / "project" / ".orch")
    create_home(home)
    made = Bench(home)
    yield made
    made.engine.gate.set()
    made.launcher.close()


def is_readable(handle: Handle, seconds: float = PATIENCE_S) -> bool:
    return bool(select.select([handle], [], [], seconds)[0])


def test_it_is_a_launcher(bench: Bench) -> None:
    seam: Launcher = bench.launcher
    assert seam is bench.launcher


def test_an_engine_learns_the_way_to_the_store_and_a_code_and_no_secret(bench: Bench) -> None:
    (handle,) = begun(bench.launcher, order(7, 2, Needs(cpus=4, labels={"zone": "a"})))
    bench.until(lambda: bench.engine.submitted)
    (job,) = bench.engine.submitted
    assert job.name == "a-store-7.2"
    assert job.argv == ("/opt/orch/bin/orch", "worker", "--url", "https://head:8000", "--attempt", "7.2")
    assert job.env == {"ORCH_CLAIM_CODE": "code-7"}
    assert job.needs == Needs(cpus=4, resources={"claude": 1}, labels={"zone": "a"})
    assert job.log_file is None
    assert handle.pid == 0


def test_where_nodes_see_the_store_a_private_log_is_ready_for_them(bench: Bench) -> None:
    engine = ScriptedEngine()
    launcher = bench.another(engine, logs_in_home=True)
    begun(launcher, order())
    bench.until(lambda: engine.submitted)
    launcher.close()
    log = bench.home.attempt_dir(1, 1) / "worker.log"
    assert engine.submitted[0].log_file == log
    assert log.stat().st_mode & 0o777 == 0o600


def test_an_engine_that_is_down_begins_nothing_blames_nobody_and_holds_back(bench: Bench) -> None:
    bench.engine.silent = DOWN
    handles = begun(bench.launcher, order(1), order(2), order(3))
    for job, handle in enumerate(handles, 1):
        assert is_readable(handle)
        assert bench.launcher.holds_back() == f"{DOWN}; nothing new starts until it does"
        assert bench.launcher.bury(handle) is None
        assert not bench.launcher.is_alive(job, 1)
        assert bench.launcher.close_off(job, 1) == "never"
        assert bench.launcher.refusal(job, 1) is None
        assert bench.launcher.lived_ms(job, 1, 10) is None
    bench.engine.silent = None
    bench.until(lambda: bench.launcher.holds_back() is None)
    begun(bench.launcher, order(1, 2))
    bench.until(lambda: bench.engine.submitted)


def test_an_engine_that_answers_but_takes_nothing_is_tried_again_later_and_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "REFUSED_LONGEST_S", 60.0)
    bench.engine.refuses = DOWN
    attempts = 0
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        attempts += 1
        (handle,) = begun(bench.launcher, order(1, attempts))
        assert is_readable(handle)
        bench.launcher.bury(handle)
        bench.until(lambda: bench.launcher.holds_back() is None)
    assert attempts <= 8


def test_a_submission_in_doubt_that_was_taken_lives(bench: Bench) -> None:
    bench.engine.refuses, bench.engine.accepts_all_the_same = LATE, True
    (handle,) = begun(bench.launcher, order())
    bench.until(lambda: bench.engine.submitted and bench.launcher.holds_back() is None)
    assert not bench.launcher.has_ended(handle)
    assert bench.launcher.is_alive(1, 1)


def test_a_submission_in_doubt_that_was_not_taken_never_was(bench: Bench) -> None:
    bench.engine.refuses = LATE
    (handle,) = begun(bench.launcher, order())
    assert is_readable(handle)
    assert bench.launcher.bury(handle) is None
    assert bench.launcher.lived_ms(1, 1, 10) is None


def test_a_refusal_is_told_for_its_attempt_alone(bench: Bench) -> None:
    bench.engine.refuses = EngineRefusal("the engine refuses it: Invalid feature specification")
    (handle,) = begun(bench.launcher, order())
    assert is_readable(handle)
    bench.launcher.bury(handle)
    assert bench.launcher.refusal(1, 1) == "the engine refuses it: Invalid feature specification"
    assert bench.launcher.refusal(1, 2) is None
    assert bench.launcher.holds_back() is None


def test_what_runs_runs_on_while_the_engine_is_silent(bench: Bench) -> None:
    handle = bench.running()
    bench.engine.silent = DOWN
    bench.until(bench.launcher.holds_back)
    looks = bench.engine.looks
    bench.until(lambda: bench.engine.looks > looks + 3)
    assert not bench.launcher.has_ended(handle)
    bench.engine.silent = None
    bench.until(lambda: bench.launcher.holds_back() is None)
    assert not bench.launcher.has_ended(handle)


@pytest.mark.parametrize("news", [LOST, None, EngineState("ended", 1)], ids=["lost", "forgotten", "ended"])
def test_whatever_the_engine_says_a_worker_lives_as_long_as_its_lease(bench: Bench, news: EngineState | None) -> None:
    handle = bench.running()
    bench.leases[1, 1] = now_ms() + 600
    if news is None:
        del bench.engine.states[name()]
    else:
        bench.engine.states[name()] = news
    assert is_readable(handle)
    assert not bench.launcher.has_ended(handle)
    assert not is_readable(handle, 0)  # it is not looked at again and again meanwhile
    assert bench.launcher.is_alive(1, 1)
    assert bench.launcher.close_off(1, 1) == "alive"
    bench.leases[1, 1] += 300  # it was renewed
    while True:
        assert is_readable(handle)
        if bench.launcher.has_ended(handle):
            break
    assert now_ms() >= bench.leases[1, 1]
    assert not bench.launcher.is_alive(1, 1)
    assert bench.launcher.bury(handle) == (1 if news and news.standing == "ended" else None)


def test_a_worker_whose_attempt_is_over_in_the_store_is_gone_with_the_engines_word(bench: Bench) -> None:
    handle = bench.running()
    bench.leases[1, 1] = now_ms() + 600_000
    bench.engine.states[name()] = LOST
    assert is_readable(handle)
    assert not bench.launcher.has_ended(handle)
    del bench.leases[1, 1]  # it has delivered
    assert bench.launcher.has_ended(handle)


def test_a_worker_that_claims_when_it_was_buried_is_taken_over_again(bench: Bench) -> None:
    handle = bench.running()
    bench.engine.states[name()] = LOST
    assert is_readable(handle)
    bench.launcher.bury(handle)
    assert bench.launcher.adopt(1, 1, None) is None
    bench.leases[1, 1] = now_ms() + 600_000
    assert bench.launcher.is_alive(1, 1)
    again = bench.launcher.adopt(1, 1, None)
    assert again is not None
    assert is_readable(again)
    assert not bench.launcher.has_ended(again)


def test_one_that_is_stopped_while_it_waits_for_a_place_is_over_at_once(bench: Bench) -> None:
    (handle,) = begun(bench.launcher, order())
    bench.until(lambda: bench.engine.submitted)
    bench.launcher.stop(handle, kill=False)
    assert is_readable(handle)  # though it is pending still, and begins when its turn comes
    assert bench.engine.stopped == [name()]
    assert bench.launcher.bury(handle) is None
    assert bench.launcher.lived_ms(1, 1, 10) is None


def test_one_that_is_stopped_before_it_was_submitted_never_is(bench: Bench) -> None:
    bench.engine.gate.clear()
    first, second = begun(bench.launcher, order(1), order(2))
    bench.launcher.stop(second, kill=True)
    bench.engine.gate.set()
    assert is_readable(second)  # at once, the first may be on its way still
    begun(bench.launcher, order(3))
    bench.until(lambda: len(bench.engine.submitted) == 2)
    assert [job.name for job in bench.engine.submitted] == [name(1), name(3)]
    assert not bench.launcher.has_ended(first)


def test_a_stop_is_said_again_to_an_engine_that_was_silent(bench: Bench) -> None:
    handle = bench.running()
    bench.engine.silent = DOWN
    bench.launcher.stop(handle, kill=False)
    bench.until(bench.launcher.holds_back)
    bench.engine.silent = None
    bench.until(lambda: bench.engine.stopped == [name()])


def test_a_program_that_ends_at_once_has_lived_and_one_that_never_ran_has_not(bench: Bench) -> None:
    begun_handles = begun(bench.launcher, order(1), order(2))
    bench.until(lambda: len(bench.engine.submitted) == 2)
    bench.engine.states |= {name(1): EngineState("ended", 127), name(2): LOST}
    for handle in begun_handles:
        assert is_readable(handle)
        bench.launcher.bury(handle)
    assert bench.launcher.lived_ms(1, 1, 9_000) == 0
    assert bench.launcher.lived_ms(2, 1, 9_000) is None


def test_an_answer_that_nobody_has_foreseen_is_an_engine_that_is_down(bench: Bench) -> None:
    handle = bench.running()
    bench.engine.silent = KeyError("status")
    bench.until(bench.launcher.holds_back)
    assert "KeyError" in (bench.launcher.holds_back() or "")
    bench.engine.silent = None
    bench.until(lambda: bench.launcher.holds_back() is None)
    assert not bench.launcher.has_ended(handle)


def test_closing_waits_for_no_engine_and_submits_nothing_more(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "_CLOSE_S", 0.01)
    bench.engine.gate.clear()
    handles = begun(bench.launcher, order(1), order(2))
    bench.launcher.close()
    for handle in handles:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(handle.fd)
    bench.engine.gate.set()
    bench.until(lambda: not any(each.name == "orch engine" for each in threading.enumerate()))
    assert [job.name for job in bench.engine.submitted] in ([], [name(1)])  # what was being said is said to its end
