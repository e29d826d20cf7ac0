"""Makes the launcher that a store's ``config.toml`` asks for."""

from store.database import Store
from store.home import Home
from store.leases import lease_until_ms
from store.models import Fence
from tui_orch.supervisor.engines.cluster import ClusterLauncher
from tui_orch.supervisor.engines.engine import Engine
from tui_orch.supervisor.engines.with_local import WithLocal
from tui_orch.supervisor.launcher import Launcher, LocalLauncher
from tui_orch.worker.remote.config import LauncherConfig


def make_launcher(config: LauncherConfig, home: Home, store: Store) -> Launcher:
    """Return the launcher; whoever closes it closes all that it has opened."""
    local = LocalLauncher(home, store.store_id)
    if config.kind == "local":
        return local
    assert config.url is not None
    engine = _engine(config, home)
    # A connection of its own: leases are asked for while the supervisor's is in a transaction.
    leases = Store.open(home)

    def until_ms(job_id: int, attempt: int) -> int | None:
        with leases.read() as reader:
            return lease_until_ms(reader, Fence(job_id, attempt))

    cluster = ClusterLauncher(
        engine,
        home,
        store.store_id,
        url=config.url,
        lease_until_ms=until_ms,
        program=config.program,
        needs=config.needs,
        ca_file=config.ca_file,
        logs_in_home=config.work == "shared",
    )
    return WithLocal(cluster, local, home, on_close=leases.close)


def _engine(config: LauncherConfig, home: Home) -> Engine:
    """The engines are imported when they are wanted: the one brings httpx, and most stores want neither."""
    if config.kind == "ray":
        from tui_orch.supervisor.engines.ray import Ray  # noqa: PLC0415

        token = config.ray.token_file
        return Ray(config.ray.address, None if token is None else home.root / token)
    from tui_orch.supervisor.engines.slurm import Slurm  # noqa: PLC0415

    return Slurm(config.slurm.partition, config.slurm.account, config.slurm.arguments)
