"""Test hosts on one machine, made of namespaces: they can be cut off the network, killed at once, and made anew.

A host has its own network, processes, host name, /dev/shm, /etc/hosts and one private folder; the other files it
shares with this machine. Its network card hangs on a switch in a namespace that has no way out: no packet of a host
reaches this machine's network. Nothing has a name that could stay behind: namespaces end with their processes, and
these end with the process that made them, however that ends. So nothing here looks for what an earlier run has left.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 30.0
NET = "10.99.8"
_CLONE_NEWNET = 0x40000000
_TOOLS = ("ip", "nsenter", "unshare", "setpriv", "bash")
#: A program of its own that dies with us: the kernel sees to it, also when we are killed.
_WITH_US = ("setpriv", "--pdeathsig", "KILL")
#: The first process of a host: makes the mounts, then reaps what others leave, until it is killed.
_INIT = """
set -e
hostname "$1"
mount --bind "$2" /etc/hosts
mount -t tmpfs -o size=512m tmpfs /dev/shm
mount --bind "$3" "$4"
echo ready
exec </dev/null >/dev/null
trap : TERM INT
while :; do sleep 3600 & wait || :; done
"""


def why_not() -> str | None:
    """Return why this machine can not have test hosts, or None if it can."""
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        return f"test hosts need the programs {', '.join(missing)}"
    if os.geteuid() != 0:
        return "test hosts need root: they are made of namespaces"
    tried = subprocess.run(
        ["unshare", "--net", "--pid", "--fork", "--mount", "--uts", "--ipc", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return None if tried.returncode == 0 else f"no namespaces can be made here: {tried.stderr.strip()}"


def private_folder() -> Path:
    """Return the folder that each host has for itself: one of this machine's that is empty."""
    for folder in (Path("/srv"), Path("/mnt"), Path("/media")):
        if folder.is_dir() and not any(folder.iterdir()):
            return folder
    raise RuntimeError("no empty folder to mount a host's private folder on")


