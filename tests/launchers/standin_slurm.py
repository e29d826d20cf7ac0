"""The programs of Slurm, played from recorded answers: ``python standin_slurm.py FOLDER PROGRAM ARGUMENTS``.

Their state is ``FOLDER/state.json``. A job is pending, runs, and ends as its part, the claim code in its script, says:
``fail``: exit 7; ``stay``: runs until it is cancelled; any other: stays as a test has put it (`show`). What is in
``FOLDER/trouble`` (``ctld_down``, ``munge_down``, ``late``) ails them all.
"""

import fcntl
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.launchers.recorded_answers import Told, slurm  # noqa: E402 - found by the line above

PROGRAMS = ("sbatch", "squeue", "scancel", "scontrol")
_ROW = re.compile(r"^\d+\|[^|]*\|(.*)$", re.MULTILINE)
#: Where a row of such a state was recorded: the file, and which row of it.
_RECORDED = {
    "PENDING": ("squeue_pending", 0),
    "RUNNING": ("squeue_pending", 1),
    "FAILED": ("squeue_ends", 3),
    "KILLED": ("squeue_ends", 4),
    "COMPLETED": ("squeue_ends", 1),
    "CANCELLED": ("squeue_cancelled", 0),
    "NODE_FAIL": ("squeue_node_fail", 0),
}
_NEXT = {("fail", "PENDING"): "RUNNING", ("fail", "RUNNING"): "FAILED", ("stay", "PENDING"): "RUNNING"}
_DOWN = {
    "ctld_down": {
        "sbatch": "ctld_down_sbatch___parsable",
        "scancel": "ctld_down_scancel_16",
        "squeue": "ctld_down_squeue__h",
    },
    "munge_down": {"sbatch": "munge_down_sbatch", "squeue": "munge_down_squeue"},
}


def install(folder: Path, python: str) -> Path:
    """Put the programs in a folder for PATH, and return it."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    for name in PROGRAMS:
        path = programs / name
        path.write_text(f'#!/bin/sh\nexec "{python}" -I "{Path(__file__)}" "{folder}" {name} "$@"\n')
        path.chmod(0o755)
    return programs


@contextmanager
def state(folder: Path) -> Iterator[dict[str, Any]]:
    """Hold the state, and write what the block has made of it."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = folder / "state.json"
        held = json.loads(path.read_text()) if path.exists() else {"jobs": [], "calls": []}
        yield held
        path.write_text(json.dumps(held))


def show(folder: Path, name: str, state_of_it: str) -> None:
    """Let a job be so."""
    with state(folder) as held:
        for job in held["jobs"]:
            if job["name"] == name:
                job["state"], job["part"] = state_of_it, ""


def play(folder: Path, program: str, arguments: list[str], script: str) -> Told:
    """Return what the program says."""
    trouble_path = folder / "trouble"
    trouble = trouble_path.read_text() if trouble_path.exists() else ""
    with state(folder) as held:
        held["calls"].append([program, *arguments])
        if trouble == "late" and program == "sbatch":  # it was accepted, but the answer is lost
            _submit(held, arguments, script)
            down = slurm("ctld_down_sbatch___parsable")
            said = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n"
            return Told(down.code, "", said)
        if program in _DOWN.get(trouble, {}):
            return slurm(_DOWN[trouble][program])
        match program:
            case "sbatch":
                return _submit(held, arguments, script)
            case "squeue":
                return _rows(held, arguments)
            case "scancel":
                return _cancel(held, arguments)
            case _:
                return _shown(held, arguments)


def _submit(held: dict[str, Any], arguments: list[str], script: str) -> Told:
    if not script.startswith("#!"):
        return slurm("sbatch_no_shebang")
    if "--gres=nope:1" in arguments:
        return slurm("sbatch_bad_gres")
    if "--constraint=nowhere" in arguments:
        return slurm("sbatch_bad_constraint")
    told = slurm("sbatch_stdin_export_nil")
    name = next(each for each in arguments if each.startswith("--job-name=")).removeprefix("--job-name=")
    part = re.search(r"^export ORCH_CLAIM_CODE=(\w+)$", script, re.MULTILINE)
    assert part is not None
    number = len(held["jobs"]) + int(told.stdout)
    held["jobs"].append({"id": number, "name": name, "part": part[1], "state": "PENDING", "script": script})
    return Told(told.code, f"{number}\n", told.stderr)


def _rows(held: dict[str, Any], arguments: list[str]) -> Told:
    assert arguments[-1] == "--format=%i|%j|%T|%r|%N", arguments
    (names,) = [each.removeprefix("--name=").split(",") for each in arguments if each.startswith("--name=")]
    lines = []
    for job in held["jobs"]:
        if job["name"] in names:
            file, row = _RECORDED[job["state"]]
            rest = _ROW.findall(slurm(file).stdout)[row]
            lines.append(f"{job['id']}|{job['name']}|{rest}\n")
            job["state"] = _NEXT.get((job["part"], job["state"]), job["state"])
    return Told(0, "".join(lines), "")


def _cancel(held: dict[str, Any], arguments: list[str]) -> Told:
    for job in held["jobs"]:
        if str(job["id"]) in arguments and job["state"] in {"PENDING", "RUNNING"}:
            job["state"] = "CANCELLED"
    return slurm("scancel_running")


def _shown(held: dict[str, Any], arguments: list[str]) -> Told:
    job = next((job for job in held["jobs"] if str(job["id"]) in arguments), None)
    if job is None:
        return slurm("scontrol_show_unknown")
    return slurm("scontrol_show_signal9" if job["state"] == "KILLED" else "scontrol_show_failed7")


if __name__ == "__main__":
    told = play(Path(sys.argv[1]), sys.argv[2], sys.argv[3:], sys.stdin.read() if sys.argv[2] == "sbatch" else "")
    sys.stdout.write(told.stdout)
    sys.stderr.write(told.stderr)
    sys.exit(told.code)
