"""Workers as batch jobs of a Slurm cluster, by its programs ``sbatch``, ``squeue``, ``scontrol`` and ``scancel``.

Knows Slurm's words and traps: names are not unique, an unknown name is no error, and exit 1 is said for a controller that
is down and for a request that is wrong alike, so the text has to tell.
"""

import math
import os
import re
import shlex
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tui_orch.supervisor.engines.engine import EngineDown, EngineJob, EngineRefusal, EngineState, Standing

#: Seconds that one program may take: with the controller down some try for 19 s before they say so.
CALL_S = 30.0
#: What a worker gets at least where nobody says: without a number, Slurm gives a job all the memory of its machine.
USUAL_MEMORY_MIB = 512
_NAMES_AT_ONCE = 100
_NOBODY = "tui-orch-nobody"
#: What the environment may say to these programs for a person, and must not for us.
_NOT_PASSED = ("SBATCH_", "SQUEUE_", "SCANCEL_")

_PENDING = frozenset(
    {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD"}
)
_ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "DEADLINE", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED"})
_LOST = frozenset({"NODE_FAIL", "BOOT_FAIL", "LAUNCH_FAILED", "RECONFIG_FAIL"})
#: What is said of a cluster that can not be talked to, or that is full for now: asked again, it may say yes.
_NOT_NOW = re.compile(
    r"unable to contact|munge|authentication|timed out|time-?out|try again|temporarily|zero bytes|connect|standby mode"
    r"|transport endpoint|slurm_load|submit limit|MaxSubmit|insufficient permission to connect|configuration source",
    re.IGNORECASE,
)
_EXIT_CODE = re.compile(r"\bExitCode=(\d+):(\d+)")


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    name: str
    state: str
    reason: str
    node: str


class Slurm:
    """An engine; see `engine.Engine`. A job's environment stands in its script, which its user and admins can read."""

    def __init__(
        self,
        partition: str | None = None,
        account: str | None = None,
        arguments: Sequence[str] = (),
        *,
        poll_s: float = 2.0,
    ) -> None:
        self.title = "Slurm" if partition is None else f"Slurm, partition {partition}"
        self.poll_s = poll_s
        self._where = [
            *([] if partition is None else [f"--partition={partition}"]),
            *([] if account is None else [f"--account={account}"]),
            *arguments,
        ]

    def submit(self, job: EngineJob) -> None:
        """Have a job run, unless there is one of its name. Twins, which a lost answer may make, are told apart by the claim."""
        if self._rows([job.name]):
            return
        exports = [f"export {name}={shlex.quote(value)}" for name, value in job.env.items()]
        script = "\n".join(["#!/bin/sh", *exports, f"exec {shlex.join(job.argv)}", ""])
        done = self._run("sbatch", [*self._where, *_options(job)], script)
        if done.returncode < 0:
            raise EngineDown(f"{self.title}: sbatch was killed by signal {-done.returncode}", in_doubt=True)
        if done.returncode:
            said = _said(done)
            if _NOT_NOW.search(said):
                raise EngineDown(f"{self.title} does not take it now: {said}", in_doubt="timed out" in said)
            raise EngineRefusal(f"{self.title} refuses it: {said}")

    def poll(self, names: Collection[str]) -> Mapping[str, EngineState]:
        """Return what has become of jobs; of twins, what has become of the livelier."""
        best: dict[str, _Row] = {}
        for row in self._rows(names or [_NOBODY]):
            other = best.get(row.name)
            if other is None or _liveliness(row) > _liveliness(other):
                best[row.name] = row
        return {name: self._state(row) for name, row in best.items()}

    def stop(self, names: Collection[str]) -> None:
        """Ask jobs to end: SIGTERM, and SIGKILL after the cluster's KillWait; what is pending does not begin."""
        ids = [row.id for row in self._rows(names) if row.state not in _ENDED | _LOST] if names else []
        if ids:
            self._required(self._run("scancel", ids))

    def close(self) -> None:
        """Nothing is open."""

    def _rows(self, names: Collection[str]) -> list[_Row]:
        ordered = sorted(names)
        rows = []
        for start in range(0, len(ordered), _NAMES_AT_ONCE):
            some = ",".join(ordered[start : start + _NAMES_AT_ONCE])
            told = self._required(
                self._run("squeue", ["--noheader", "--states=all", f"--name={some}", "--format=%i|%j|%T|%r|%N"])
            )
            rows += [_Row(*map(str.strip, line.split("|"))) for line in told.splitlines() if line.count("|") == 4]
        return rows

    def _state(self, row: _Row) -> EngineState:
        node = row.node or None
        why = None if row.reason == "None" else row.reason
        standing = _standing(row)
        return EngineState(standing, self._exit_code(row) if standing == "ended" else None, node, why)

    def _exit_code(self, row: _Row) -> int | None:
        if row.state == "COMPLETED":
            return 0
        if row.state != "FAILED":
            return None
        found = _EXIT_CODE.search(self._run("scontrol", ["show", "job", row.id, "-o"]).stdout)
        if found is None:
            return None  # forgotten meanwhile
        code, by_signal = map(int, found.groups())
        return -by_signal or code

    def _run(self, program: str, arguments: Sequence[str], script: str = "") -> "subprocess.CompletedProcess[str]":
        env = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED)}
        try:
            return subprocess.run(
                [program, *arguments],
                input=script,
                env={**env, "LC_ALL": "C"},
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=CALL_S,
                check=False,
                start_new_session=True,  # a Ctrl-C meant for the supervisor is not for a submission half made
            )
        except subprocess.TimeoutExpired as error:
            said = f"{self.title} does not answer: {program} took longer than {CALL_S:g} s"
            raise EngineDown(said, in_doubt=True) from error
        except OSError as error:
            raise EngineDown(f"{self.title} can not be asked: {program}: {error.strerror}") from error

    def _required(self, done: "subprocess.CompletedProcess[str]") -> str:
        if done.returncode:
            raise EngineDown(f"{self.title} does not answer: {_said(done)}")
        return done.stdout


