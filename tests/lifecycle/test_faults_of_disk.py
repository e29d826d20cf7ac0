"""A full disk, then freed: what has been done is kept until there is room, and nobody has to start anything again.

The disk is a file system of some megabytes in memory, which needs the right to mount one. Without it the tests that
need a whole disk are left out; that one file can not grow is shown in either case.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from at_work import PATIENCE_S, AtWork, at_work

from store.database import Store
from store.errors import StoreFull, StoreUnusable
from store.home import Home
from store.states import Status
from tests.store.invariants import check
from tui_orch.supervisor.ownership import holder
from tui_orch.worker import lock

MEGABYTES = 6


class SmallDisk:
    """A mounted file system and the file that fills it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, leave_bytes: int = 0) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            size = 65_536
            while size:
                try:
                    size = size if file.write(bytes(size)) == size else size // 2
                except OSError:
                    size //= 2
            if leave_bytes:
                file.truncate(file.tell() - leave_bytes)

    def free(self) -> None:
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=755", "none", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount program")
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield SmallDisk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small(disk: SmallDisk, environment: Mapping[str, str]) -> Iterator[AtWork]:
    """A store on the small disk."""
    with at_work(disk.folder / "project", environment) as running:
        running.set("retry_base_s", 0.05)
        running.set("grace_s", 1.0)
        yield running


def for_a_while(work: AtWork) -> None:
    """Wait for longer than whoever finds the disk full takes between two tries."""
    until = time.monotonic() + 1.2
    work.wait_for(lambda: time.monotonic() > until, "some time")


def command_that_ends_on(go: Path, work: AtWork, say: str) -> str:
    return f"touch {work.env['HOME']}/started; while [ ! -e {go} ]; do sleep 0.02; done; {say}"


def until_it_runs(work: AtWork) -> None:
    work.wait_for((Path(work.env["HOME"]) / "started").exists, "the command")


def test_a_result_waits_in_its_worker_until_there_is_room(small: AtWork, disk: SmallDisk, tmp_path: Path) -> None:
    """Neither the database nor the file beside the attempt can grow. The supervisor waits too, and says why."""
    go = tmp_path / "go"
    root = small.submit(command_that_ends_on(go, small, "echo worth keeping > kept 2>/dev/null; true"), max_attempts=1)
    supervisor = small.supervise()
    until_it_runs(small)
    disk.fill()
    refused = small.orch("submit", "--request", "one more", "--kind", "command", code=1)
    assert "the disk is full; nothing was written" in refused.stderr
    go.touch()
    small.wait_for(lambda: not children_of_commands(small, root), "the end of the command")
    for_a_while(small)
    assert small.processes(), "the worker holds what it has found"
    assert small.job(root).status is Status.RUNNING
    assert supervisor.poll() is None
    disk.free()
    ended = small.until_ended(root)
    assert (ended.status, ended.attempt) == (Status.COMPLETED, 1)
    assert supervisor.poll() is None
    found = holder(small.home)
    assert found is not None
    assert found.pid == supervisor.pid
    later = small.submit("echo as if nothing had been")
    assert small.until_ended(later).status is Status.COMPLETED
    with small.store.read() as reader:
        check(reader)


def test_a_supervisor_on_a_full_disk_waits_and_starts_what_is_queued_when_there_is_room(
    small: AtWork, disk: SmallDisk
) -> None:
    """The start of an attempt is committed before there is a process: without room for it nothing starts."""
    supervisor = small.supervise()
    small.until_ended(small.submit("echo all is well"))
    supervisor.send_signal(signal.SIGSTOP)
    root = small.submit("echo ran", max_attempts=1)
    disk.fill()
    supervisor.send_signal(signal.SIGCONT)
    for_a_while(small)
    assert small.job(root).status is Status.QUEUED
    assert supervisor.poll() is None
    disk.free()
    ended = small.until_ended(root)
    assert (ended.status, ended.attempt) == (Status.COMPLETED, 1)


def test_output_that_fills_the_disk_fails_its_command_alone(small: AtWork, disk: SmallDisk) -> None:
    """It ends by its own error; once there is room its end is recorded and the next job runs."""
    disk.fill(leave_bytes=1_000_000)
    root = small.submit("head -c 50000000 /dev/zero", max_attempts=1)
    supervisor = small.supervise()
    output = small.home.attempt_dir(root, 1) / "output"
    small.wait_for(lambda: output.exists() and output.stat().st_size > 0, "the command at work")
    small.wait_for(lambda: not children_of_commands(small, root), "the end of the command")
    disk.free()
    ended = small.until_ended(root)
    assert (ended.status, ended.reason, ended.attempt) == (Status.FAILED, "exit_code", 1)
    assert small.until_ended(small.submit("echo next")).result == "next\n"
    assert supervisor.poll() is None


def children_of_commands(work: AtWork, job_id: int) -> list[int]:
    """Return the living processes of a job's attempts but for the workers themselves."""
    workers = {lock.holder_pid(folder) for folder in work.home.job_dir(job_id).iterdir()}
    return [pid for pid in work.processes() if pid not in workers]


GROW = """
import resource, sys
from pathlib import Path
from store.database import Store
from store.errors import StoreError
from store.home import Home
from store.models import NewJob, NewTree
from store.submit import submit_tree

with Store.open(Home(Path(sys.argv[1]))) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    for number in range(10_000):
        try:
            with store.write() as tx:
                submit_tree(tx, NewTree(NewJob(f"job {number} " + "x" * 10_000)), 1)
        except StoreError as error:
            print(number, type(error).__name__, error)
            break
"""


def test_a_file_that_can_not_grow_is_told_and_nothing_is_half_written(tmp_path: Path) -> None:
    """A limit on the size of a file, which any user can have: what was acknowledged before it is there."""
    home = Home(tmp_path / ".orch")
    Store.open(home, create=True).close()
    done = subprocess.run(
        [sys.executable, "-c", GROW, str(home.root), "1000000"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
        cwd=Path(__file__).parents[2],
    )
    number, kind, said = done.stdout.split(" ", 2)
    assert kind in (StoreUnusable.__name__, StoreFull.__name__)
    assert str(home.database) in said
    with Store.open(home) as store, store.read() as reader:
        assert reader.value("SELECT count(*) FROM jobs") == int(number) > 0
        check(reader)
        assert reader.value("PRAGMA integrity_check") == "ok"
