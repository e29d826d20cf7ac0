"""Programs that do not want to end, for the tests of those that end them: ``python hostile.py TRICK TAG READY``.

TAG stands in the command line of all its processes, so that a test can count them; READY is the file that it makes when
the trick is in place. Each ends by itself after LIFE_S, should a test fail to end it.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

LIFE_S = 60.0
STORM = 300
PROGRAM = Path(__file__)


def command(trick: str, tag: str, ready: Path) -> list[str]:
    """Return the argv that plays a trick."""
    return [sys.executable, str(PROGRAM), trick, tag, str(ready)]


def start(trick: str, tag: str, ready: Path, env: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """Play a trick, and return when it is in place."""
    process = subprocess.Popen(command(trick, tag, ready), env=env)
    until(ready.exists, f"{trick} never began")
    return process


def tagged(tag: str) -> list[int]:
    """Return the living processes with the tag in their command line."""
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if tag in _arguments(folder)]


def until(condition: Callable[[], object], otherwise: str, seconds: float = 30.0) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(otherwise)
        time.sleep(0.01)


def _arguments(folder: Path) -> list[str]:
    try:
        return (folder / "cmdline").read_text(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _stay(ready: Path | None) -> None:
    if ready:
        ready.touch()
    time.sleep(LIFE_S)
    os._exit(0)


def _ignore_signals() -> None:
    for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)


def sleeper(ready: Path) -> None:
    """Do nothing."""
    _stay(ready)


def ignore_term(ready: Path) -> None:
    """Take no notice of SIGTERM."""
    _ignore_signals()
    _stay(ready)


def polite(ready: Path) -> None:
    """Tidy up on SIGTERM: make the file READY.bye."""

    def tidy(*_: object) -> None:
        ready.with_suffix(".bye").touch()
        os._exit(0)

    signal.signal(signal.SIGTERM, tidy)
    _stay(ready)


def parent_of_polite(ready: Path) -> None:
    """Ignore SIGTERM oneself, and have a polite child in a session of its own."""
    _ignore_signals()
    subprocess.Popen(command("polite", sys.argv[2], ready), start_new_session=True)
    _stay(None)


def double_fork(ready: Path) -> None:
    """Leave a grandchild in a session of its own, whose parents are dead."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            _ignore_signals()
            _stay(ready)
    os._exit(0)


def empty_environment(ready: Path) -> None:
    """The same, without an environment."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve(sys.executable, command("ignore_term", sys.argv[2], ready), {})
    os._exit(0)


def chain(ready: Path) -> None:
    """Fork and die, fork and die: whoever is seen is dead when it is looked at."""
    end = time.monotonic() + LIFE_S
    links = 0
    while time.monotonic() < end:
        if os.fork():
            os._exit(0)
        links += 1
        if links == 5:
            ready.touch()


def storm(ready: Path) -> None:
    """Many children and grandchildren, half of them in sessions of their own."""
    for number in range(STORM // 2):
        if os.fork() == 0:
            if number % 2:
                os.setsid()
            os.fork()
            _ignore_signals()
            _stay(None)
    _stay(ready)


def parent(ready: Path) -> None:
    """Have one child, which makes READY."""
    subprocess.Popen(command("sleeper", sys.argv[2], ready))
    _stay(None)


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[3]))
