"""What the tests need of a real cluster, whichever engine it is; makes one on hosts of its own."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from tests.cluster.hosts import Host, hosts
from tests.cluster.real_ray import RealRay
from tests.cluster.real_slurm import RealSlurm

ENGINES = ("ray", "slurm")
UP_S = 300.0
JOB_S = 60.0


class Cluster(Protocol):
    """An engine that runs on the hosts: ``head`` looks after it and runs no job, the nodes do."""

    kind: str
    hosts: Mapping[str, Host]
    nodes: tuple[str, ...]

    def up(self, *names: str) -> None: ...

    def submit(self, node: str, command: str) -> str: ...

    def ended(self, job: str) -> bool | None: ...

    def launcher(self) -> str: ...

    def environment(self) -> dict[str, str]: ...


@contextmanager
def running(kind: str, folder: Path) -> Iterator[Cluster]:
    """Run a cluster with two nodes."""
    with hosts(folder / "hosts", "head", "n1", "n2") as made:
        if kind == "slurm":
            yield RealSlurm(made, folder)
        else:
            with closing(RealRay(made, folder)) as ray:
                yield ray


def make_whole(cluster: Cluster) -> None:
    """Bring up all, also what an earlier test has killed or cut off; each node has done a job then."""
    for host in cluster.hosts.values():
        if host.is_up():
            host.heal()
        else:
            host.up()
    cluster.up()
    for name in cluster.nodes:
        do_job(cluster, name, "true")


def do_job(cluster: Cluster, node: str, command: str) -> None:
    """Have a shell line run on a node to its end.

    A node that was killed or cut off just now is taken for alive for some seconds, and one of Ray's that comes back
    from a cut ends when it hears that it was given up: what is lost is submitted again, what ends is started again.
    """
    end = time.monotonic() + UP_S
    done: bool | None = False
    while not done:
        assert time.monotonic() < end, f"{cluster.kind} does no job on {node}"
        job = cluster.submit(node, command)
        lost = time.monotonic() + JOB_S
        while (done := cluster.ended(job)) is None and time.monotonic() < lost:
            cluster.up(node)
            time.sleep(0.2)
