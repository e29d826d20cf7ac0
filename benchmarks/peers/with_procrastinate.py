"""procrastinate over PostgreSQL: one worker with as many jobs at once as asked for, each in a thread."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol import (
    CHILDREN,
    CLOCK,
    NO_OP,
    Peer,
    main,
    note_done,
    package_version,
    run_body,
    run_job,
    wait_done,
    wait_until,
)
from services import postgres, postgres_programs, running

HERE = Path(__file__).parent

if "BENCH_FOLDER" in os.environ:
    from procrastinate import App, PsycopgConnector, SyncPsycopgConnector

    FOLDER, WHERE = os.environ["BENCH_FOLDER"], os.environ["BENCH_POSTGRES"]
    app = App(connector=PsycopgConnector(conninfo=WHERE), import_paths=["with_procrastinate"])

    def from_outside() -> App:
        """Return an app for handing in and for asking; the worker's own is asynchronous."""
        return App(connector=SyncPsycopgConnector(conninfo=WHERE))

    @app.task(name="job")
    def job(argv: list[str], out: str | None = None) -> None:
        """Run one process."""
        run_job(tuple(argv), out)
        if out is None:
            note_done(FOLDER)

    @app.task(name="node")
    def node(below: int, body_s: float) -> None:
        """Run a job of the tree, then its children, and wait for them in the task."""
        run_body(body_s)
        if below:
            with from_outside().open() as opened:
                children = [{"below": below - 1, "body_s": body_s}] * CHILDREN
                ids = opened.configure_task("node").batch_defer(*children)
                wait_until(lambda: ended(opened, ids), look_s=0.01)

    def ended(opened: App, ids: list[int]) -> bool:
        """Tell whether all these jobs have ended."""
        (found,) = opened.connector.execute_query_all(
            "SELECT count(*) AS jobs FROM procrastinate_jobs WHERE id = ANY(%(ids)s) AND status = 'succeeded'", ids=ids
        )
        return found["jobs"] == len(ids)


class Procrastinate(Peer):
    """The worker is procrastinate's own program."""

    tree_ways = ("waiting in the task",)

    def version(self) -> str:
        postgres_programs()
        return package_version("procrastinate") + " (PostgreSQL)"

    @contextmanager
    def at_work(self, folder: Path, workers: int) -> Iterator[None]:
        with postgres(folder) as where:
            os.environ |= {"BENCH_FOLDER": str(folder), "BENCH_POSTGRES": where}
            import with_procrastinate

            self._folder, self._tasks = folder, with_procrastinate
            argv = [sys.executable, "-m", "procrastinate", "--app", "with_procrastinate.app", "worker"]
            with self._tasks.from_outside().open() as self._app:
                self._app.schema_manager.apply_schema()
                with running([*argv, "--concurrency", str(workers)], cwd=HERE):
                    yield

    def run(self, count: int) -> None:
        self._app.configure_task("job").batch_defer(*[{"argv": list(NO_OP)}] * count)
        wait_done(self._folder, count)

    def start_clock(self, out: Path, way: str) -> Path:
        self._app.configure_task("job").defer(argv=list(CLOCK), out=str(out))
        return out

    def tree(self, below: int, body_s: float, way: str) -> None:
        root = self._app.configure_task("node").defer(below=below, body_s=body_s)
        wait_until(lambda: self._tasks.ended(self._app, [root]), look_s=0.01)


if __name__ == "__main__":
    main(Procrastinate())
