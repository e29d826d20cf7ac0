"""``orch run`` and ``orch submit`` with a real supervisor and real commands: pictures, results, exit codes."""

import codecs
import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from at_orch import PROGRAM, AtOrch

from store.settings import set_setting
from store.states import FINAL, Status
from tui_orch.supervisor.daemon import start_background, stop
from tui_orch.supervisor.ownership import holder


@pytest.fixture
def running(orch: AtOrch) -> Iterator[AtOrch]:
    """A store with a supervisor, quick retries, and an end of both."""
    with orch.store.write() as tx:
        set_setting(tx, "retry_base_s", 0.02)
    start_background(orch.home, exit_when_idle_s=60)
    yield orch
    stop(orch.home)


@pytest.mark.parametrize(
    ("request_text", "code", "out"),
    [
        ("echo found it", 0, "found it\n"),
        ("echo oops; exit 3", 1, "oops\n"),
    ],
)
def test_one_command(running: AtOrch, request_text: str, code: int, out: str) -> None:
    """Its output is the result, on stdout alone; what happened is told on stderr."""
    done = running.process("run", "--kind", "command", "--request", request_text, "--attempts", "1")
    assert (done.code, done.out) == (code, out)
    events = [line for line in done.err.splitlines() if line.startswith("#1 ")]
    assert events[-1].startswith(f"#1 {'completed' if code == 0 else 'failed (exit_code)'} · {request_text}")


def test_a_list_that_fails_in_part(running: AtOrch) -> None:
    """Exit code 3, each child's result, and why the others failed."""
    request = "# Three things\n\n1. echo one\n2. exit 4\n3. echo 三\n"
    (running.project / "three.md").write_text(f"---\nkind: command\nmax_attempts: 1\n---\n{request}")
    done = running.process("run", "three.md")
    assert done.code == 3
    assert done.out == (
        "✔ completed #2 echo one\none\n\n✘ failed (exit_code) #3 exit 4\nexit code 4, without output\n\n"
        "✔ completed #4 echo 三\n三\n"
    )
    assert "#1 waiting for 3 children · Three things" in done.err
    assert running.process("result", "1").out == done.out
    assert running.process("result", "1").code == 3


def test_json_is_one_object_and_nothing_else(running: AtOrch) -> None:
    """The root with its ledger; stderr is silent."""
    done = running.process(
        "run", "-", "--kind", "command", "--json", "--attempts", "1", stdin=b"- [ ] true\n- [ ] false\n"
    )
    found = json.loads(done.out)
    assert (done.code, done.err) == (3, "")
    assert (found["id"], found["parent_id"], found["root_id"], found["depth"]) == (1, None, 1, 0)
    assert (found["kind"], found["status"], found["reason"]) == ("group", "partial", "children_failed")
    assert {"request", "result", "cost_usd", "attempts", "error", "children"} <= set(found)
    assert [(child["id"], child["status"], child["reason"], child["attempts"]) for child in found["ledger"]] == [
        (2, "completed", None, 1),
        (3, "failed", "exit_code", 1),
    ]


def test_a_command_that_spawns_and_waits_finishes_with_one_worker(running: AtOrch) -> None:
    """Three levels through ``orch spawn --wait``, each lending the slot."""
    inner = "orch spawn --wait --kind command 'echo leaf' && echo inner done"
    (running.project / "inner.sh").write_text(inner)
    request = "orch spawn --wait -- sh inner.sh && echo outer done"
    done = running.process("run", "--kind", "command", "--request", request, "--max-workers", "1", "--timeout", "25")
    assert (done.code, done.out.splitlines()[-1]) == (0, "outer done"), done.err
    tree = json.loads(running.process("tree", "1", "--json").out)
    assert [(job["depth"], job["status"]) for job in tree] == [(0, "completed"), (1, "completed"), (2, "completed")]


def test_submit_prints_the_id_and_goes(running: AtOrch) -> None:
    """So does ``run --detach``; ``wait`` has the exit code."""
    first = running.process("submit", "--kind", "command", "--request", "exit 1", "--attempts", "1")
    second = running.process("run", "--detach", "--kind", "command", "--request", "true", "--json")
    assert (first.code, first.out, first.err) == (0, "1\n", "")
    assert json.loads(second.out)["id"] == 2
    assert running.process("wait", "1").code == 1
    assert running.process("wait", "1", "2").code == 3
    assert running.process("wait", "2").code == 0


def test_a_supervisor_is_started_where_none_runs(orch: AtOrch) -> None:
    """One that ends by itself; the store is made for it, and the tree works where the caller is."""
    try:
        done = orch.process("run", "--kind", "command", "--request", "pwd")
        assert (done.code, done.out) == (0, f"{orch.project}\n"), done.err
        assert holder(orch.home) is not None
    finally:
        stop(orch.home)


