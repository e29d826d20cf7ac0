"""``make pictures``: the pictures of the README, taken from the real app over the running demo. Nothing is drawn by hand."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

from store.database import Store
from store.states import FINAL, Status
from store.submit import submit_tree
from store.tree import counts, get_job
from tui_orch.client.measures import now_ms
from tui_orch.demo.stage import staged
from tui_orch.supervisor import daemon
from tui_orch.tui.access import LocalAccess
from tui_orch.tui.app import OrchApp, Outside

PICTURES = Path(__file__).parent / "pictures"
SIZE = (132, 26)
PACE_S = 0.5
PATIENCE_S = 180.0


async def main() -> None:
    """Run the demo, and take each picture at its moment."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        staged(Path(scratch) / "notes", PACE_S) as stage,
        Store.open(stage.home, create=True) as store,
    ):
        with store.write() as tx:
            root_id = submit_tree(tx, stage.tree, now_ms())
        daemon.start_background(stage.home)
        try:
            await take(store, root_id)
        finally:
            daemon.stop(stage.home)


async def take(store: Store, root_id: int) -> None:
    """Take the pictures: the tree in its middle, a worker's output, the timeline at the end."""

    def busy() -> bool:
        with store.read() as reader:
            now = counts(reader)
        return now[Status.WAITING] >= 3 and now[Status.RUNNING] >= 2 and now[Status.COMPLETED] >= 2

    def ended() -> bool:
        with store.read() as reader:
            return get_job(reader, root_id).status in FINAL

    outside = Outside(now_ms, lambda: True, lambda: None, {})
    app = OrchApp(LocalAccess(store.home, now_ms), outside)
    async with app.run_test(size=SIZE) as pilot:
        await until(busy)
        await pilot.pause(0.5)
        save(app, "tree")
        await until(ended)
        await pilot.press("t")
        await pilot.pause(1.5)
        save(app, "timeline")
        await pilot.press("escape", "down", "down", "enter")
        await pilot.pause(1.5)
        save(app, "detail")


def save(app: OrchApp, name: str) -> None:
    """Write one picture."""
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{name}.svg").write_text(app.export_screenshot(title="orch"), "utf-8")


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the demo has come to a point. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(main())
