"""A stage for the app over a store that a real `orch serve` serves: the app, and short words for what is asked of it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from app_stage import WIDE, calm
from detail_stores import until
from textual.pilot import Pilot

from store.states import Status
from tests.served import Served
from tui_orch.tui.app import OrchApp, Outside
from tui_orch.tui.remote.access import RemoteAccess

PATIENCE_S = 40.0


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def app_over(url: str, key: str) -> OrchApp:
    """Return the app over the store behind ``url``."""
    app = OrchApp(RemoteAccess(url, key), Outside(now_ms, lambda: True, lambda: None, {}))
    app.animation_level = "none"
    return app


@asynccontextmanager
async def watched(
    served: Served, monkeypatch: pytest.MonkeyPatch, *, key: str | None = None
) -> AsyncIterator[tuple[OrchApp, Pilot[None]]]:
    """Show the app over what is served, until it is whole."""
    calm(monkeypatch)
    app = app_over(served.url, key or served.key)
    async with app.run_test(size=WIDE) as pilot:
        await until(lambda: app.is_whole, "the app is not whole")
        yield app, pilot


async def shows(app: OrchApp, job_id: int, status: Status) -> None:
    """Wait until the app has this job in this state."""

    def there() -> bool:
        return any(job.status is status for job in app.access.source.jobs([job_id]))

    await until(there, f"#{job_id} is not {status}")


def copy_is_the_store(app: OrchApp, served: Served) -> bool:
    """Tell whether the app has every job as the store has it."""
    with served.store.read() as reader:
        ids = [row[0] for row in reader.rows("SELECT id FROM jobs")]
        real = reader.rows("SELECT id, status, title, seq, result, activity FROM jobs ORDER BY id")
    with app.access.store.read() as reader:
        copied = reader.rows("SELECT id, status, title, seq, result, activity FROM jobs ORDER BY id")
    return len(ids) == len(copied) and real == copied
