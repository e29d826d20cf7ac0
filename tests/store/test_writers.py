"""Many writers at once: they wait for each other, nobody fails, nothing is lost or half written."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from at_store import AtStore

from store import database
from store.database import Store
from store.errors import StoreBusy
from store.home import Home


@pytest.fixture
def holder(at: AtStore) -> Iterator["subprocess.Popen[str]"]:
    """A foreign program that holds the database's write lock until its input ends."""
    process = subprocess.Popen(
        ["sqlite3", "-batch", str(at.home.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("BEGIN IMMEDIATE;\nSELECT 'held';\n")
    process.stdin.flush()
    assert process.stdout.readline() == "held\n"
    yield process
    process.stdin.close()
    process.wait(30)
    process.stdout.close()


def test_a_store_held_by_another_program_is_busy(
    at: AtStore, holder: "subprocess.Popen[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading goes on; a write gives up after its time, has written nothing, and works later."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    with Store.open(at.home) as store:
        with store.read() as reader:
            assert reader.value("SELECT count(*) FROM jobs") == 0
        with pytest.raises(StoreBusy, match="is locked by another program; nothing was written, try again"):
            AtStore(store).tree()
        assert holder.stdin is not None
        holder.stdin.write("ROLLBACK;\n")
        holder.stdin.close()
        holder.wait(30)
        assert AtStore(store).tree() == 1


def test_a_writer_waits_for_another_programs_short_transaction(at: AtStore, holder: "subprocess.Popen[str]") -> None:
    """That is no error: it has seconds."""
    script = "import sys; from at_store import *; print(AtStore(Store.open(Home(Path(sys.argv[1])))).tree())"
    writer = subprocess.Popen(
        [sys.executable, "-c", script, str(at.home.root)],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 30
    while not holds_write_lock(writer.pid, at.home):
        assert time.monotonic() < end
        assert writer.poll() is None
        time.sleep(0.005)
    assert holder.stdin is not None
    holder.stdin.write("ROLLBACK;\n")
    holder.stdin.flush()
    assert writer.communicate(timeout=30)[0] == "1\n"


def holds_write_lock(pid: int, home: Home) -> bool:
    """Tell whether a process stands first in the queue of writers (its flock is listed by the kernel)."""
    inode = home.write_lock.stat().st_ino
    lines = Path("/proc/locks").read_text().splitlines()
    return any(" FLOCK " in line and f" {pid} " in line and f":{inode} " in line and "->" not in line for line in lines)


MAKER = """
import sys
from pathlib import Path
from store.database import Store
from store.home import Home
sys.stdin.readline()
with Store.open(Home(Path(sys.argv[1])), create=True) as store:
    print(store.store_id)
"""

WRITER = """
import sys
from pathlib import Path
from store.database import Store
from store.home import Home
from store.models import NewJob, NewTree
from store.submit import submit_tree
with Store.open(Home(Path(sys.argv[1]))) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(25):
        with store.write() as tx:
            submit_tree(tx, NewTree(NewJob(f"{sys.argv[2]}-{number}")), 1_000)
"""


def together(script: str, count: int, home: Home, *, ready: bool) -> list[str]:
    """Run ``count`` processes that begin at the same time, and return what each printed; none of them may fail."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(home.root), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    if ready:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    printed = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * count
    return printed


def test_processes_that_make_the_same_store_at_once_make_one(home: Home) -> None:
    """All of them open it, and none finds half of it."""
    identities = together(MAKER, 4, home, ready=False)
    assert len(set(identities)) == 1
    with Store.open(home) as store:
        assert store.store_id == identities[0].strip()
        assert store.schema_differences() == []


def test_eight_writers_at_once_all_get_their_commits(made: Home) -> None:
    """Nobody fails and nothing is lost; how fairly they take turns is measured in benchmarks."""
    together(WRITER, 8, made, ready=True)
    with Store.open(made) as store:
        at = AtStore(store)
        found = at.rows("SELECT request FROM jobs WHERE id > 1 ORDER BY id")
        assert sorted(found) == sorted((f"{writer}-{number}",) for writer in range(8) for number in range(25))
        for writer in range(8):
            own = [request for (request,) in found if request.startswith(f"{writer}-")]
            assert own == [f"{writer}-{number}" for number in range(25)]
        assert at.value("PRAGMA integrity_check") == "ok"


def test_a_killed_writer_leaves_nothing_half_written_and_no_lock(made: Home) -> None:
    """SIGKILL in the middle of a transaction: the next writer goes on at once."""
    script = WRITER.replace("print(", "import os, signal; print(").replace(
        "submit_tree(tx, ", "number == 3 and tx.run(\"INSERT INTO jobs(request) VALUES ('half')\") and os.kill(os.getpid(), signal.SIGKILL); submit_tree(tx, "
    )  # fmt: skip
    writer = subprocess.Popen(
        [sys.executable, "-c", script, str(made.root), "w"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    writer.communicate("go\n", timeout=60)
    assert writer.returncode == -9
    with Store.open(made) as store:
        at = AtStore(store)
        assert [row[0] for row in at.rows("SELECT request FROM jobs")] == ["remember me", "w-0", "w-1", "w-2"]
        assert at.tree() == 5
        assert at.value("PRAGMA integrity_check") == "ok"
