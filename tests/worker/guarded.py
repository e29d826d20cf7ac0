"""A front with its guards and its worker, for the tests of those: ``python guarded.py PLAN TAG FOLDER`` and a handle on it.

The plan (JSON) says what the worker starts (``tricks`` of ``hostile``, or ``shell``), what it tells its guard, and what it
does ``then``. All processes carry the tag in their command line, their environment, or both.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from hostile import LIFE_S, start, tagged, until

from tui_orch.worker.cookie import VARIABLE, marked_pids
from tui_orch.worker.remote.guard import GuardLine, run_guarded
from tui_orch.worker.stop_signal import StopSignal
from tui_orch.worker.subreaper import ask_descendants, become_subreaper, end_descendants

PROGRAM = Path(__file__)
#: On SIGTERM it starts something in a session of its own, and stays.
_SHELL = 'trap \'setsid sh -c "while :; do sleep 1; done" "$0" & touch "$1.bye"\' TERM; touch "$1"; while :; do sleep 0.05; done'


class Guarded:
    """A front just started, and what can be seen of it and of all that came from it."""

    def __init__(self, folder: Path, **plan: Any) -> None:
        self.folder = folder
        self.tag = str(folder)
        folder.mkdir(exist_ok=True)
        self.output = folder / "output"
        with self.output.open("wb") as output:
            self.front = subprocess.Popen(
                [sys.executable, str(PROGRAM), json.dumps(plan), self.tag, str(folder)],
                env={**os.environ, VARIABLE: self.tag},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def facts(self) -> dict[str, Any]:
        """Return what the worker wrote down when all that it was to start was there."""
        until((self.folder / "facts").exists, "the worker never got so far")
        found: dict[str, Any] = json.loads((self.folder / "facts").read_text())
        return found

    def left(self) -> set[int]:
        """Return all that lives, the front too."""
        return {*tagged(self.tag), *marked_pids(self.tag)}

    def is_gone(self) -> bool:
        """Tell whether nothing lives. Looked at twice: a process may fork behind a single look's back."""
        return not self.left() and not self.left()

    def gone_at_s(self) -> float:
        """Wait until nothing lives, and return when that was (monotonic)."""
        until(self.is_gone, "still there")
        return time.monotonic()

    def sweep(self) -> None:
        """Leave nothing behind, whatever the test found."""
        for pid in self.left():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.front.wait()


def parent_of(pid: int) -> int:
    """Return the parent's pid; 0 if the process is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _work(plan: Mapping[str, Any], tag: str, folder: Path, line: GuardLine) -> int:
    become_subreaper()
    if plan["then"] == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with StopSignal() if plan["then"] in {"obey", "pass_on"} else nullcontext() as stop:
        facts = {"worker": os.getpid(), "guard": os.getppid(), "backstop": parent_of(os.getppid())}
        facts |= {"descriptors": _descriptors(), "mask": len(signal.pthread_sigmask(signal.SIG_BLOCK, ()))}
        for number, trick in enumerate(plan.get("tricks", ())):
            ready = folder / f"{number}.ready"
            if trick == "shell":
                subprocess.Popen(["sh", "-c", _SHELL, tag, str(ready)])
                until(ready.exists, "no shell")
            else:
                start(trick, tag, ready)
        began_s = time.monotonic()
        for word in ("lease_until", "delivering"):
            if word in plan:
                facts[word] = began_s + plan[word]
                getattr(line, word)(facts[word])
        (folder / "facts.new").write_text(json.dumps(facts))
        (folder / "facts.new").rename(folder / "facts")
        return _then(plan, line, stop)


def _then(plan: Mapping[str, Any], line: GuardLine, stop: StopSignal | None) -> int:
    match plan["then"]:
        case "return":
            return int(plan["code"])
        case "exit":
            sys.exit(plan["code"])
        case "raise":
            raise RuntimeError("broken on purpose")
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "freeze":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "renew":
            for _ in range(plan["times"]):
                until_s = time.monotonic() + plan["lease_until"]
                line.lease_until(until_s)
                until(lambda: time.monotonic() > until_s - 2.5, "time stands still")  # noqa: B023
            return 0
    if stop is not None:
        until(lambda: stop.asked, "never asked", LIFE_S)
        if plan["then"] == "obey":
            end_descendants(0.3)
        else:
            ask_descendants()
        return 9
    time.sleep(LIFE_S)
    return 1


def _descriptors() -> list[str]:
    """Return what is open, by what it leads to."""
    folder = Path("/proc/self/fd")
    found = []
    for name in os.listdir(folder):
        with suppress(FileNotFoundError):  # the one that was open for the list
            found.append(os.readlink(folder / name).partition(":")[0])
    return sorted(found)


if __name__ == "__main__":
    sys.exit(run_guarded(partial(_work, json.loads(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))))
