"""The test hosts themselves: what they share, what they do not, and that nothing of them stays."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.hosts import Host, hosts, private_folder, until

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Host]]:
    with hosts(tmp_path_factory.mktemp("hosts"), "head", "n1", "n2") as made:
        yield made


def reaches(here: Host, there: Host, port: int, timeout_s: float = 0.5) -> bool:
    try:
        with here.network(), socket.create_connection((there.address, port), timeout_s):
            return True
    except OSError:
        return False


def test_hosts_have_names_and_folders_of_their_own_and_share_the_rest(three: dict[str, Host], tmp_path: Path) -> None:
    for name in ("n1", "n2"):
        three[name].run("sh", "-c", f"hostname > {tmp_path / name}; hostname > {private_folder() / 'own'}")
    assert [(tmp_path / name).read_text() for name in ("n1", "n2")] == ["n1\n", "n2\n"]
    assert [(three[name].files / "own").read_text() for name in ("n1", "n2")] == ["n1\n", "n2\n"]
    assert not (private_folder() / "own").exists()


def test_hosts_see_each_other_and_nothing_else(three: dict[str, Host]) -> None:
    with three["head"].network(), socket.create_server((three["head"].address, 0)) as server:
        port = server.getsockname()[1]
    with three["head"].network(), socket.create_server((three["head"].address, port)):
        assert reaches(three["n1"], three["head"], port)
        with pytest.raises(OSError, match="unreachable"), three["n1"].network():
            socket.create_connection(("192.0.2.1", 80), 1.0).close()
    assert os.listdir("/sys/class/net"), "this process is back where it was"


def test_a_host_that_is_cut_off_hears_nothing_until_it_is_healed(three: dict[str, Host]) -> None:
    head, other = three["head"], three["n1"]
    with head.network():
        server = socket.create_server((head.address, 0))
    with server:
        port = server.getsockname()[1]
        assert reaches(other, head, port)
        other.cut()
        assert not reaches(other, head, port)
        assert reaches(three["n2"], head, port), "the others go on"
        other.heal()
        until(lambda: reaches(other, head, port), "the way back")


def test_a_killed_host_takes_all_with_it_and_can_be_made_anew(three: dict[str, Host], tmp_path: Path) -> None:
    host = three["n2"]
    host.run("sh", "-c", "exec >/dev/null 2>&1; setsid sleep 7711 & (setsid sleep 7712 &)")
    host.spawn("sleep", "7713", log=tmp_path / "log")
    pids = [process.pid for process in host.processes() if "sleep 771" in process.command]
    assert len(pids) == 3
    host.kill()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "the end of all on it")
    host.up()
    assert host.run("hostname").stdout == "n2\n"
    with host.network():
        server = socket.create_server((host.address, 0))
    with server:
        until(lambda: reaches(three["head"], host, server.getsockname()[1]), "its address")


def test_what_runs_on_a_host_gets_signals_by_descriptor(three: dict[str, Host], tmp_path: Path) -> None:
    program = three["n1"].spawn("sh", "-c", "trap 'echo asked; exit 3' TERM; sleep 300 & wait", log=tmp_path / "log")
    until(lambda: any("sleep 300" in each.command for each in three["n1"].processes()), "its child")
    program.send_signal(signal.SIGTERM)
    assert program.wait() == 3
    assert (tmp_path / "log").read_text() == "asked\n"


def test_hosts_end_with_whoever_made_them_even_by_kill_9(tmp_path: Path) -> None:
    """No namespace has a name, and no process lives on."""
    maker = (
        "import sys, time\nfrom pathlib import Path\nfrom tests.cluster.hosts import hosts\n"
        "with hosts(Path(sys.argv[1]), 'a', 'b') as made:\n"
        "    made['a'].run('sh', '-c', 'exec >/dev/null 2>&1; (setsid sleep 7721 &)')\n"
        "    made['b'].spawn('sleep', '7722', log=Path(sys.argv[1]) / 'log')\n"
        "    pids = [p.pid for host in made.values() for p in host.processes()]\n"
        "    print(*pids, flush=True)\n    time.sleep(300)\n"
    )
    with subprocess.Popen([sys.executable, "-c", maker, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pids = process.stdout.readline().split()
        process.kill()
    assert len(pids) >= 2
    until(lambda: not any(Path(f"/proc/{int(pid)}").exists() for pid in pids), "the end of all hosts")
