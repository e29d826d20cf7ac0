"""Which store a command works on, and who calls: opened for reading what is there, or made where there is none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from store.database import Store
from store.errors import NotAllowed, NotFound
from store.home import FOLDER, Home, find_home
from tui_orch.client.caller import Caller, caller_of
from tui_orch.worker.environment import REMOTE_HOME


@dataclass(frozen=True, slots=True)
class Session:
    """An open store and who calls it."""

    store: Store
    caller: Caller


@dataclass(frozen=True, slots=True)
class Place:
    """What ``--home`` said; None if nothing."""

    named: str | None = None

    def find(self) -> Home | None:
        """Return the store that is there; None if none is."""
        home = find_home(self.named)
        return home if home is not None and os.path.lexists(home.database) else None

    def home(self) -> Home:
        """Return the store that is there. Raises NotFound, NotAllowed."""
        _refuse_far_worker()
        found = self.find()
        if found is not None:
            return found
        home = find_home(self.named)
        where = f"at {home.root}" if home else f"in {Path.cwd()} or above it"
        raise NotFound(f"there is no store {where}; start one with: orch run")

    def future_home(self) -> Home:
        """Return where the store is, or where it is to be made: in the folder in which the command was called.

        Raises NotAllowed.
        """
        _refuse_far_worker()
        return find_home(self.named) or Home(Path.cwd() / FOLDER)

    @contextmanager
    def open(self) -> Iterator[Session]:
        """Open the store that is there. Raises NotFound, StoreUnusable, NotAllowed."""
        with Store.open(self.home()) as store:
            yield Session(store, caller_of(store, os.environ))

    @contextmanager
    def make(self) -> Iterator[Session]:
        """Open the store, and make it first where there is none. Raises StoreUnusable, NotAllowed."""
        with Store.open(self.future_home(), create=True) as store:
            yield Session(store, caller_of(store, os.environ))


def _refuse_far_worker() -> None:
    """A shared file system may show the store's file on another machine, where SQLite's locks do not hold."""
    if os.environ.get(REMOTE_HOME):
        raise NotAllowed(
            "this worker runs on another machine than its store; only orch spawn and the API can be used from here"
        )
