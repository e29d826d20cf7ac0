"""The steps of one run of Claude Code, in one event loop: the first refusal of the attempt stops it all.

Tools, permission requests and the session share one ``FencedSteps``. Whoever meets StaleAttempt here need not tell the
others: ``stale`` is set, and the session looks at it. Holds no rule of its own.
"""

import asyncio
import time

from store.errors import StaleAttempt
from store.home import Home
from store.models import Fence, Job, Tree
from tui_orch.worker.steps import job_steps
from tui_orch.worker.steps.port import Change, Look, P, Steps, T


class FencedSteps:
    """Reads and writes for the attempt ``fence``. Use it in one event loop; a step holds that up while it is done."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self.fence: Fence = steps.fence
        self.home: Home = steps.home
        #: Set once the store has refused this attempt: stop at once, nothing can be recorded any more.
        self.stale = asyncio.Event()

    def look(self, step: Look[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Read one moment of the store."""
        return self._steps.look(step, *args, **kwargs)

    def change(self, step: Change[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a step in one transaction. Raises what the store raises."""
        try:
            return self._steps.change(step, *args, **kwargs)
        except StaleAttempt:
            self.stale.set()
            raise

    def job(self) -> Job:
        """Return the job's row as it is now."""
        return self.look(job_steps.own_job)

    def tree(self) -> Tree:
        """Return the tree's row as it is now."""
        return self.look(job_steps.own_tree)

    async def until(
        self, timeout_s: float | None, step: Look[P, T | None], /, *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """Wait until ``step`` finds something and return it; None after ``timeout_s`` seconds."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        async with self._steps.watch() as watch:
            while (found := self.look(step, *args, **kwargs)) is None:
                left_s = 60.0 if end is None else end - time.monotonic()
                if left_s <= 0:
                    return None
                await watch.changed(left_s)
        return found
