from collections.abc import Iterator
from pathlib import Path

import pytest
from at_store import AtStore, at_store
from attacks import build, copy_store

from store.database import Store
from store.home import Home
from store.models import NewJob, NewTree
from store.submit import submit_tree


@pytest.fixture
def at(tmp_path: Path) -> Iterator[AtStore]:
    """An empty store in the test's own folder, whose clock stands still."""
    with at_store(tmp_path / "project") as opened:
        yield opened


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The store that is attacked, see ``attacks.build``; nobody has it open."""
    return build(tmp_path_factory.mktemp("built") / "project")


@pytest.fixture
def hit(built: Home, tmp_path: Path) -> Iterator[AtStore]:
    """A copy of the attacked store for one test, which may change it."""
    with Store.open(copy_store(built, tmp_path / "project")) as store:
        yield AtStore(store)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Where a store could be."""
    return Home(tmp_path / "project" / ".orch")


@pytest.fixture
def made(home: Home) -> Home:
    """A store with one job, which nobody has open."""
    with Store.open(home, create=True) as store, store.write() as tx:
        submit_tree(tx, NewTree(NewJob("remember me")), 1_000)
    return home