def test_submit_starts_none_when_told_not_to(orch: AtOrch) -> None:
    """The tree lies there until somebody runs it."""
    assert orch.process("submit", "--request", "x", "--no-supervisor").code == 0
    assert holder(orch.home) is None
    assert orch.job(1).status is Status.QUEUED


WAITS = "touch begun; until test -e go; do sleep 0.05; done"


def test_run_starts_a_new_supervisor_when_the_old_one_is_killed(running: AtOrch) -> None:
    """Whoever waits for the tree keeps it going."""
    with running.start_process("run", "--kind", "command", "--request", WAITS) as run:
        # With its worker at work: one that has not taken its lock yet would be started anew, and nothing be lost.
        running.until((running.project / "begun").exists, "the start")
        first = holder(running.home)
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        running.until(
            lambda: (found := holder(running.home)) is not None and found.pid not in (0, first.pid), "another"
        )
        (running.project / "go").touch()
        run.communicate(timeout=25)
    assert run.returncode == 0
    assert running.job(1).attempt == 1, "nothing ran twice"


def test_ctrl_c_leaves_the_tree_running(running: AtOrch) -> None:
    """Exit code 130, and the way to it is told."""
    with running.start_process("run", "--kind", "command", "--request", WAITS) as run:
        # With its worker at work: one that has not taken its lock yet would be started anew, and nothing be lost.
        running.until((running.project / "begun").exists, "the start")
        assert run.stderr is not None
        while "running" not in run.stderr.readline():
            pass
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=20)
    assert run.returncode == 130
    assert "tree #1 goes on" in err
    assert "orch cancel 1" in err
    assert running.job(1).status is Status.RUNNING
    (running.project / "go").touch()
    running.until(lambda: running.job(1).status in FINAL, "the end")
    assert running.job(1).status is Status.COMPLETED


def on_terminal(orch: AtOrch, *arguments: str, at_piece: Callable[[str], None] = lambda _: None, **env: str) -> str:
    """Run ``orch`` on a terminal of its own until it ends well; return all that it has written there."""
    screen, terminal = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, *arguments],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm", **env},
        cwd=orch.project,
    ) as program:
        os.close(terminal)
        shown = ""
        decode = codecs.getincrementaldecoder("utf-8")().decode
        with suppress(OSError):  # the terminal ends with the program
            while piece := os.read(screen, 65_536):
                shown += decode(piece)
                at_piece(shown)
        os.close(screen)
        assert program.wait(20) == 0, shown
    return shown


def test_on_a_terminal_the_tree_is_drawn_in_place(running: AtOrch) -> None:
    """It is redrawn, coloured, gone at the end, and the whole tree and the result stay."""

    def go_on(shown: str) -> None:
        if "✔ completed\x1b[0m #2" in shown and "● running\x1b[0m #3" in shown:
            (running.project / "go").touch()

    request = "1. echo 'あ'\n2. until test -e go; do sleep 0.02; done\n"
    text = on_terminal(running, "run", "--kind", "command", "--request", request, at_piece=go_on)
    assert "\x1b[36m● running\x1b[0m #3" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1, "the cursor is back"
    last = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text.rpartition("\x1b[2K")[2]).replace("\r", "")
    assert re.match(r"✔ completed #1 .*2/2\n├─ ✔ completed #2 .*\n└─ ✔ completed #3 .*\n\n✔ completed #2", last), last


def test_no_color_means_no_colour(running: AtOrch) -> None:
    """The picture stays."""
    text = on_terminal(running, "run", "--kind", "command", "--request", "true", NO_COLOR="1")
    assert "✔ completed #1" in text
    assert not re.search(r"\x1b\[[0-9;]*m", text)
    assert "\x1b[36m" not in text


def test_cancel_asks_first_on_a_terminal(orch: AtOrch) -> None:
    """With the number of jobs that it ends."""
    fence = orch.start(orch.tree("the whole"))
    orch.spawn(fence, "one", "two")
    screen, terminal = pty.openpty()
    for said, code, status in ((b"n\n", 1, Status.RUNNING), (b"y\n", 0, Status.RUNNING)):
        with subprocess.Popen([PROGRAM, "cancel", "1"], stdin=terminal, stdout=terminal, stderr=terminal) as program:
            question = ""
            while not question.endswith("[y/N]: "):
                question += os.read(screen, 1_000).decode()
            assert "#1 (the whole) and 2 open jobs below it" in question
            assert orch.job(2).status is Status.QUEUED
            os.write(screen, said)
            assert program.wait(20) == code
        assert orch.job(1).status is status
    assert orch.job(1).stop_reason == "cancelled"
    assert orch.job(2).status is Status.CANCELLED
    os.close(terminal)
    os.close(screen)
