"""A remote store as the app sees it: reads from the copy, changes and logs through the REST API."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from textual.app import App

from store.models import Job
from store.replica import Replica
from store.states import Kind
from store.tree import StoreState
from tui_orch.client.api_place import Place
from tui_orch.tui.detail.source import Log, ReaderDetailSource
from tui_orch.tui.remote.control import RemoteControl
from tui_orch.tui.remote.follower import Follower
from tui_orch.tui.remote.log import RemoteLog
from tui_orch.tui.source import ReaderSource

if TYPE_CHECKING:
    from tui_orch.tui.access import Controls, Details


class RemoteSource(ReaderSource):
    """A `Source` over a copy, of which only what is whole is told as changed."""

    def __init__(self, replica: Replica) -> None:
        super().__init__(replica)
        self._replica = replica

    def news(self, seq: int, limit: int, *, totals: bool = True) -> tuple[list[Job], StoreState | None]:
        """See `Source.news`."""
        jobs, state = super().news(seq, limit, totals=totals)
        # While pages come in, there is more than the number says: the jobs above those of the last page.
        return [job for job in jobs if job.seq <= self._replica.seq], state


class RemoteDetailSource(ReaderDetailSource):
    """Both sources of the panes over a copy; logs come from the server."""

    def __init__(self, replica: Replica, place: Place, key: str) -> None:
        super().__init__(replica)
        self._place = place
        self._key = key

    def log(self, job_id: int, attempt: int, kind: Kind) -> Log:
        """See `DetailSource.log`."""
        return RemoteLog(self._place, self._key, job_id, attempt, kind)


class RemoteAccess:
    """The store behind ``url``. Raises ValueError for an address that is none. See `Access`."""

    no_pager: str | None = "the output of a remote job can not be paged; Enter shows it"

    def __init__(self, url: str, key: str) -> None:
        self._place = Place(url, {})
        self._key = key
        self.name = urlsplit(self._place.url).netloc
        self.store = Replica()
        self.source = RemoteSource(self.store)
        self._follower = Follower(self._place, key, self.store)

    @property
    def opening(self) -> str | None:
        """See `Access.opening`."""
        if self._follower.is_loaded:
            return None
        return f"reading {self._place.url}" + (f": {self._follower.jobs:,} jobs so far" if self._follower.jobs else "")

    def watch(self) -> Follower:
        """See `Access.watch`."""
        return self._follower

    def details(self) -> "Details":
        """See `Access.details`."""
        return RemoteDetailSource(self.store, self._place, self._key)

    def controls(self) -> "Controls":
        """See `Access.controls`."""
        return RemoteControl(self._place, self._key, self._follower.wait_for)

    def work_dir(self) -> Path:
        """See `Access.work_dir`: the server's own, or a folder within it."""
        return Path()

    def is_folder(self, path: Path) -> bool:
        """See `Access.is_folder`: the server looks."""
        return True

    def page_output(self, app: App[Any], job_id: int) -> str:
        """See `Access.page_output`."""
        return self.no_pager or ""

    def close(self) -> None:
        """See `Access.close`."""
        self.store.close()
