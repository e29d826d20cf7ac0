"""Steps of a worker on another machine: the API does each in the store, once, however often it has to be asked."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from store.home import Home
from store.models import Fence
from tui_orch.worker.remote.api import PATIENCE_S, AttemptApi
from tui_orch.worker.steps import job_steps, wire
from tui_orch.worker.steps.port import Change, Look, P, T, Watch

#: What is asked for once: it is said or asked again soon, and a worker must not wait for a head that is gone to say it.
PASSING = frozenset({job_steps.show_activity, job_steps.is_lending})
#: Seconds between two looks at what somebody waits for.
LOOK_S = 1.0


class RemoteSteps:
    """See `port.Steps`. ``home``: the folder on this machine that stands in for the store's."""

    def __init__(self, api: AttemptApi, home: Home, fence: Fence) -> None:
        self._api = api
        self._home = home
        self._fence = fence
        #: Seconds for which a step is asked for while nothing answers.
        self.patience_s = PATIENCE_S

    @property
    def home(self) -> Home:
        """The folder that stands in for the store's; there is no store in it."""
        return self._home

    @property
    def fence(self) -> Fence:
        """The attempt."""
        return self._fence

    def look(self, step: Look[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Read one moment of the store. Raises what the store raises, StoreBusy while the head can not be reached."""
        return self._do(step, args, kwargs)  # type: ignore[no-any-return]

    def change(self, step: Change[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a step in a transaction of its own, once."""
        return self._do(step, args, kwargs)  # type: ignore[no-any-return]

    def watch(self) -> AbstractAsyncContextManager[Watch]:
        """Look again every second."""
        return _looking()

    def _do(self, function: Any, args: Any, kwargs: Any) -> Any:
        patience_s = 0.0 if function in PASSING else self.patience_s
        body = {"call_id": uuid.uuid4().hex, "arguments": wire.arguments_to_json(function, args, kwargs)}
        told = self._api.post(f"/attempt/steps/{function.__name__}", body, patience_s)
        return wire.answer_from_json(function, told["answer"])


class _Looking:
    async def changed(self, timeout_s: float) -> None:
        """Return soon: what has changed is not known here."""
        await asyncio.sleep(min(timeout_s, LOOK_S))


@asynccontextmanager
async def _looking() -> AsyncIterator[Watch]:
    yield _Looking()
