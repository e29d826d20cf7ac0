"""Dask distributed: a scheduler here and one worker process with a thread for each job at once. Nothing is kept on disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol import CHILDREN, CLOCK, NO_OP, Peer, main, package_version, run_body, run_job


def seceding_node(below: int, body_s: float) -> None:
    """Run a job of the tree, then its children; the thread leaves the pool while it waits."""
    from distributed import worker_client

    run_body(body_s)
    if below:
        with worker_client() as client:
            client.gather(client.map(seceding_node, [below - 1] * CHILDREN, body_s=body_s, pure=False))


def waiting_node(below: int, body_s: float) -> None:
    """Run a job of the tree, then its children, and wait for them in the task."""
    from distributed import get_client

    run_body(body_s)
    if below:
        client = get_client()
        client.gather(client.map(waiting_node, [below - 1] * CHILDREN, body_s=body_s, pure=False))


class Dask(Peer):
    """A LocalCluster."""

    tree_ways = ("secede", "waiting in the task")

    def version(self) -> str:
        return package_version("distributed")

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        from distributed import Client, LocalCluster

        import with_dask

        self._tasks = with_dask
        options = {"n_workers": 1, "threads_per_worker": workers, "processes": True, "dashboard_address": None}
        with (
            LocalCluster(host="127.0.0.1", local_directory=str(folder), silence_logs=50, **options) as cluster,
            Client(cluster) as self._client,
        ):
            yield

    def run(self, count: int) -> None:
        self._client.gather(self._client.map(run_job, [NO_OP] * count, pure=False))

    def start_clock(self, out: Path, way: str) -> Path:
        self._future = self._client.submit(run_job, CLOCK, str(out), pure=False)
        return out

    def tree(self, below: int, body_s: float, way: str) -> None:
        node = self._tasks.seceding_node if way == "secede" else self._tasks.waiting_node
        self._client.submit(node, below, body_s, pure=False).result()


if __name__ == "__main__":
    main(Dask())
