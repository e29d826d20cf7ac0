"""Of a worker on a node nothing outlives its front, its guard or its lease: real processes, real signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from guarded import Guarded
from hostile import until

from tui_orch.worker.remote.guard import KILLED, STOP_GRACE_S, GuardError, run_guarded

#: Seconds after SIGTERM within which all has to be dead; Ray kills the front after 3.
ENGINE_S = 2.5
HOSTILE = ("polite", "ignore_term", "double_fork", "empty_environment", "shell")

Begin = Callable[..., Guarded]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Start a front with this plan; nothing of it is left after the test."""
    begun: list[Guarded] = []

    def start(**plan: Any) -> Guarded:
        begun.append(Guarded(tmp_path / f"front{len(begun)}", **plan))
        return begun[-1]

    yield start
    for each in begun:
        each.sweep()


def killed(guarded: Guarded, *pids: int) -> float:
    """Kill processes and return when that was."""
    at_s = time.monotonic()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return at_s


@pytest.mark.parametrize(
    ("then", "code", "told"),
    [("return", 0, 0), ("return", 7, 7), ("exit", 3, 3), ("exit", None, 0), ("raise", 0, 1), ("crash", 0, KILLED)],
)
def test_the_worker_s_end_is_the_front_s(begin: Begin, then: str, code: int | None, told: int) -> None:
    guarded = begin(then=then, code=code)
    assert guarded.front.wait(30) == told
    assert guarded.is_gone()
    assert ("broken on purpose" in guarded.output.read_text()) == (then == "raise")


@pytest.mark.parametrize("then", ["return", "crash"])
@pytest.mark.parametrize("tricks", [HOSTILE, ("chain",), ("storm",)], ids=["hostile", "chain", "storm"])
def test_what_a_worker_leaves_is_dead_before_its_front_ends(begin: Begin, then: str, tricks: tuple[str, ...]) -> None:
    guarded = begin(then=then, code=5, tricks=tricks)
    assert guarded.front.wait(60) == (5 if then == "return" else KILLED)
    assert guarded.is_gone()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_passed_on_and_a_worker_that_obeys_says_how_it_ended(begin: Begin, number: signal.Signals) -> None:
    guarded = begin(then="obey", tricks=HOSTILE)
    guarded.facts()
    guarded.front.send_signal(number)
    guarded.front.send_signal(number)
    assert guarded.front.wait(30) == 9
    assert guarded.is_gone()
    assert (guarded.folder / "0.bye").exists(), "the polite one could not tidy up"


def test_what_is_started_only_on_sigterm_is_ended_too(begin: Begin) -> None:
    guarded = begin(then="pass_on", tricks=["shell", "shell"])
    guarded.facts()
    guarded.front.terminate()
    assert guarded.front.wait(30) == 9
    assert guarded.is_gone()


@pytest.mark.parametrize("then", ["deaf", "freeze"])
def test_a_worker_that_does_not_obey_is_dead_before_ray_kills_the_front(begin: Begin, then: str) -> None:
    guarded = begin(then=then, tricks=HOSTILE)
    guarded.facts()
    asked_s = time.monotonic()
    guarded.front.terminate()
    assert guarded.front.wait(30) == KILLED
    assert guarded.is_gone()
    assert STOP_GRACE_S <= time.monotonic() - asked_s <= ENGINE_S


@pytest.mark.parametrize(
    ("then", "group"), [("obey", False), ("deaf", True), ("freeze", False)], ids=["obey", "deaf", "freeze"]
)
def test_a_front_that_is_killed_takes_all_with_it(begin: Begin, then: str, group: bool) -> None:
    guarded = begin(then=then, tricks=HOSTILE)
    facts = guarded.facts()
    assert {os.getpgid(facts[who]) for who in ("worker", "guard", "backstop")}.isdisjoint({guarded.front.pid})
    at_s = time.monotonic()
    (os.killpg if group else os.kill)(guarded.front.pid, signal.SIGKILL)
    guarded.front.wait()
    assert guarded.gone_at_s() - at_s <= ENGINE_S
    assert then != "obey" or (guarded.folder / "0.bye").exists(), "the worker was not asked"


@pytest.mark.parametrize("then", ["obey", "deaf", "freeze"])
def test_a_guard_that_is_killed_is_stood_in_for(begin: Begin, then: str) -> None:
    guarded = begin(then=then, tricks=HOSTILE)
    killed(guarded, guarded.facts()["guard"])
    assert guarded.front.wait(30) == KILLED
    assert guarded.is_gone()


