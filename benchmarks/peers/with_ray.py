"""Ray on this machine alone: a process for each job at once, and one more for each that waits. Nothing is kept on disk."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol import CHILDREN, CLOCK, NO_OP, Peer, main, package_version, run_body, run_job


class Ray(Peer):
    """``ray.init`` starts all that it needs."""

    tree_ways = ("ray.get in the task",)
    stuck_s = 20.0  # it starts a Python for each parent that waits, and nothing else runs meanwhile

    def version(self) -> str:
        return package_version("ray")

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(Path(__file__).parent)}
        import ray

        self._ray = ray
        ray.init(
            num_cpus=workers,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            _node_ip_address="127.0.0.1",
            object_store_memory=100_000_000,
            _temp_dir=str(folder / "ray"),
        )
        self._job = ray.remote(run_job)
        yield
        ray.shutdown()

    def run(self, count: int) -> None:
        self._ray.get([self._job.remote(NO_OP) for _ in range(count)])

    def start_clock(self, out: Path, way: str) -> Path:
        self._future = self._job.remote(CLOCK, str(out))
        return out

    def tree(self, below: int, body_s: float, way: str) -> None:
        ray = self._ray

        @ray.remote
        def node(below: int) -> None:
            run_body(body_s)
            if below:
                ray.get([node.remote(below - 1) for _ in range(CHILDREN)])

        ray.get(node.remote(below))


if __name__ == "__main__":
    main(Ray())
