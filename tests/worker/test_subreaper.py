"""Ending all that a process has started, however it hides. Each test plays in a Python process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

PRELUDE = """
import os, subprocess, sys, time
from pathlib import Path
import hostile
from hostile import start, tagged, until
from tui_orch.worker import subreaper
from tui_orch.worker.subreaper import become_subreaper, children_of, end_descendants, own_children
tag, ready = sys.argv[1], Path(sys.argv[1])
started = time.monotonic()

def alone():
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False
"""


def play(tmp_path: Path, script: str) -> None:
    """Run the script, whose asserts are the test's, and see that nothing of it is left."""
    tag = tmp_path / "ready"
    run = subprocess.run(
        [sys.executable, "-c", PRELUDE + script, str(tag)],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    "trick", ["sleeper", "ignore_term", "double_fork", "empty_environment", "chain", "storm", "parent_of_polite"]
)
@pytest.mark.parametrize("grace_s", [0, 0.2])
def test_nothing_escapes(tmp_path: Path, trick: str, grace_s: float) -> None:
    play(
        tmp_path,
        f"""
assert become_subreaper()
start({trick!r}, tag, ready)
until(lambda: own_children(), "no children")
assert end_descendants({grace_s}) == []
assert alone()
left = set(tagged(tag)) - {{os.getpid()}}
assert not left, left
""",
    )


def test_a_storm_really_is_one(tmp_path: Path) -> None:
    """The test above would prove nothing if the children were not there."""
    play(
        tmp_path,
        """
assert become_subreaper()
start("storm", tag, ready)
until(lambda: len(tagged(tag)) >= hostile.STORM, "too few")
end_descendants(0)
assert set(tagged(tag)) == {os.getpid()}
""",
    )


def test_a_polite_process_may_tidy_up_and_is_not_waited_for_longer(tmp_path: Path) -> None:
    play(
        tmp_path,
        """
start("polite", tag, ready)
assert end_descendants(50) == []
assert ready.with_suffix(".bye").exists()
assert time.monotonic() - started < 40
""",
    )


def test_sigterm_reaches_a_grandchild_whose_parent_ignores_it(tmp_path: Path) -> None:
    play(
        tmp_path,
        """
start("parent_of_polite", tag, ready)
until(lambda: len(tagged(tag)) == 3, "no grandchild")
assert end_descendants(0.5) == []
assert ready.with_suffix(".bye").exists()
assert alone()
""",
    )


def test_those_to_keep_are_left_alone_with_all_below_them(tmp_path: Path) -> None:
    play(
        tmp_path,
        """
assert become_subreaper()
kept = start("parent", tag, ready)
until(lambda: children_of(kept.pid), "no grandchild")
below = children_of(kept.pid)
ready.unlink()
start("double_fork", tag, ready)
assert end_descendants(0.1, keep=(kept.pid,)) == []
assert own_children() == [kept.pid]
assert children_of(kept.pid) == below
assert set(tagged(tag)) == {os.getpid(), kept.pid, *below}
kept.kill()
assert kept.wait() == -9  # its end was not taken from whoever waits for it
assert end_descendants(0) == []
assert set(tagged(tag)) == {os.getpid()}
""",
    )


def test_the_end_of_one_to_keep_is_left_for_its_owner(tmp_path: Path) -> None:
    play(
        tmp_path,
        """
kept = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"])
os.waitid(os.P_PID, kept.pid, os.WEXITED | os.WNOWAIT)
assert end_descendants(0, keep=(kept.pid,)) == []
assert kept.wait() == 7
""",
    )


def test_the_dead_are_reaped_too(tmp_path: Path) -> None:
    play(
        tmp_path,
        """
pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
assert own_children() == [pid]
assert end_descendants(0) == []
assert alone()
""",
    )


def test_with_nothing_to_end_it_returns_at_once(tmp_path: Path) -> None:
    play(tmp_path, "assert end_descendants(50) == []\nassert time.monotonic() - started < 40")


def test_what_can_not_be_killed_is_given_up_and_named(tmp_path: Path) -> None:
    play(
        tmp_path,
        """
process = start("sleeper", tag, ready)
kill, os.kill = os.kill, lambda pid, number: None  # a process in the kernel's hands takes no signal
assert end_descendants(0, limit_s=0.1) == [process.pid]
kill(process.pid, 9)
process.wait()
""",
    )


def test_a_kernel_without_the_list_of_children_is_good_enough(tmp_path: Path) -> None:
    play(
        tmp_path,
        """
assert become_subreaper()
start("storm", tag, ready)
listed = sorted(own_children())
subreaper._kernel_lists_children = lambda: False
assert sorted(own_children()) == listed
assert children_of(2**22 + 1) == []
assert end_descendants(0) == []
assert alone()
assert set(tagged(tag)) == {os.getpid()}
""",
    )


def test_sigterm_never_goes_to_a_stranger_on_an_old_pid(tmp_path: Path) -> None:
    """The number was found below us, but by the time of the signal it belongs to a process that is not."""
    play(
        tmp_path,
        """
parent = subprocess.Popen(hostile.command("parent_of_polite", tag, ready))
until(ready.exists, "never began")
[stranger] = children_of(parent.pid)
parent.kill()
parent.wait()
until(lambda: subreaper._parent_of(stranger) not in {parent.pid, os.getpid()}, "still below us")
assert not subreaper._terminate(stranger, parent.pid)
assert set(tagged(tag)) == {os.getpid(), stranger}
assert not ready.with_suffix(".bye").exists()
assert not subreaper._terminate(2**22 + 1, os.getpid())  # no such process
assert subreaper._terminate(stranger, subreaper._parent_of(stranger))
until(ready.with_suffix(".bye").exists, "the signal can be seen")
""",
    )
