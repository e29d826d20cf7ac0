"""Keeps the copy of a remote store up to date: asks the API for what has changed, again and again, and puts it in.

Runs in the screen's event loop, in pieces of a few milliseconds. Draws nothing and tells nobody: whoever waits in `changed`
reads the copy. Trouble is raised; to come back after it is ``tui_orch.tui.feed``'s.
"""

import asyncio
import math
import threading
from types import TracebackType
from typing import Any, Self

from store.errors import NotAllowed, StoreUnusable
from store.replica import Replica
from store.schema import migrations
from tui_orch.client.api_errors import AuthenticationError, OrchestratorError, TryAgain, read
from tui_orch.client.api_place import Place
from tui_orch.client.api_steps import Call, Lost
from tui_orch.client.backoff import Backoff, Terms
from tui_orch.client.http_steps import AsyncLine

#: Seconds that one call waits for news: so long at most until a server that has gone without a word is missed.
WAIT_S = 5.0
#: Seconds that a server may take beyond that.
ANSWER_S = 15.0
#: Jobs of one page: a few milliseconds to put in.
PAGE = 200


class Follower:
    """``async with follower: ...`` copies all that is there; ``await follower.changed(s)`` what comes then. See `feed.Watch`."""

    def __init__(self, place: Place, key: str, replica: Replica) -> None:
        self.is_loaded = False
        self.jobs = 0  # that came so far, for whoever waits for all of them
        self._place = place
        self._key = key
        self._replica = replica
        self._line: AsyncLine | None = None
        self._backoff = Backoff(Terms(patience_s=math.inf))
        self._pause_s = 0.0
        self._newest_id = 0
        self._arrived = threading.Condition()

    async def __aenter__(self) -> Self:
        await asyncio.sleep(self._pause_s)
        self._line = AsyncLine(self._place, self._key)
        try:
            await self._catch_up(0.0)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line is not None:
            line, self._line = self._line, None
            await line.__aexit__(kind, error, trace)

    async def changed(self, timeout_s: float) -> bool:
        """Wait for news, for at most so long; tell whether there was any. Raises StoreError, OSError."""
        before = (self._replica.seq, self._replica.mark)
        await self._catch_up(min(timeout_s, WAIT_S))
        return before != (self._replica.seq, self._replica.mark)

    def wait_for(self, job_id: int, timeout_s: float) -> bool:
        """Wait, in another thread than the screen's, until the copy has this new job; False if it does not come."""
        with self._arrived:
            return self._arrived.wait_for(lambda: self._newest_id >= job_id, timeout_s)

    async def _catch_up(self, wait_s: float) -> None:
        more = True
        while more:
            page = await self._page(wait_s)
            more, wait_s = page["more"], 0.0
            self._take(page)
            await asyncio.sleep(0)
        self.is_loaded = True

    async def _page(self, wait_s: float) -> dict[str, Any]:
        query = {"since": f"{self._replica.seq}", "limit": f"{PAGE}", "mark": self._replica.mark, "wait_s": f"{wait_s}"}
        call = Call("GET", "/changes", query=query, answer_s=wait_s + ANSWER_S)
        while True:
            assert self._line is not None
            answer = await self._line.do(call)
            if isinstance(answer, Lost):
                raise self._lost(TryAgain(answer.why))
            assert answer is not None
            assert not isinstance(answer, bytes)
            try:
                found = read(answer)
            except OrchestratorError as error:
                raise self._refused(error) from error
            if not isinstance(found, TryAgain):
                self._backoff.fine()
                self._pause_s = 0.0
                return self._checked(found)
            if answer.status != 429:
                raise self._lost(found)
            await asyncio.sleep(found.after_s or 1.0)  # others call by the same key

    def _checked(self, found: Any) -> dict[str, Any]:
        known = len(migrations())
        version = found.get("schema_version") if isinstance(found, dict) else None
        if version != known or not isinstance(found.get("tables"), dict):
            self._pause_s = self._backoff.pause_s(TryAgain("another version"))
            raise StoreUnusable(
                f"the server at {self._place.url} has schema version {version}, this orch knows {known}; use the same version"
            )
        return dict(found)

    def _take(self, page: dict[str, Any]) -> None:
        store_id, seq, tables = page["store_id"], page["seq"], page["tables"]
        if not self._replica.follows(store_id, seq):
            self._replica.clear()
            self.is_loaded, self.jobs = False, 0
            self._newest_id = 0
            raise StoreUnusable(f"another store is served at {self._place.url} now; it is being read")
        self._replica.take(store_id, seq, page["mark"], tables)
        jobs = tables.get("jobs", ())
        self.jobs += len(jobs)
        with self._arrived:
            self._newest_id = max(self._newest_id, *(row[0] for row in jobs)) if jobs else self._newest_id
            self._arrived.notify_all()

    def _lost(self, why: TryAgain) -> OSError:
        self._pause_s = self._backoff.pause_s(why)
        return ConnectionError(why.why)

    def _refused(self, error: OrchestratorError) -> NotAllowed | StoreUnusable:
        self._pause_s = self._backoff.pause_s(TryAgain(str(error)))
        return NotAllowed(str(error)) if isinstance(error, AuthenticationError) else StoreUnusable(str(error))
