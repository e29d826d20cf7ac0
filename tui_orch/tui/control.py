"""What the screen changes in the store: each a function of the store in a transaction, made off the screen's thread.

Owns no rules: the store refuses, and its word is shown. Every call opens the store for itself, because a store belongs to
one thread, and the screen's own must never wait for another writer.
"""

from collections.abc import Callable
from typing import Literal

from store import asks, control
from store.control import Stopped
from store.database import Store
from store.home import Home
from store.models import Ask, Limits, NewTree, Tree
from store.repair import retry_failed
from store.settings import get_settings
from store.submit import submit_tree
from store.tree import get_tree
from tui_orch.tui.access import HandedIn


class Control:
    """A person's hands on one store. Every call may raise a StoreError."""

    def __init__(self, home: Home, now_ms: Callable[[], int]) -> None:
        self._home = home
        self._now_ms = now_ms

    def cancel(self, job_id: int) -> Stopped:
        """Cancel a job and all below it."""
        with Store.open(self._home) as store, store.write() as tx:
            return control.cancel(tx, job_id, self._now_ms())

    def retry(self, job_id: int, *, fresh: bool = False) -> tuple[int, ...]:
        """Try a job again; return what is queued."""
        with Store.open(self._home) as store, store.write() as tx:
            return control.retry(tx, job_id, self._now_ms(), fresh=fresh)

    def retry_leaves(self, job_id: int) -> tuple[int, ...]:
        """Try again every job, it or below it, that failed and has nothing failed below itself. Raises IllegalChange for none."""
        with Store.open(self._home) as store, store.write() as tx:
            return retry_failed(tx, job_id, self._now_ms())

    def pause(self, root_id: int | None, *, pause: bool) -> bool:
        """Pause a tree (None: the whole store), or let it go on; False if it was so already."""
        with Store.open(self._home) as store, store.write() as tx:
            return control.pause(tx, root_id, self._now_ms()) if pause else control.resume(tx, root_id)

    def set_limits(self, root_id: int, limits: Limits) -> Tree:
        """Change a tree's limits."""
        with Store.open(self._home) as store, store.write() as tx:
            return control.set_limits(tx, root_id, limits)

    def submit(self, new: NewTree) -> HandedIn:
        """See `Controls.submit`. Raises RequestError where the worktrees that it asks for can not be."""
        from tui_orch.workspace.choose import choose  # noqa: PLC0415 - brings pydantic, as the form of a request does

        with Store.open(self._home, create=True) as store:
            with store.read() as reader:
                settings = get_settings(reader)
            choice = choose(new, settings)
            with store.write() as tx:
                root_id = submit_tree(tx, choice.new, self._now_ms())
                return HandedIn(root_id, tuple(choice.notes(get_tree(tx, root_id))))

    def answer(
        self,
        ask_id: int,
        verdict: Literal["allow", "deny", "answered"],
        text: str | None,
        scope: asks.Scope = "once",
    ) -> Ask:
        """Answer an open ask, once; with another scope for good."""
        with Store.open(self._home) as store, store.write() as tx:
            return asks.answer(tx, ask_id, verdict, text, self._now_ms(), scope=scope)
