"""A real Ray cluster on test hosts: its head, on which no job runs, and nodes; with a token of its own.

Ray is installed into a virtual environment of its own. It is started by its own command line and asked by its REST API;
nothing of the product is in use here.
"""

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from tests.cluster.hosts import Host, private_folder, until

VERSION = "2.60.0"
VENV = Path(__file__).parents[2] / "build" / "ray"
CPUS = 8  # as Ray counts them: so many workers of one processor each fit on a node, whatever the machine has
PORT = 6379
DASHBOARD = 8265
UP_S = 120.0


def install() -> Path:
    """Return the program `ray`, installed if it is missing."""
    program = VENV / "bin" / "ray"
    stamp = VENV / f".ray-{VERSION}"
    if not stamp.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        pip = [str(VENV / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"ray[default]=={VERSION}"], check=True, timeout=900)
        stamp.touch()
    return program


class RealRay:
    """See `cluster.Cluster`."""

    kind = "ray"

    def __init__(self, made: Mapping[str, Host], folder: Path) -> None:
        self.hosts = made
        self.nodes = tuple(name for name in made if name != "head")
        self._program = install()
        self._folder = folder
        self._client = httpx.Client(timeout=10.0, trust_env=False)
        self.token = folder / "ray_token"
        self.token.touch(0o600)
        self.token.write_text(secrets.token_hex(32))
        self.address = f"http://{made['head'].address}:{DASHBOARD}"

    def close(self) -> None:
        """Close the line to its API; Ray ends with its hosts."""
        self._client.close()

    def up(self, *names: str) -> None:
        """Start what is not up, but of the nodes only these, if some are named."""
        if not _has_ray(self.hosts["head"]):
            self._start("head", "--head", f"--port={PORT}", f"--temp-dir={private_folder() / 'ray'}", *_HEAD)
            until(self._answers, "the head of Ray", UP_S)
        for name in names or self.nodes:
            if not _has_ray(self.hosts[name]):
                join = f"--address={self.hosts['head'].address}:{PORT}"
                self._start(name, join, f"--num-cpus={CPUS}", f"--labels=zone={name}", *_NODE)

    def submit(self, node: str, command: str) -> str:
        """Have a shell line run as a job on a node; return the job's name."""
        asked = {"entrypoint": command, "entrypoint_num_cpus": 1, "entrypoint_label_selector": {"zone": node}}
        return self._call("POST", "/api/jobs/", asked)["submission_id"]

    def ended(self, job: str) -> bool | None:
        """Tell whether a job has ended well; None: it has not ended."""
        status = self._call("GET", f"/api/jobs/{job}")["status"]
        return None if status in {"PENDING", "RUNNING"} else status == "SUCCEEDED"

    def launcher(self) -> str:
        """Return what a store's config.toml says of this engine, below [launcher]."""
        return f"[launcher.ray]\naddress = {json.dumps(self.address)}\ntoken_file = {json.dumps(str(self.token))}\n"

    def environment(self) -> dict[str, str]:
        """Return what `orch serve` needs to reach it."""
        return {}

    def _start(self, name: str, *arguments: str) -> None:
        environment = {
            **os.environ,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self.token),
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        environment.pop("RAY_ADDRESS", None)
        host = self.hosts[name]
        where = f"--node-ip-address={host.address}"
        argv = (str(self._program), "start", "--block", "--disable-usage-stats", where, _OBJECTS, *arguments)
        host.spawn("nice", *argv, log=self._folder / f"{name}.ray.log", env=environment, cwd=host.files)

    def _answers(self) -> bool:
        try:
            self._call("GET", "/api/version")
        except httpx.HTTPError:
            return False
        return True

    def _call(self, method: str, path: str, body: object = None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.token.read_text()}"}
        with self.hosts["head"].network():
            answer = self._client.request(method, self.address + path, json=body, headers=headers)
        found: dict[str, str] = answer.raise_for_status().json()
        return found


_OBJECTS = "--object-store-memory=80000000"
_HEAD = (
    "--num-cpus=0",
    "--memory=500000000",
    "--include-dashboard=true",
    "--dashboard-host=0.0.0.0",
    f"--dashboard-port={DASHBOARD}",
)
_NODE = ("--memory=8000000000", f"--resources={json.dumps({'claude': CPUS})}")
_RAYLET = re.compile(r"/raylet/raylet ")


def _has_ray(host: Host) -> bool:
    """Tell whether Ray runs on a host, or begins to: a raylet comes seconds after `ray start`, on a busy machine many."""
    return any(_RAYLET.search(process.command) or " start --block" in process.command for process in host.processes())
