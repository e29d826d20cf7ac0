"""What the app needs of a store, behind a narrow protocol: `LocalAccess` for one in a file, ``remote`` for one behind HTTP.

Owns no rules and no rows. What the first picture can do without is imported when it is asked for.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from textual.app import App

from store.database import Store
from store.home import Home
from store.models import Limits, NewTree
from tui_orch.tui.feed import Watch, store_watch
from tui_orch.tui.source import Readable, Source, StoreSource

if TYPE_CHECKING:
    from store.asks import Scope
    from store.control import Stopped
    from tui_orch.tui.detail.source import DetailSource, TimelineSource

    class Details(DetailSource, TimelineSource, Protocol):
        """What is read of one job and its tree."""


class AnsweredAsk(Protocol):
    """What became of an answer."""

    @property
    def job_id(self) -> int:
        """Whose ask it was."""

    @property
    def rule_id(self) -> int | None:
        """The rule that the answer made, or None."""


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A tree that is stored: its root's id, and what a person should know of it."""

    root_id: int
    notes: tuple[str, ...] = ()


class Controls(Protocol):
    """What a person can change. Every call may block, and raise a StoreError or an OSError: call it in a thread."""

    def cancel(self, job_id: int) -> "Stopped":
        """Cancel a job and all below it."""
        ...

    def retry(self, job_id: int, *, fresh: bool = False) -> tuple[int, ...]:
        """Try a job again; return what is queued."""
        ...

    def retry_leaves(self, job_id: int) -> tuple[int, ...]:
        """Try again what failed at the ends of the branches; return what is queued."""
        ...

    def pause(self, root_id: int | None, *, pause: bool) -> bool:
        """Pause a tree (None: the whole store), or let it go on; False if it was so already."""
        ...

    def set_limits(self, root_id: int, limits: Limits) -> object:
        """Change a tree's limits."""
        ...

    def submit(self, new: NewTree) -> HandedIn:
        """Insert a tree; return its root, which can be read then."""
        ...

    def answer(
        self, ask_id: int, verdict: Literal["allow", "deny", "answered"], text: str | None, scope: "Scope" = "once"
    ) -> AnsweredAsk:
        """Answer an open ask, once; with another scope for good."""
        ...


class Access(Protocol):
    """A store as the app sees it. Reads are for the screen's thread, and never wait for anybody."""

    @property
    def name(self) -> str:
        """How a person knows the store."""
        ...

    @property
    def opening(self) -> str | None:
        """What is being done while the store can not be shown yet; None once it can."""
        ...

    @property
    def no_pager(self) -> str | None:
        """Why output can not be paged; None where it can."""
        ...

    @property
    def source(self) -> Source:
        """Its jobs."""
        ...

    @property
    def store(self) -> Readable:
        """Short reads of anything else."""
        ...

    def watch(self) -> AbstractAsyncContextManager[Watch]:
        """Return what tells of changes; entering it raises StoreError or OSError while the store can not be reached."""
        ...

    def details(self) -> "Details":
        """Return what the panes beside the tree read."""
        ...

    def controls(self) -> Controls:
        """Return a person's hands on it."""
        ...

    def work_dir(self) -> Path:
        """Return the folder in which the workers of a new request run."""
        ...

    def is_folder(self, path: Path) -> bool:
        """Tell whether workers can run there, as far as that can be known from here."""
        ...

    def page_output(self, app: App[Any], job_id: int) -> str:
        """Show a job's output in the person's pager. Return what to tell, "" for nothing."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class LocalAccess:
    """A store in a file of this machine, which is made where there is none. Raises StoreUnusable."""

    opening: str | None = None
    no_pager: str | None = None

    def __init__(self, home: Home, now_ms: Callable[[], int]) -> None:
        self.home = home
        self.name = home.project.name
        self.store = Store.open(home, create=True)
        self.source = StoreSource(self.store)
        self._now_ms = now_ms

    def watch(self) -> AbstractAsyncContextManager[Watch]:
        """See `Access.watch`."""
        return store_watch(self.home, self.source.data_version)

    def details(self) -> "Details":
        """See `Access.details`."""
        from tui_orch.tui.detail.source import StoreDetailSource  # noqa: PLC0415

        return StoreDetailSource(self.store)

    def controls(self) -> Controls:
        """See `Access.controls`."""
        from tui_orch.tui.control import Control  # noqa: PLC0415

        return Control(self.home, self._now_ms)

    def work_dir(self) -> Path:
        """See `Access.work_dir`."""
        return Path.cwd()

    def is_folder(self, path: Path) -> bool:
        """See `Access.is_folder`."""
        return path.is_dir()

    def page_output(self, app: App[Any], job_id: int) -> str:
        """See `Access.page_output`."""
        from tui_orch.tui.pager import page_output  # noqa: PLC0415

        return page_output(app, self.home.root, job_id)

    def close(self) -> None:
        """See `Access.close`."""
        self.store.close()
