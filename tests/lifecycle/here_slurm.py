"""A stand-in for Slurm that really runs what it is given, on this machine: for whole trees of far workers without a cluster.

``with HereSlurm(folder) as slurm`` is its daemon; `sbatch`, `squeue`, `scancel` and `scontrol` in ``slurm.path`` talk to it
through files. A node that is lost is one whose jobs are told as NODE_FAIL, while they run on.
"""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PROGRAMS = ("sbatch", "squeue", "scancel", "scontrol")
_LOOK_S = 0.02
_CALL_S = 10.0
_DOWN = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"


class HereSlurm:
    """The daemon, in a thread of the test: jobs are its children."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.path = folder / "bin"
        self._spool = folder / "spool"
        self._nodes = folder / "nodes"
        self._env = dict(env)
        #: It answers as a Slurm does whose controller is dead; what runs, runs on.
        self.is_down = False
        self._jobs: dict[int, dict[str, Any]] = {}
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._lost: list[subprocess.Popen[bytes]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)
        for made in (self.path, self._spool, self._nodes):
            made.mkdir(parents=True)
        for name in _PROGRAMS:
            program = self.path / name
            program.write_text(
                f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
                f"from here_slurm import main\nsys.exit(main({name!r}, {str(self._spool)!r}))\n"
            )
            program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def __enter__(self) -> "HereSlurm":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for process in (*self._running.values(), *self._lost):
            process.kill()
            process.wait()

    def jobs(self) -> list[dict[str, Any]]:
        """Return what has been submitted: name, state, pid of the process that the engine knows."""
        return [dict(job) for job in self._jobs.values()]

    def lose(self, name: str) -> None:
        """Lose sight of a job, which runs on."""
        for number, job in self._jobs.items():
            if job["name"] == name:
                job["state"] = "NODE_FAIL"
                self._lost.append(self._running.pop(number))

    def _work(self) -> None:
        while not self._ended.wait(_LOOK_S):
            for call in sorted(self._spool.glob("*.call")):
                asked = json.loads(call.read_text())
                call.unlink()
                self._see_ends()
                answer = {"error": _DOWN} if self.is_down else getattr(self, f"_{asked['program']}")(asked)
                _put(call.with_suffix(".answer"), answer)

    def _see_ends(self) -> None:
        for number, process in list(self._running.items()):
            if process.poll() is not None:
                job = self._jobs[number]
                job["code"] = process.returncode
                job["state"] = (
                    "CANCELLED" if job["state"] == "CANCELLED" else "FAILED" if process.returncode else "COMPLETED"
                )
                del self._running[number]

    def _sbatch(self, asked: Mapping[str, Any]) -> Any:
        number = len(self._jobs) + 1
        options = dict(each.partition("=")[::2] for each in asked["arguments"])
        home = self._nodes / f"n{number % 2 + 1}"
        home.mkdir(exist_ok=True)
        script = self._spool / f"{number}.sh"
        script.write_text(asked["input"])
        with open(options["--output"], "ab") as log:
            process = subprocess.Popen(
                ["/bin/sh", str(script)],
                cwd=options["--chdir"],
                env={**self._env, "HOME": str(home)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._running[number] = process
        self._jobs[number] = {"name": options["--job-name"], "state": "RUNNING", "pid": process.pid, "node": home.name}
        return {"out": f"{number}\n"}

    def _squeue(self, asked: Mapping[str, Any]) -> Any:
        names = next(each.partition("=")[2] for each in asked["arguments"] if each.startswith("--name=")).split(",")
        rows = [
            f"{number}|{job['name']}|{job['state']}|None|{job['node']}"
            for number, job in self._jobs.items()
            if job["name"] in names
        ]
        return {"out": "".join(f"{row}\n" for row in rows)}

    def _scancel(self, asked: Mapping[str, Any]) -> Any:
        for number in map(int, asked["arguments"]):
            process = self._running.get(number)
            if process is not None:
                self._jobs[number]["state"] = "CANCELLED"
                process.send_signal(signal.SIGTERM)
        return {"out": ""}

    def _scontrol(self, asked: Mapping[str, Any]) -> Any:
        code = self._jobs[int(asked["arguments"][2])].get("code", 0)
        return {"out": f"JobId=1 ExitCode={max(code, 0)}:{max(-code, 0)}\n"}


def main(program: str, spool: str) -> int:
    """Be one of the programs: hand the call to the daemon and print its answer."""
    call = Path(spool) / f"{time.time_ns()}-{os.getpid()}.call"
    given = sys.stdin.read() if program == "sbatch" else ""
    _put(call, {"program": program, "arguments": sys.argv[1:], "input": given})
    answer, until = call.with_suffix(".answer"), time.monotonic() + _CALL_S
    while not answer.exists():
        if time.monotonic() > until:
            print(_DOWN, file=sys.stderr)
            return 1
        time.sleep(_LOOK_S)
    told = json.loads(answer.read_text())
    answer.unlink()
    print(told.get("out", ""), end="")
    print(told.get("error", ""), end="", file=sys.stderr)
    return 1 if "error" in told else 0


def _put(path: Path, value: Any) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(value))
    new.rename(path)