def _options(job: EngineJob) -> list[str]:
    needs = job.needs
    memory_mib = USUAL_MEMORY_MIB if needs.memory_mb is None else math.ceil(needs.memory_mb * 1_000_000 / 1_048_576)
    options = [
        "--parsable",
        f"--job-name={job.name}",
        "--no-requeue",  # a second start under the same name could never claim
        "--ntasks=1",
        f"--cpus-per-task={max(1, math.ceil(needs.cpus or 1))}",
        f"--mem={memory_mib}",
        "--chdir=/",
        "--input=/dev/null",
        "--export=NIL",
        # In a path, % stands for more, and %% for itself.
        f"--output={'/dev/null' if job.log_file is None else str(job.log_file).replace('%', '%%')}",
        "--open-mode=append",
    ]
    if needs.resources:
        options.append("--gres=" + ",".join(f"{name}:{math.ceil(amount)}" for name, amount in needs.resources.items()))
    if needs.labels:  # a feature of Slurm has a name and no value
        options.append("--constraint=" + "&".join(needs.labels.values()))
    return options


def _standing(row: _Row) -> Standing:
    if row.state in _LOST:
        return "lost"
    if row.state in _ENDED:
        return "ended"
    return "pending" if row.state in _PENDING else "running"  # COMPLETING and the like: something of it is there


def _liveliness(row: _Row) -> tuple[int, bool, int]:
    order: Sequence[Standing] = ("lost", "ended", "pending", "running")
    return order.index(_standing(row)), row.state == "COMPLETED", int(row.id) if row.id.isdigit() else 0


def _said(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the last thing that a program complained about; the first lines are often advice."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    told = lines[-1] if lines else f"exit code {done.returncode}"
    return re.sub(r"^\w+: error: (Batch job submission failed: )?", "", told)
