"""The store as one attempt sees it: steps by name, done at once and whole. Here is what it must do, not how.

A step is a plain function of the store, the attempt and the time (``job_steps``, ``claude_steps``, ``worktree_steps``). A
worker beside the store calls it in a transaction (``local``); one on another machine has the API call it (``worker.remote``).
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from store.database import Reader, Transaction
from store.home import Home
from store.models import Fence

T = TypeVar("T")
P = ParamSpec("P")

Look = Callable[Concatenate[Reader, Fence, int, P], T]
Change = Callable[Concatenate[Transaction, Fence, int, P], T]


class Watch(Protocol):
    """Wakes up whoever waits for something in the store."""

    async def changed(self, timeout_s: float) -> object:
        """Return when the store may have changed, or after ``timeout_s``."""
        ...


class Steps(Protocol):
    """Steps of one attempt, each with its fence. All raise what the store raises, StaleAttempt once the attempt is over."""

    @property
    def home(self) -> Home:
        """Where the store, or for a worker without one, its own folder on this machine is."""
        ...

    @property
    def fence(self) -> Fence:
        """The attempt."""
        ...

    def look(self, step: Look[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Read one moment of the store."""
        ...

    def change(self, step: Change[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a step in a transaction of its own, once."""
        ...

    def watch(self) -> AbstractAsyncContextManager[Watch]:
        """Watch the store for changes."""
        ...