def until(condition: Callable[[], object], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Wait for something that no descriptor tells: look again every 20 ms."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Process:
    """A process on a host, as this machine sees it."""

    pid: int
    command: str


class Spawned:
    """A program that was started on a host and is known by a descriptor, so that signals never hit another."""

    def __init__(self, enter: "subprocess.Popen[bytes]") -> None:
        self._enter = enter
        until(lambda: _children(enter.pid) or enter.poll() is not None, "the program on the host")
        found = _children(enter.pid)
        self.pid = found[0] if found else 0
        self._fd = _pidfd(self.pid) if found else None

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing happens if it has ended."""
        if self._fd is None or self.poll() is not None:
            return
        try:
            signal.pidfd_send_signal(self._fd, number)
        except ProcessLookupError:
            return

    def poll(self) -> int | None:
        """Return how it ended, or None while it runs."""
        return self._enter.poll()

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        """Return how it ended."""
        return self._enter.wait(timeout_s)

    def end(self) -> None:
        """Kill it, and let go of it."""
        self.send_signal(signal.SIGKILL)
        self._enter.wait(PATIENCE_S)
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class Host:
    """One host. It is up until `kill`, and may be made anew with `up`: same name, same address, another life."""

    def __init__(self, name: str, number: int, switch: "_Switch", folder: Path, names: Path) -> None:
        self.name = name
        self.address = f"{NET}.{number}"
        self._number = number
        self._switch = switch
        self._folder = folder / name  # what the private folder of the host holds
        self._names = names
        self._life: subprocess.Popen[bytes] | None = None
        self._init = 0
        self._fd = -1
        self._lives = 0
        self._spawned: list[Spawned] = []

    @property
    def files(self) -> Path:
        """The host's private folder, as seen from outside."""
        return self._folder

    def is_up(self) -> bool:
        return self._life is not None

    def up(self) -> None:
        """Start the host, if it is not up, and plug it in."""
        if self._life is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lives += 1
        spaces = ("--fork", "--pid", "--kill-child=KILL", "--net", "--mount", "--uts", "--ipc", "--mount-proc")
        given = (self.name, self._names, self._folder, private_folder())
        log = self._folder.with_suffix(".log")
        with log.open("wb") as errors:
            life = subprocess.Popen(
                [
                    *_WITH_US,
                    "unshare",
                    *spaces,
                    "--propagation",
                    "private",
                    "bash",
                    "-c",
                    _INIT,
                    "init",
                    *map(str, given),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert life.stdout is not None
        with life.stdout as said:
            ready = said.readline()
        assert ready == b"ready\n", f"host {self.name} did not start: {life.wait(PATIENCE_S)} {log.read_text()}"
        (self._init,) = _children(life.pid)
        self._fd = _pidfd(self._init)
        self._life = life
        self._switch.plug_in(self._port, self._init, self._number)
        for words in (f"addr add {self.address}/24 dev eth0", "link set eth0 up", "link set lo up"):
            _run("nsenter", "-t", str(self._init), "-n", "ip", *words.split())

    def kill(self) -> None:
        """Take its power away: SIGKILL for all on it, at once; its card is gone from the switch."""
        if self._life is None:
            return
        signal.pidfd_send_signal(self._fd, signal.SIGKILL)
        self._life.wait(PATIENCE_S)
        os.close(self._fd)
        self._life = None
        for spawned in self._spawned:
            spawned.end()
        self._spawned.clear()

    def cut(self) -> None:
        """Cut it off: its card still has a link, and nothing comes through any more, nor any error."""
        self._switch.run("link", "set", "dev", self._port, "nomaster")

    def heal(self) -> None:
        """End the cut."""
        self._switch.run("link", "set", "dev", self._port, "master", "sw0")

    def enter(self, argv: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> list[str]:
        """Return what runs a program on the host, with exactly this environment if one is given."""
        assert self._life is not None, f"host {self.name} is dead"
        words = [] if env is None else ["-i", *(f"{name}={value}" for name, value in env.items())]
        chdir = f"--chdir={cwd or Path.cwd()}"
        return ["nsenter", "-t", str(self._init), "-m", "-u", "-i", "-n", "-p", "--", "env", chdir, *words, *argv]

    def run(
        self,
        *argv: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        code: int | None = 0,
        timeout_s: float = 60.0,
        stdin: str = "",
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program on the host to its end."""
        done = subprocess.run(
            self.enter(argv, env, cwd), input=stdin, capture_output=True, text=True, check=False, timeout=timeout_s
        )
        assert code is None or done.returncode == code, f"{argv}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def spawn(self, *argv: str, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Spawned:
        """Start a program on the host; it ends with the host at the latest."""
        with log.open("ab") as out:
            enter = subprocess.Popen(
                [*_WITH_US, *self.enter(argv, env, cwd)], stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        spawned = Spawned(enter)
        self._spawned.append(spawned)
        return spawned

    def processes(self) -> list[Process]:
        """Return what runs on the host, but for its first process."""
        if self._life is None:
            return []
        ours = _link(self._init)
        found = (int(entry) for entry in os.listdir("/proc") if entry.isdigit())
        return [Process(pid, _command(pid)) for pid in found if pid != self._init and _link(pid) == ours]

    def memory_mb(self) -> float:
        """Return how much memory all on the host takes, shared pages by their share."""
        return round(sum(_pss_kb(process.pid) for process in self.processes()) / 1000, 1)

    @contextmanager
    def network(self) -> Iterator[None]:
        """Let this thread, and what it starts, live in the host's network: sockets made within stay there."""
        assert self._life is not None, f"host {self.name} is dead"
        libc = ctypes.CDLL(None, use_errno=True)
        home, there = (os.open(f"/proc/{who}/ns/net", os.O_RDONLY) for who in ("thread-self", str(self._init)))
        try:
            _set_network(libc, there)
            try:
                yield
            finally:
                _set_network(libc, home)
        finally:
            os.close(home)
            os.close(there)

    @property
    def _port(self) -> str:
        return f"{self.name}-{self._lives}"  # the card of an earlier life may still be on its way out


class _Switch:
    """A bridge in a namespace of its own."""

    def __init__(self) -> None:
        self._life = subprocess.Popen([*_WITH_US, "unshare", "--net", "sleep", "infinity"], stdin=subprocess.DEVNULL)
        here = os.readlink("/proc/self/ns/net")
        until(lambda: _link(self._life.pid, "net") not in (here, None), "the switch")
        self.run("link", "add", "name", "sw0", "type", "bridge")
        self.run("link", "set", "dev", "sw0", "up")

    def run(self, *words: str) -> None:
        _run("nsenter", "-t", str(self._life.pid), "-n", "ip", *words)

    def plug_in(self, port: str, init: int, number: int) -> None:
        card = ("type", "veth", "peer", "name", "eth0", "address", f"02:00:00:00:00:{number:02x}", "netns", str(init))
        self.run("link", "add", port, *card)
        self.run("link", "set", "dev", port, "master", "sw0", "up")

    def end(self) -> None:
        self._life.kill()
        self._life.wait(PATIENCE_S)


@contextmanager
def hosts(folder: Path, *names: str) -> Iterator[dict[str, Host]]:
    """Make hosts, with addresses in order; at the end all is killed that runs on them."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / "etc_hosts"
    lines = [f"{NET}.{number} {name}" for number, name in enumerate(names, 1)]
    listed.write_text("\n".join(["127.0.0.1 localhost", *lines, ""]))
    switch = _Switch()
    made = {name: Host(name, number, switch, folder, listed) for number, name in enumerate(names, 1)}
    try:
        for host in made.values():
            host.up()
        yield made
    finally:
        for host in made.values():
            host.kill()
        switch.end()


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr.strip()}"


def _set_network(libc: ctypes.CDLL, fd: int) -> None:
    if libc.setns(fd, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _pidfd(pid: int) -> int:
    return os.pidfd_open(pid)


def _link(pid: int, kind: str = "pid") -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _pss_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 0