@pytest.mark.parametrize(("then", "told"), [("obey", 9), ("deaf", KILLED)])
def test_a_guard_does_not_go_on_without_its_backstop(begin: Begin, then: str, told: int) -> None:
    guarded = begin(then=then, tricks=HOSTILE)
    killed(guarded, guarded.facts()["backstop"])
    assert guarded.front.wait(30) == told
    assert guarded.is_gone()


def test_the_worker_does_not_outlive_both(begin: Begin) -> None:
    guarded = begin(then="freeze")
    facts = guarded.facts()
    os.kill(facts["guard"], signal.SIGSTOP)  # it can not do anything about the other's end
    killed(guarded, facts["backstop"], facts["guard"])
    assert guarded.front.wait(30) == 1
    assert "both guards" in guarded.output.read_text()
    guarded.gone_at_s()


@pytest.mark.parametrize("then", ["obey", "deaf", "freeze"])
def test_all_is_dead_before_the_lease_ends(begin: Begin, then: str) -> None:
    guarded = begin(then=then, tricks=HOSTILE, lease_until=3.0)
    until_s = guarded.facts()["lease_until"]
    assert guarded.gone_at_s() < until_s
    assert guarded.front.wait() == (9 if then == "obey" else KILLED)


@pytest.mark.parametrize("lease_s", [0.5, -1.0])
def test_a_lease_as_good_as_over_ends_all_at_once(begin: Begin, lease_s: float) -> None:
    guarded = begin(then="obey", tricks=["double_fork"], lease_until=lease_s)
    assert guarded.front.wait(30) == KILLED
    assert guarded.is_gone()


def test_a_lease_that_is_renewed_lasts(begin: Begin) -> None:
    guarded = begin(then="renew", times=4, lease_until=3.5, tricks=["double_fork"])
    assert guarded.front.wait(30) == 0
    assert guarded.is_gone()


def test_a_worker_with_nothing_but_its_outcome_may_outlive_the_lease(begin: Begin) -> None:
    guarded = begin(then="deaf", lease_until=2.5, delivering=5.0)
    facts = guarded.facts()
    ended_s = guarded.gone_at_s()
    assert facts["lease_until"] < ended_s < facts["delivering"]
    assert guarded.front.wait() == KILLED


def test_a_worker_that_delivers_is_still_asked_to_stop(begin: Begin) -> None:
    guarded = begin(then="deaf", delivering=60.0)
    guarded.facts()
    at_s = time.monotonic()
    guarded.front.terminate()
    assert guarded.front.wait(30) == KILLED
    assert time.monotonic() - at_s <= ENGINE_S


@pytest.mark.parametrize("trick", ["ignore_term", "double_fork"])
def test_nothing_below_a_worker_outlives_the_lease_whatever_it_says(begin: Begin, trick: str) -> None:
    guarded = begin(then="deaf", tricks=[trick], lease_until=3.0, delivering=60.0)
    assert guarded.gone_at_s() < guarded.facts()["lease_until"]


def test_a_worker_has_nothing_of_its_guard_but_the_line(begin: Begin) -> None:
    """Neither a side of the front's line, which would hide the front's end, nor a signal that is held back."""
    guarded = begin(then="return", code=0)
    facts = guarded.facts()
    assert facts["descriptors"].count("socket") == 1
    assert not [each for each in facts["descriptors"] if each == "anon_inode"]
    assert facts["mask"] == 0
    assert guarded.front.wait(30) == 0


def test_a_stop_is_never_too_early(begin: Begin) -> None:
    """Whenever it comes, the front ends in time and nothing is left."""
    for processes in range(1, 6):
        guarded = begin(then="obey", tricks=["double_fork"])
        until(lambda: len(guarded.left()) >= processes, "never began")  # noqa: B023
        at_s = time.monotonic()
        guarded.front.terminate()
        guarded.front.wait(30)
        assert guarded.gone_at_s() - at_s <= ENGINE_S


def test_what_the_front_had_to_say_is_said_once(tmp_path: Path) -> None:
    """Its children do not print what was in its buffers."""
    script = (
        "from tui_orch.worker.remote.guard import run_guarded\nprint('begun')\n"
        "print(run_guarded(lambda line: print('at work') or 4))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["begun", "at work", "4"]


def test_elsewhere_than_on_linux_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(GuardError, match="needs Linux"):
        run_guarded(lambda _line: 0)
