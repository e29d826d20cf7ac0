"""Tests on a real Ray and a real Slurm, each on hosts made of namespaces. They run only where this folder is named:
`make test-cluster`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.at_head import AtHead, at_head
from tests.cluster.cluster import ENGINES, Cluster, make_whole, running
from tests.cluster.hosts import why_not

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave these tests out of a run over all tests."""
    named = [Path(config.invocation_params.dir, argument.partition("::")[0]).resolve() for argument in config.args]
    return None if any(path == HERE or HERE in path.parents for path in named) else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(600))
            item.add_marker(pytest.mark.usefixtures("can_have_hosts"))


@pytest.fixture(scope="session")
def can_have_hosts() -> None:
    """Skip where there is no root, or no namespaces."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture(scope="session", params=ENGINES)
def engine(
    request: pytest.FixtureRequest, can_have_hosts: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A real cluster for all tests; one engine after the other, for they share two processors."""
    with running(request.param, tmp_path_factory.mktemp(request.param)) as found:
        yield found


@pytest.fixture
def cluster(engine: Cluster) -> Cluster:
    """The cluster, with all its nodes at work."""
    make_whole(engine)
    return engine


@pytest.fixture
def far(tmp_path: Path, cluster: Cluster) -> Iterator[AtHead]:
    """A store on the head whose workers run on the nodes; not yet served."""
    with at_head(tmp_path, cluster) as work:
        yield work
