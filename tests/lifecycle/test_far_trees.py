"""Whole trees whose workers are away from the store: `orch serve` with an engine, the API between, nodes of their own.

The engine is a stand-in on this machine (``here_slurm``) behind the real Slurm launcher; tests/cluster has the real ones.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from here_slurm import HereSlurm
from scripted import report, scripted, spawn

from store.control import cancel
from store.database import Reader
from store.states import Kind, Status
from store.tree import attempts
from tests.lifecycle.at_work import now_ms
from tests.served import Served
from tests.store.invariants import check
from tui_orch.demo.script import Role, Script

pytestmark = pytest.mark.timeout(180)
ORCH = str(Path(sys.executable).with_name("orch"))
#: Seconds. The shortest, for who waits for its end; one that outlasts the start of a head on a busy machine.
SHORT_LEASE_S, LONG_LEASE_S = 5, 90


class Far(Served):
    """A store whose workers run in `HereSlurm`."""

    slurm: HereSlurm
    port: int

    def serve_far(self) -> None:
        process = self.serve(self.port)
        assert process.poll() is None


@pytest.fixture
def far(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Far]:
    home = tmp_path / "home"
    home.mkdir()
    base = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb"}
    with HereSlurm(tmp_path / "slurm", base) as slurm:
        running = Far(tmp_path / "project", {**base, "PATH": f"{slurm.path}:{base['PATH']}"})
        running.slurm = slurm
        running.port = _free_port()
        running.set("retry_base_s", 0.05)
        running.set("grace_s", 3.0)
        lines = [
            "[launcher]",
            'kind = "slurm"',
            f'url = "http://127.0.0.1:{running.port}"',
            f"lease_s = {getattr(request, 'param', LONG_LEASE_S)}",
            f'program = "{ORCH}"',
        ]
        (running.home.root / "config.toml").write_text("\n".join(lines) + "\n")
        try:
            running.serve_far()
            yield running
        finally:
            running.end()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_a_tree_of_three_levels_ends_right(far: Far) -> None:
    leaf = "orch spawn --wait 'echo leaf' --kind command"
    root = far.submit(f'orch spawn --wait --kind command "{leaf}" "{leaf}"')
    ended = far.until_ended(root, timeout_s=120)
    assert ended.status is Status.COMPLETED, far.describe()
    jobs = far.jobs(root)
    assert sorted(job.depth for job in jobs) == [0, 1, 1, 2, 2]
    with far.store.read() as reader:
        hosts = {attempt.host for job in jobs for attempt in attempts(reader, job.id)}
        check(reader)
    assert hosts == {os.uname().nodename}
    assert len(far.slurm.jobs()) == 5


@pytest.mark.real_cli
def test_a_tree_of_claude_code_workers_ends_right(far: Far) -> None:
    script = Script(
        (
            Role(r"^LEAF", report("the leaf is found")),
            Role(r"^SPLITS", (spawn("LEAF of the tree"), *report("split and done"))),
            Role(r"^ROOT", (spawn("SPLITS once more", "LEAF beside"), *report("all is well"))),
        )
    )
    with scripted(far, script) as model:
        far.kill(far.supervisors[-1])  # the next one has the keys in its environment
        far.serve_far()
        root = far.submit("ROOT of it all", Kind.CLAUDE)
        ended = far.until_ended(root, timeout_s=150)
        assert (ended.status, ended.result) == (Status.COMPLETED, "all is well"), far.describe()
        answered = [(entry.prompt, entry.turn) for entry in model.entries() if entry.what == "answered"]
    assert len(answered) == len(set(answered)), "no turn was paid for twice"


def test_a_cancelled_branch_leaves_no_process(far: Far) -> None:
    child = "(setsid sh -c 'trap \"\" TERM; while :; do sleep 0.1; done' &) ; trap '' TERM; while :; do sleep 0.1; done"
    (far.project / "child.sh").write_text(child)
    root = far.submit("orch spawn --wait --kind command 'sh child.sh'")
    job_id = far.until(
        lambda reader: reader.value("SELECT id FROM jobs WHERE depth = 1 AND status = 'running'"), "a child"
    )
    far.wait_for(lambda: len([pid for pid in far.processes() if _says(pid, "sleep 0.1")]) >= 2, "what it starts")
    with far.store.write() as tx:
        cancel(tx, job_id, now_ms())
    ended = far.until_ended(root)
    assert ended.own_status is not None
    far.wait_for(lambda: not far.processes(), "the end of all processes")


@pytest.mark.parametrize("far", [SHORT_LEASE_S], indirect=True)
def test_what_the_engine_has_lost_is_tried_again_when_its_lease_has_ended(far: Far) -> None:
    beat = "echo $$ > pid; while :; do echo $ORCH_ATTEMPT_ID $(cut -d' ' -f1 /proc/uptime) >> beats; test -e go && exit 0; sleep 0.05; done"
    (far.project / "beat.sh").write_text(beat)
    root = far.submit("exec sh beat.sh")
    far.wait_for((far.project / "beats").exists, "its first beat")
    beating = int((far.project / "pid").read_text())
    os.kill(_parent(beating), signal.SIGSTOP)  # its worker renews its lease no more, as on a node without a network
    far.slurm.lose(far.slurm.jobs()[0]["name"])
    far.until(lambda reader: _attempt(reader, root) == 2, "the second attempt")
    far.wait_for(lambda: f"{root}.2 " in (far.project / "beats").read_text(), "its first beat")
    (far.project / "go").touch()
    assert far.until_ended(root).status is Status.COMPLETED
    beats = [line.split() for line in (far.project / "beats").read_text().splitlines()]
    last = max(float(at) for attempt, at in beats if attempt == f"{root}.1")
    first = min(float(at) for attempt, at in beats if attempt == f"{root}.2")
    assert last < first


def test_a_killed_head_adopts_what_runs(far: Far) -> None:
    (far.project / "hold.sh").write_text("until test -e go; do sleep 0.05; done; echo held")
    root = far.submit("orch spawn --wait --kind command 'sh hold.sh'")
    far.until(
        lambda reader: reader.value("SELECT 1 FROM attempts WHERE job_id > 1 AND claimed_ms IS NOT NULL"), "a child"
    )
    far.kill(far.supervisors[-1])
    far.serve_far()
    (far.project / "go").touch()
    assert far.until_ended(root, timeout_s=90).status is Status.COMPLETED, far.describe()
    assert [job.attempt for job in far.jobs(root)] == [1, 1]


def test_while_the_engine_is_down_one_line_says_so_and_what_runs_runs_on(far: Far) -> None:
    (far.project / "hold.sh").write_text("until test -e go; do sleep 0.05; done; echo held")
    first = far.submit("sh hold.sh")
    far.wait_for(far.processes, "its command")
    far.slurm.is_down = True
    second = far.submit("echo later")
    far.wait_for(lambda: "nothing new starts: Slurm does not answer" in far.orch("status").stdout, "the line")
    (far.project / "go").touch()
    assert far.until_ended(first).status is Status.COMPLETED
    assert far.job(second).status in (Status.QUEUED, Status.RUNNING)
    far.slurm.is_down = False
    ended = far.until_ended(second)
    assert (ended.status, ended.tries) == (Status.COMPLETED, 0), far.describe()
    far.wait_for(lambda: "nothing new starts" not in far.orch("status").stdout, "the end of the line")


@pytest.mark.parametrize("far", [SHORT_LEASE_S], indirect=True)
def test_an_outcome_waits_for_a_head_that_comes_back_after_the_lease(far: Far) -> None:
    (head,) = far.supervisors
    root = far.submit(f"kill -9 {head.pid}; echo held")
    far.wait_for(lambda: head.poll() is not None, "the end of the head, at the command's first instant")
    far.wait_for(lambda: not far.processes(), "the end of its command")
    over_s = time.monotonic() + SHORT_LEASE_S + 1
    far.wait_for(lambda: time.monotonic() > over_s, "the end of its lease")
    far.serve_far()
    ended = far.until_ended(root)
    assert (ended.status, ended.result, ended.attempt) == (Status.COMPLETED, "held\n", 1), far.describe()


def _attempt(reader: Reader, job_id: int) -> int:
    return int(reader.value("SELECT attempt FROM jobs WHERE id = ?", (job_id,)) or 0)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _says(pid: int, text: str) -> bool:
    try:
        return text in Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return False
