"""A real Slurm on test hosts: its controller on the head, on which no job runs, and nodes; with a munge key of its own.

The distribution's packages are installed where they are missing, without starting any service. All that they keep is in
a folder of the test's and in each host's private folder; nothing of the product is in use here.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.cluster.hosts import Host, private_folder, until

CPUS = 8  # as Slurm counts them, whatever the machine has
UP_S = 120.0
#: After so many seconds without a word a node is down (SlurmdTimeout). The stock value is 300.
NODE_TIMEOUT_S = 15
#: Between the SIGTERM and the SIGKILL of a cancelled job (KillWait). The stock value is 30.
KILL_WAIT_S = 5
_POLICY = Path("/usr/sbin/policy-rc.d")
_PACKAGES = ("slurm-wlm", "munge")


def install() -> None:
    """Install the distribution's Slurm, if it is missing, and keep its services from starting."""
    if shutil.which("slurmctld") and shutil.which("slurmd") and shutil.which("munged"):
        return
    ours = not _POLICY.exists()
    if ours:
        _POLICY.write_text("#!/bin/sh\nexit 101\n")
        _POLICY.chmod(0o755)
    try:
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "-qq", "update"], check=True, env=env, timeout=300)
        words = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *_PACKAGES]
        subprocess.run(words, check=True, env=env, timeout=600)
    finally:
        if ours:
            _POLICY.unlink()


class RealSlurm:
    """See `cluster.Cluster`."""

    kind = "slurm"

    def __init__(self, made: Mapping[str, Host], folder: Path) -> None:
        install()
        self.hosts = made
        self.nodes = tuple(name for name in made if name != "head")
        self._folder = folder
        self._conf = folder / "slurm.conf"
        self._key = folder / "munge.key"
        self._socket = private_folder() / "munge" / "socket"
        self._key.touch(0o400)
        self._key.write_bytes(secrets.token_bytes(128))
        self._conf.write_text(self._settings())
        lines = (f"NodeName={name} Name=claude Count={CPUS}\n" for name in self.nodes)
        (folder / "gres.conf").write_text("".join(lines))
        (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")  # unused; an empty file is an error to slurmd

    def up(self, *names: str) -> None:
        """Start what is not up, but of the nodes only these, if some are named."""
        (self._folder / "controller").mkdir(exist_ok=True)
        self._start("head", "slurmctld", "-D", "-f", str(self._conf))
        for name in names or self.nodes:
            (self._folder / f"{name}.spool").mkdir(exist_ok=True)
            self._start(name, "slurmd", "-D", "-N", name, "-f", str(self._conf))

    def submit(self, node: str, command: str) -> str:
        """Have a shell line run as a job on a node; return the job's number."""
        where = (f"--constraint={node}", "--mem=100", "--no-requeue", "--output=/dev/null")
        return self._ask("sbatch", "--parsable", *where, f"--wrap={command}")

    def ended(self, job: str) -> bool | None:
        """Tell whether a job has ended well; None: it has not ended."""
        state = self._ask("squeue", "-h", "--states=all", f"--jobs={job}", "--format=%T")
        return None if state in {"PENDING", "RUNNING", "CONFIGURING", "COMPLETING"} else state == "COMPLETED"

    def launcher(self) -> str:
        """Return what a store's config.toml says of this engine, below [launcher]."""
        return '[launcher.slurm]\npartition = "work"\n'

    def environment(self) -> dict[str, str]:
        """Return what `orch serve` needs to reach it."""
        return {"SLURM_CONF": str(self._conf)}

    def _start(self, name: str, *argv: str) -> None:
        host = self.hosts[name]
        running = {Path(process.command.split(" ")[0]).name for process in host.processes() if process.command}
        if "munged" not in running:
            own = private_folder() / "munge"
            files = {"socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
            host.run("mkdir", "-p", "-m", "755", str(own))
            host.run(
                "/usr/sbin/munged",
                "--force",
                f"--key-file={self._key}",
                *(f"--{option}={own / file}" for option, file in files.items()),
            )
        if argv[0] not in running:
            env = {**os.environ, **self.environment()}
            host.spawn("nice", *argv, log=self._folder / f"{name}.{argv[0]}.out", env=env)

    def _ask(self, *argv: str) -> str:
        said = ""

        def answered() -> bool:
            nonlocal said
            done = self.hosts["head"].run(*argv, env={**os.environ, **self.environment()}, code=None)
            said = done.stdout.strip()
            return done.returncode == 0

        until(answered, f"an answer to {argv}", UP_S)
        return said

    def _settings(self) -> str:
        head = self.hosts["head"]
        nodes = "\n".join(
            f"NodeName={name} NodeAddr={self.hosts[name].address} NodeHostname={name} CPUs={CPUS} RealMemory=8000 "
            f"Gres=claude:{CPUS} Feature={name} State=UNKNOWN"
            for name in self.nodes
        )
        return f"""\
ClusterName=test
SlurmctldHost=head({head.address})
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={self._socket}
CryptoType=crypto/munge
MpiDefault=none
# The weakest of the ways to know a job's processes: what forks away twice escapes it, and is ours to end.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SwitchType=switch/none
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=0,bf_interval=5
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout={NODE_TIMEOUT_S}
KillWait={KILL_WAIT_S}
MinJobAge=300
InactiveLimit=0
Waittime=0
GresTypes=claude
StateSaveLocation={self._folder}/controller
SlurmdSpoolDir={self._folder}/%n.spool
SlurmctldLogFile={self._folder}/slurmctld.log
SlurmdLogFile={self._folder}/%n.slurmd.log
SlurmctldPidFile={private_folder()}/slurmctld.pid
SlurmdPidFile={private_folder()}/slurmd.pid
{nodes}
PartitionName=work Nodes={",".join(self.nodes)} Default=YES MaxTime=INFINITE State=UP LLN=YES
"""
